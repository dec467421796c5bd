"""Every number in the text of the notebooks and of README has a source, and agrees with it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from prose_numbers import CONSTANTS, Passage, documents, passages, problems, unbound


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.stem)
def test_bound_numbers_agree_with_their_source(document: Path) -> None:
    found = [problem for passage in passages(document) for problem in problems(passage)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.stem)
def test_every_number_has_a_source(document: Path) -> None:
    found = [
        f"{passage.document}, {passage.where}: '...{claim.before[-30:]}{claim.text}' has no "
        f"source: add '{claim.text}: ...' to its comment (CONTRIBUTING, 'A number in prose')"
        for passage in passages(document)
        for claim in unbound(passage)
    ]
    assert not found, "\n".join(found)


def test_every_constant_has_a_source() -> None:
    table = pd.read_csv(CONSTANTS)
    assert list(table.columns) == ["key", "value", "unit", "source"]
    assert table["key"].is_unique and not table.isna().any(axis=None)
    assert (table["source"].str.len() > 15).all()
    used = "".join(passage.text for document in documents() for passage in passages(document))
    assert [key for key in table["key"] if f'constant("{key}")' not in used] == []


def passage(text: str, *lines: str, outputs: str = "", code: str = "") -> Passage:
    comment = "\n\n<!-- numbers\n" + "\n".join(lines) + "\n-->"
    return Passage("x.ipynb", "cell 2", text + comment, outputs, code)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It has 99.4 % and 1,368 of 2,178.", ["99.4", "1,368", "2,178"]),
        ("98 to 99 %, below 1e-5, at −10 °C", ["98", "99", "1e-5", "−10"]),
        ("a tenth; Fig. 3a, Figs. 2b and 3c, Supplementary Tables 2 and 3", []),
        ("notebooks 02, 06 and 07; Notebook 01; in 2021, [Yang et al. (2017)](a/12.html)", []),
        ("L1_2, hP4, 2D, x86-64, 316-256-108, release 2.0.2, Python 3.11, 3.12 or 3.13", []),
        ("`12 in code`, $13$ and\n```\n14\n```\n[15](https://x.org/16)", ["15"]),
        ("*Nat. Commun.* **12**, 6234 (2021)", []),
        ("1. first\n2. second, (1) and (2)", []),
        ("about 80/20 for 108", ["80", "108"]),
    ],
)
def test_what_is_a_number(text: str, numbers: list[str]) -> None:
    assert [claim.text for claim in Passage("x", "y", text).claims()] == numbers


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("some 40 s", "40: 39.2"),
        ("in 95 % of them", "95: 94.51"),
        ("1,368 atoms", "1,368: 1368"),
        ("108 classes", '108: quick("dataset.classes")'),
        ("99.29 % in the paper", '99.29: paper("table2.arise.d4")'),
        ("11 %", "11: 100 * (1 - 0.99**12)"),
        ("1,000 passes", '1,000: library("bayes.inference.N_PASSES")'),
        ("it is 0.30 bit", '0.30: shown("wrong answers {} bit")'),
        ("a tenth, 10 %", '10: 100 * code("remove_atoms(nickel, {},")'),
    ],
)
def test_what_agrees(text: str, line: str) -> None:
    seen = {
        "outputs": "right 0.01 bit, wrong answers 0.3 bit",
        "code": "remove_atoms(nickel, 0.10, 1)",
    }
    assert problems(passage(text, line, **seen)) == []


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("40 s", "40: 39.2", "'... 40' is bound to 39.2 = 39.2: mend the text"),
        ("some 40 s", "40: 46", "= 46: mend the text"),
        ("has 109 classes", '109: quick("dataset.classes")', "'... has 109' is bound to quick"),
        ("108 classes", '108: quick("dataset.kinds")', "which fails (KeyError: 'dataset.kinds')"),
        ("108 classes", '109: quick("dataset.classes")', "109 is bound, but not in the text"),
        ("0.30 bit", '0.30: shown("wrong {} bit")', "no output has 'wrong {} bit'"),
        ("0.3 bit", '0.3: shown("{} bit")', "no output is alone with it: ['0.01', '0.30']"),
        ("7 rows", '7: open("x")', "which fails (NameError"),
    ],
)
def test_what_does_not_agree_is_told(text: str, line: str, message: str) -> None:
    seen = {"outputs": "right 0.01 bit, wrong answers 0.30 bit"}
    (problem,) = problems(passage(text, line, **seen))
    assert problem.startswith("x.ipynb, cell 2: ") and message in problem


def test_a_number_without_a_line_is_unbound() -> None:
    assert [claim.text for claim in unbound(passage("5 of 7", "5: 5"))] == ["7"]
