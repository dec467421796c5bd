"""Write what became of the files that were made after public bug reports.

    .venv/bin/python tools/table_of_reports.py
    .venv/bin/python tools/table_of_reports.py --classify FOLDER --network robust

The first reads every file of ``tests/data/cases`` and compares with ``tests/data/cases.tsv``, where
the right value of each is stated; it writes ``tests/data/reports.md``, a row for each report of
``tests/data/reports.tsv``. The second prints the answer to each structure file of a folder, with
what makes it doubtful.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd
import spglib
from ase import Atoms

from arise_lib.errors import AriseError, InputError
from arise_lib.structures.reading import read_source

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"
OUTCOMES = ("right", "warned", "refused", "wrong")


def table(name: str) -> pd.DataFrame:
    """Read a table of ``tests/data``; an empty cell is an empty string."""
    return pd.read_csv(DATA / name, sep="\t", dtype=str, keep_default_na=False)


def group(atoms: Atoms) -> str:
    """Return the number of the space group that spglib finds; a dash where there is none."""
    try:
        cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(spglib.get_symmetry_dataset(cell, symprec=0.05).number)
    except (AttributeError, np.linalg.LinAlgError, spglib.error.SpglibError):
        return "-"


def outcome(case: pd.Series) -> str:
    """Read a file and say which of `OUTCOMES` it is."""
    right, warned, refused, wrong = OUTCOMES
    path = DATA / "cases" / case["file"]
    try:
        source = read_source(path)
    except InputError as error:
        expected = case["format"] == "refused" and case["says"] in str(error)
        return refused if expected else wrong
    atoms = source.atoms
    found = (
        source.format,
        atoms.get_chemical_formula("metal"),
        f"{source.frame}/{source.n_frames}",
        "".join("FT"[int(flag)] for flag in atoms.pbc),
        group(atoms) if atoms.pbc.all() else case["group"],
    )
    stated = tuple(case[["format", "formula", "frame", "periodic", "group"]])
    if found != stated or bool(source.notes) != bool(case["says"]):
        return wrong
    return warned if source.notes else right


def rows(reports: pd.DataFrame, outcomes: pd.Series) -> list[list[str]]:
    """Return a row for each report, with the outcomes of its files counted."""
    made = []
    for report in reports.itertuples():
        patterns = report.files.split()
        own = [name for name in outcomes.index if any(fnmatch(name, p) for p in patterns)]
        counts = Counter(outcomes[own])
        now = ", ".join(f"{counts[kind]} {kind}" for kind in OUTCOMES if counts[kind])
        made.append([report.id, report.source, report.input, report.before, str(len(own)), now])
    return made


def page() -> str:
    """Return the page as Markdown."""
    cases = table("cases.tsv")
    outcomes = pd.Series([outcome(case) for _, case in cases.iterrows()], index=cases["file"])
    head = ["id", "report", "input", "before", "files", "now"]
    lines = [
        "# Files made after public bug reports, and what is read from them",
        "",
        "Written by `tools/table_of_reports.py`. The right value of each file stands in "
        "`cases.tsv`: *right* are files whose format, formula, frame, periodicity and space group "
        "are as stated, *warned* those that are right with a note of what had to be decided, "
        "*refused* those that should be, with the message that is wanted; all others would be "
        "*wrong*.",
        "",
        *("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head))),
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows(table("reports.tsv"), outcomes)]
    counts = Counter(outcomes)
    total = ", ".join(f"{counts[kind]} {kind}" for kind in OUTCOMES)
    return "\n".join([*lines, "", f"All {len(cases)} files: {total}."]) + "\n"


def answers(folder: Path, network: str) -> None:
    """Print the answer to each file of a folder."""
    from arise_lib.recognition import classify

    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", UserWarning)
                found = classify(path, network=network)
        except AriseError as error:
            print(f"{path.name}: refused: {error}")
            continue
        doubts = "; ".join(str(warning.message) for warning in caught)
        probability, information = found.probabilities[0], found.mutual_information
        answer = f"{found.label} {100 * probability:.1f} %, {information:.3f} bit"
        print(f"{path.name}: {answer}{f' (warned: {doubts})' if doubts else ''}", flush=True)


def main() -> None:
    """Write the page, or print answers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--classify", type=Path, metavar="FOLDER")
    parser.add_argument("--network", default="robust")
    options = parser.parse_args()
    if options.classify:
        answers(options.classify, options.network)
    else:
        (DATA / "reports.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
