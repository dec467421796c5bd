"""Exercises of the notebooks: a solution is hidden below each, and it does what it says."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

from arise_lib.compendium import notebooks
from arise_lib.storage import paths

_SOLUTION = re.compile(
    r"<details><summary>(Solution[^<]*)</summary>\n\n(.*?)\n</details>", re.DOTALL
)
_CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def solutions() -> list[tuple[str, str, str]]:
    """List notebook, title and text of every solution."""
    return [
        (path.stem, title, text)
        for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))
        for cell in notebooks.read(path).cells
        if cell.cell_type == "markdown"
        for title, text in _SOLUTION.findall(cell.source)
    ]


@pytest.mark.parametrize(
    ("notebook", "title", "text"), solutions(), ids=lambda value: str(value)[:12].replace(" ", "_")
)
def test_solution_does_what_it_says(notebook: str, title: str, text: str) -> None:
    """It runs by itself, as a reader would paste it, and asserts what the text says."""
    (code,) = _CODE.findall(text)
    assert "assert " in code, f"{notebook}, {title}: nothing is asserted"
    with warnings.catch_warnings():
        # Too few atoms, for instance, are what an exercise may be about.
        warnings.simplefilter("ignore", UserWarning)
        exec(compile(code, f"{notebook}, {title}", "exec"), {"__name__": "solution"})


@pytest.mark.parametrize(
    "path", sorted(paths.NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem
)
def test_every_exercise_has_a_solution(path: Path) -> None:
    text = "\n".join(
        cell.source for cell in notebooks.read(path).cells if cell.cell_type == "markdown"
    )
    solved = len(_SOLUTION.findall(text))
    (asked,) = re.findall(r"## Exercises\n\n((?:\d\. .*\n(?:   .*\n)*)+)", text)
    assert solved == len(re.findall(r"^\d\. ", asked, re.MULTILINE)) > 0
