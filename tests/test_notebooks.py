"""Stored notebooks: their structure, the tools that see to it, and nbval's settings."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import v4
from nbval.plugin import get_sanitize_patterns
from notebook_rules import external_names, problems

from arise_lib import compendium, storage
from arise_lib.compendium import notebooks, runner
from arise_lib.errors import InputError
from arise_lib.storage import paths

STORED = sorted(paths.NOTEBOOKS.glob("*.ipynb"))
# The numbers of the notebooks, 00 (what is here) to 08 (your own structures).
NUMBERS = ["00", "01", "02", "02b", *(f"{n:02d}" for n in range(3, 9))]


def code(source: str, count: int, *tags: str, text: str = "") -> Any:
    cell = v4.new_code_cell(source, execution_count=count)
    if tags:
        cell.metadata["tags"] = list(tags)
    if text:
        cell.outputs.append(v4.new_output("stream", name="stdout", text=text))
    return cell


def sound() -> Any:
    """Make a notebook without a fault, as strip leaves it."""
    cells = [
        v4.new_markdown_cell("# Title\n\nOne line."),
        code('profile = "quick"', 1, "parameters"),
        code("print(6 * 7)", 2, text="42\n"),
        code('print("versions")', 3, "nbval-ignore-output", text="versions\n"),
    ]
    return notebooks.stripped(v4.new_notebook(cells=cells))


def save(notebook: Any, folder: Path, name: str = "00_x.ipynb") -> Path:
    path = folder / name
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


def test_the_notebooks_are_there() -> None:
    assert [path.name.partition("_")[0] for path in STORED] == NUMBERS


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_stored_notebook_has_no_problem(path: Path) -> None:
    assert problems(path) == []


def test_sound_notebook_has_no_problem(tmp_path: Path) -> None:
    assert problems(save(sound(), tmp_path)) == []


def edit(number: int, **values: Any) -> Any:
    def apply(notebook: Any) -> None:
        for name, value in values.items():
            setattr(notebook.cells[number - 1], name, value)

    return apply


def output(kind: str, **values: Any) -> Any:
    return lambda notebook: notebook.cells[2].outputs.append(v4.new_output(kind, **values))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edit(3, execution_count=None), "cell 3: execution count None instead of 2"),
        (edit(3, execution_count=5), "cell 3: execution count 5 instead of 2"),
        (output("error", ename="ValueError", evalue="", traceback=[]), "error in the output: Valu"),
        (output("stream", name="stderr", text="late\n"), "cell 3: stderr in the output: 'late'"),
        (output("display_data", data={notebooks.WIDGET: {}}), "cell 3: widget in the output"),
        (edit(3, source="open('/srv/x/y.txt')"), "cell 3: absolute path '/srv/x/y.txt'"),
        (edit(3, source="open('/srv')"), "cell 3: absolute path '/srv'"),
        (edit(1, source="# T\n\nSee /srv/x/y.txt."), "cell 1: absolute path '/srv/x/y.txt.'"),
        (output("stream", name="stdout", text="in /srv/x\n"), "cell 3: absolute path '/srv/x'"),
        (
            output("execute_result", data={"text/plain": r"WindowsPath('C:\\Users\\me')"}),
            "cell 3: absolute path",
        ),
        (
            output("display_data", data={"text/html": "<b>file:///srv/x</b>"}),
            "cell 3: absolute path",
        ),
        (edit(2, metadata={}), "one code cell tagged 'parameters' is wanted, there are 0"),
        (edit(3, metadata={"tags": ["parameters"]}), "is wanted, there are 2"),
        (edit(2, source='profile = "quick"\nn = 2 * 3'), "'n = 2 * 3' is no assignment of a lit"),
        (edit(2, source='profile = "quick"\nimport os'), "'import os' is no assignment"),
        (edit(2, source="n = 3"), 'the line profile = "quick" is missing'),
        (edit(2, source='profile = "paper"'), 'the line profile = "quick" is missing'),
        (edit(3, source="def f():\n    pass"), "cell 3: defines a function or class"),
        (edit(3, source="class A:\n    pass"), "cell 3: defines a function or class"),
        (edit(3, source="f = lambda x: x"), "cell 3: named or several lambdas"),
        (edit(3, source="x = 1\n" * 16), "cell 3: 16 lines, at most 15"),
        (edit(3, source="  "), "cell 3: empty code cell"),
        (edit(3, source="# NBVAL_SKIP\n1"), "cell 3: left out by nbval"),
        (edit(3, source="!ls"), "cell 3: no plain Python"),
        (edit(1, source="Text"), "one title ('# ...') in cell 1 is wanted, titles are in cells []"),
        (lambda nb: nb.cells.insert(1, v4.new_markdown_cell("# B")), "are in cells [1, 2]"),
        (lambda nb: nb.cells.append(v4.new_markdown_cell("End")), "does not print the versions"),
        (edit(4, metadata={}), "tag that cell 'nbval-ignore-output'"),
        (edit(3, source="plt.plot(x);\n"), "cell 3: ends in ';', which has no effect under nbval"),
        (lambda nb: nb.metadata.update(widgets={}), "traces of a run"),
        (lambda nb: nb.metadata.update(papermill={"start_time": "now"}), "traces of a run"),
        (edit(3, metadata={"execution": {"iopub.status.busy": "now"}}), "traces of a run"),
    ],
)
def test_every_fault_is_found(tmp_path: Path, change: Any, message: str) -> None:
    notebook = sound()
    change(notebook)
    found = problems(save(notebook, tmp_path))
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize(
    "source",
    [
        'url = "https://doi.org/10.1038/s41467-021-26511-5"',
        'path = paths.DATA / "paper/table2.csv"',
        'print(f"{a}/second/third {1 / 2} figures/results/quick.json ../x/y")',
        'label = "length / Å"',
        "sorted(x, key=lambda row: row[1])",
        "%config InlineBackend.figure_formats = ['png']",
    ],
)
def test_what_is_no_fault_passes(tmp_path: Path, source: str) -> None:
    notebook = sound()
    notebook.cells[2].source = source
    assert problems(save(notebook, tmp_path)) == []


def test_pictures_and_tables_are_no_paths(tmp_path: Path) -> None:
    notebook = sound()
    picture = "data:image/png;base64,iVBOR/abc/def+/ghi/jkl=="
    html = f"<table><td>1</td></table><img src='{picture}'>"
    data = {"image/png": "AA//bb/cc/dd", "text/html": html}
    notebook.cells[2].outputs.append(v4.new_output("display_data", data=data))
    assert problems(save(notebook, tmp_path)) == []


@pytest.mark.parametrize("text", ["", "{", '{"cells": 3, "nbformat": 4}', "[1, 2]"])
def test_no_notebook_is_one_problem(tmp_path: Path, text: str) -> None:
    path = tmp_path / "00_x.ipynb"
    path.write_text(text)
    (problem,) = problems(path)
    assert "00_x.ipynb is no valid notebook" in problem


def test_strip_names_a_missing_notebook(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no notebook at 00_x\.ipynb"):
        notebooks.strip(tmp_path / "00_x.ipynb")


def test_strip_removes_the_traces_and_nothing_else(tmp_path: Path) -> None:
    notebook = sound()
    wanted = nbformat.writes(notebook)
    injected = code('profile = "quick"', 2, "injected-parameters")
    notebook.cells.insert(2, injected)
    for count, cell in enumerate(notebook.cells[3:], start=3):
        cell.execution_count = count
    for cell in notebook.cells:
        cell.metadata["papermill"] = {"start_time": "2024-01-01", "duration": 0.1}
        cell.metadata["execution"] = {"iopub.execute_input": "2024-01-01"}
    notebook.cells[3].outputs[0].text = "4"
    notebook.cells[3].outputs.append(v4.new_output("stream", name="stdout", text="2\n"))
    notebook.cells[3].outputs.append(
        v4.new_output("display_data", data={notebooks.WIDGET: {}, "text/plain": "Box()"})
    )
    notebook.metadata["papermill"] = {"input_path": "/srv/user/x.ipynb"}
    notebook.metadata["kernelspec"] = {"name": "mine", "display_name": "Mine"}
    notebook.metadata["language_info"] = {"name": "python", "version": "3.11.7"}
    notebook.metadata["widgets"] = {}
    path = save(notebook, tmp_path)
    notebooks.strip(path)
    once = path.read_text(encoding="utf-8")
    assert once == wanted + "\n"
    notebooks.strip(path)
    assert path.read_text(encoding="utf-8") == once


def test_strip_hides_neither_order_nor_warnings() -> None:
    notebook = sound()
    notebook.cells[2].execution_count = 7
    notebook.cells[2].outputs.append(v4.new_output("stream", name="stderr", text="late"))
    cell = notebooks.stripped(notebook).cells[2]
    assert cell.execution_count == 7
    assert cell.outputs[1].name == "stderr"


def test_external_names_follow_the_state_of_the_kernel() -> None:
    known = ["stem/a.xyz", "aet/b.xyz", "c.xyz"]
    cells = [
        v4.new_markdown_cell("c.xyz"),
        code('x = read("stem/a.xyz")', 1, "external-data"),
        code("print(x)", 2, "external-data"),
        code('print(x, read("aet/b.xyz"))', 3, "external-data"),
        code("print(1)", 4),
    ]
    notebook = v4.new_notebook(cells=cells)
    names = [external_names(notebook, n, known) for n in range(4)]
    assert names == [["stem/a.xyz"], ["stem/a.xyz"], ["stem/a.xyz", "aet/b.xyz"], []]


def test_external_cell_without_a_name_needs_all() -> None:
    notebook = v4.new_notebook(cells=[code("print(x)", 1, "external-data")])
    assert external_names(notebook, 0, ["a", "b"]) == ["a", "b"]


# --- nbval -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def external() -> tuple[str, int]:
    """Return name and size in bytes of a small external file."""
    table = storage.registry().sort_values("bytes")
    return str(table.index[0]), int(table["bytes"].iloc[0])


def nbval(notebook: Any, folder: Path, data: Path) -> subprocess.CompletedProcess[str]:
    """Run nbval over one notebook with the project's settings."""
    shutil.copy(paths.NOTEBOOKS / "conftest.py", folder)
    save(notebook, folder)
    environment = os.environ | {
        "ARISE_DATA_DIR": str(data),
        "PYTHONPATH": os.pathsep.join([str(paths.ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", "-v", "."]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def external_notebook(name: str, stored: str) -> Any:
    """Make a notebook with a cell on external data that prints 1, and one after it that prints 2.

    The stored outputs are those given, and 2.
    """
    cells = [
        code("import sys", 1),
        code(f'name = "{name}"\nprint(1)', 2, "external-data", text=stored),
        code("print(2)", 3, text="2\n"),
        code("print(sys.executable)", 4, text=sys.executable + "\n"),
        code("print(object())", 5, text="<object object at 0x7f0000000000>\n"),
    ]
    return v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "nowhere", "display_name": "Nowhere"}}
    )


def test_nbval_fails_at_an_altered_number(tmp_path: Path, external: tuple[str, int]) -> None:
    """With the data there, a cell on external data is compared like any other."""
    name, size = external
    present = tmp_path / "data" / name
    present.parent.mkdir(parents=True)
    present.write_bytes(bytes(size))
    result = nbval(external_notebook(name, "9\n"), tmp_path, tmp_path / "data")
    assert result.returncode == 1
    assert "1 failed, 4 passed" in result.stdout
    assert re.search(r"Cell 1\W.*FAILED", result.stdout)
    assert "not compared" not in result.stdout


def test_nbval_runs_but_does_not_compare_without_data(
    tmp_path: Path, external: tuple[str, int]
) -> None:
    notebook = external_notebook(external[0], "9\n")
    result = nbval(notebook, tmp_path, tmp_path)
    assert result.returncode == 0, result.stdout
    assert "5 passed" in result.stdout
    assert "external data absent: run, but not compared" in result.stdout
    assert "00_x.ipynb Cell 1" in result.stdout


def test_nbval_fails_without_data_where_it_should(
    tmp_path: Path, external: tuple[str, int]
) -> None:
    """An exception in a cell on external data fails, and so does a number in the cell after it."""
    notebook = external_notebook(external[0], "9\n")
    notebook.cells[1].source += "\nraise ValueError"
    notebook.cells[2].outputs[0].text = "3\n"
    result = nbval(notebook, tmp_path, tmp_path)
    assert "2 failed, 3 passed" in result.stdout, result.stdout


def test_what_reproduce_stores_passes_structure_tests_and_nbval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    """Numbers, a table, a figure, an xarray form, a bar and low-level noise: stored, compared."""
    sources = [
        "import os, time\nimport numpy as np\nimport pandas as pd\nimport xarray as xr",
        "import matplotlib.pyplot as plt\nfrom arise_lib.storage.parallel import bar",
        "print(sum(bar(range(4))), profile)\n_ = os.write(1, b'noise'), os.write(2, b'noise')",
        "pd.DataFrame({'a': [0.1, 0.2]})",
        "pd.DataFrame({'a': [0.1]}).style.format('{:.2f}')",
        "xr.DataArray(np.arange(3), dims='x')",
        "plt.figure(figsize=(2, 1))\nplt.plot([0, 1])\nplt.show()",
        "print(f'took {time.perf_counter():.3f} s')",
    ]
    notebook = sound()
    notebook.cells[2:3] = [v4.new_code_cell(source) for source in sources]
    path = save(notebook, tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(paths.ROOT))
    (outcome,) = runner.run(keep=True, folder=tmp_path, build=tmp_path / "build")
    assert outcome.message == ""
    # A kernel that is shut down while it is between two messages says that it was interrupted.
    shut_down = "[IPKernelApp] ERROR | KeyboardInterrupt caught in kernel.\n"
    assert capfd.readouterr().err.replace(shut_down, "") == "noise"
    assert problems(path) == []
    result = nbval(notebooks.read(path), tmp_path, tmp_path)
    assert "10 passed" in result.stdout, result.stdout


def test_sanitising_leaves_results_alone() -> None:
    patterns = get_sanitize_patterns((paths.ROOT / "tests" / "nbval_sanitize.cfg").read_text())
    assert len(patterns) == 4
    for text in ["graphene 97.31 %", "16.0 Å, 7968 boxes", "0.25 s", json.dumps({"a": 1e-7})]:
        changed = text
        for regex, replacement in patterns:
            changed = re.sub(regex, replacement, changed)
        assert changed == text


def test_scorecard_of_notebook_00_is_that_of_the_recorded_results() -> None:
    """Its cells are not compared by nbval, since notebook 00 runs before the others."""
    cells = notebooks.read(paths.NOTEBOOKS / "00_start_here.ipynb").cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    html = "".join(output.get("data", {}).get("text/html", "") for output in outputs)
    rows = re.findall(r"<tr>\s*<th>([^<]*)</th>(.*?)</tr>", html, re.DOTALL)
    shown = {key: re.findall(r"<td>(.*?)</td>", row) for key, row in rows}
    table = compendium.scorecard("quick")
    again = "`arise reproduce --only 00 --store`"
    assert [key for key in shown if key in table.index] == list(table.index), again
    verdict, network = (list(table.columns).index(name) for name in ("verdict", "network"))
    for key, row in table.iterrows():
        assert float(shown[key][0]) == pytest.approx(row["ours"], abs=0.005, nan_ok=True), key
        assert shown[key][verdict] == row["verdict"], f"{key}: {again}"
        assert shown[key][network] == row["network"], f"{key}: {again}"
