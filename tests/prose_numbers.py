"""Numbers in prose, each bound to where it comes from.

A reader sees nothing of it: at the end of a markdown cell, or of a section of README, stands a
comment with one line for each number of the text,

    <!-- numbers
    89: quick("table2.ptm.m1")
    11: 100 * (1 - 0.99**12)
    -->

The number is written as in the text, and the expression right of it must round to it. What is in
reach of an expression is listed in `Sources`.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import tolerances

from arise_lib import network
from arise_lib.baselines import COLUMNS, METHODS
from arise_lib.compendium import contents, notebooks
from arise_lib.storage import paths
from arise_lib.structures import prototypes

CONSTANTS = paths.ROOT / "tests" / "data" / "constants.csv"

_COMMENT = re.compile(r"<!-- numbers\n(.*?)-->", re.DOTALL)
_NUMBER = r"[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?"
# Part of a name (L1_2, hP4, 2D, x86-64), a version (2.0.2) or a chain (256-512) is no number.
_CLAIM = re.compile(rf"(?<![\w.,\-/⁻])(?:{_NUMBER})(?![\w⁻]|[.,-]\d)")
_ONE = r"\**\d+(?:\.\d+)?[a-z]?\**"
_TOLERATED = [
    re.compile(pattern, re.MULTILINE | re.DOTALL)
    for pattern in (
        rf"{contents.FIRST}.*?{contents.LAST}",
        r"<!--.*?-->",
        r"```.*?```",
        r"`[^`]*`",
        r"\$\$.*?\$\$",
        r"\$[^$\n]*\$",
        r"\]\([^)]*\)",
        r"https?://\S+",
        r"</?\w[^>]*>",
        r"^#+ \d\d[a-z]? · ",
        r"\[0\d[a-z]? ",
        r"^\s*\d+\. ",
        r"(?<!\w)\(\d\)",
        # Volume and page, year, version.
        r"\*\*\d+\*\*, S?\d+",
        r"(?<![\d.,])(?:19|20)\d\d(?![\d.,]*\d)",
        r"\d+(?:\.\d+){2,}",
        r"\b(?:[Nn]otebooks?|Figs?\.|Tables?|Notes?|Sections?|Python|glibc)\s+"
        rf"{_ONE}(?:(?:, | and | or | to |, and |–){_ONE})*",
        r"\bZen \d",
        r"Solution of \d",
        # A notebook by its number alone, as in a table.
        r"(?<![\w.,])0\d(?![\w.])",
        r"CC BY \d\.\d",
        r"\b10\.\d{4,}/\S+",
    )
]
_LOOSELY = re.compile(r"\b(?:some|about|nearly|around|roughly|almost)\s+$")


@dataclass(frozen=True)
class Claim:
    """One number in a text.

    Attributes
    ----------
    text : str
        As written.
    before : str
        The words before it.
    loosely : bool
        Whether it says "about": then the zeros at its end are not digits that must be right.
    """

    text: str
    before: str
    loosely: bool

    def agrees(self, value: float) -> bool:
        """Tell whether a value reads as this number."""
        plain = self.text.replace(",", "").replace("−", "-")
        mantissa, _, power = plain.partition("e")
        digits = len(mantissa.partition(".")[2])
        if self.loosely and not digits:
            digits = len(mantissa.rstrip("0")) - len(mantissa)
        unit = 10.0 ** (int(power or 0) - digits)
        return abs(value - float(plain)) <= 0.5 * unit * (1 + 1e-9)


@dataclass(frozen=True)
class Passage:
    """A piece of text with the numbers that it binds.

    Attributes
    ----------
    document : str
        File name.
    where : str
        Cell or section.
    text : str
        Markdown.
    outputs, code : str
        What the cells of the notebook show, and their code; empty for README.
    """

    document: str
    where: str
    text: str
    outputs: str = ""
    code: str = ""

    def claims(self) -> list[Claim]:
        """List the numbers that need a source."""
        plain = self.text
        for pattern in _TOLERATED:
            plain = pattern.sub(lambda match: " § " if match[0].strip() else " ", plain)
        return [
            Claim(match[0], plain[max(0, match.start() - 40) : match.start()].replace("\n", " "),
                  bool(_LOOSELY.search(plain[: match.start()])))
            for match in _CLAIM.finditer(plain)
        ]  # fmt: skip

    def bound(self) -> list[tuple[str, str]]:
        """List number and expression of each line of the comments."""
        lines = [line for body in _COMMENT.findall(self.text) for line in body.splitlines()]
        pairs = [line.partition(": ") for line in lines if line.strip()]
        return [(number.strip(), expression.strip()) for number, _, expression in pairs]


class Sources:
    """What an expression can ask for.

    Parameters
    ----------
    passage : Passage
        Whose outputs and code are searched.
    """

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    def names(self) -> dict[str, Any]:
        """Return the functions by their name in expressions."""
        own = (
            "quick", "bench", "paper", "cell", "facts", "constant", "library", "shown", "code",
            "ratio", "default", "memory", "tolerance", "classes", "method", "size", "card",
            "line", "lines",
        )  # fmt: skip
        return {name: getattr(self, name) for name in own} | {
            "__builtins__": {},
            "count": len,
        }

    def quick(self, key: str) -> float:
        """A number recorded by the notebooks, ``figures/results/quick.json``."""
        return float(_json(paths.RESULTS / "quick.json")[key])

    def bench(self, key: str) -> float:
        """A number measured by ``make bench``, ``figures/bench.json``."""
        return float(_json(paths.FIGURES / "bench.json")[key])

    def paper(self, key: str) -> float:
        """A number of the paper, ``data/paper``."""
        if key.startswith("table2."):
            _, method, column = key.split(".", 2)
            return float(_table(paths.PAPER / "table2.csv", 1).loc[(method,), column])
        return float(_table(paths.PAPER / "values.csv", 1).loc[(key,), "paper"])

    def cell(self, name: str, *row: str) -> float:
        """A cell of ``figures/NAME.csv``: the labels of its row, then its column."""
        *labels, column = row
        return float(_table(paths.FIGURES / f"{name}.csv", len(labels)).loc[tuple(labels), column])

    def facts(self, name: str, *row: str) -> float:
        """A cell of a table of the project, ``data/NAME.csv``, as `cell`."""
        *labels, column = row
        return float(_table(paths.DATA / f"{name}.csv", len(labels)).loc[tuple(labels), column])

    def card(self, name: str, key: str) -> Any:
        """What the card of a released network says."""
        return network.card(name)[key]

    def lines(self, name: str, **where: Any) -> pd.DataFrame:
        """Lines of a table of the project, ``data/NAME.jsonl``, in which some keys have a value."""
        table = pd.read_json(paths.DATA / f"{name}.jsonl", lines=True)
        for key, value in where.items():
            table = table[table[key] == value]
        return table

    def line(self, name: str, column: str, **where: Any) -> float:
        """A number in the only line of such a table."""
        return float(self.lines(name, **where)[column].item())

    def constant(self, key: str) -> float:
        """A number with a source outside of the project, ``tests/data/constants.csv``."""
        return float(_table(CONSTANTS, 1).loc[(key,), "value"])

    def library(self, name: str) -> Any:
        """A value of the library, such as a default."""
        module, _, attribute = name.rpartition(".")
        return getattr(import_module(f"arise_lib.{module}"), attribute)

    def default(self, name: str, parameter: str) -> Any:
        """The default of a parameter of a function of the library."""
        return inspect.signature(self.library(name)).parameters[parameter].default

    def shown(self, pattern: str) -> float:
        """A number that a cell of the same notebook shows: {} in words around it."""
        return _the_number(pattern, self._passage.outputs, "no output")

    def code(self, pattern: str) -> float:
        """A number in the code of the same notebook: {} in the code around it."""
        return _the_number(pattern, self._passage.code, "no code")

    def tolerance(self, name: str) -> float:
        """A tolerance of the tests, ``tests/tolerances.py``."""
        return float(getattr(tolerances, name))

    def ratio(self, column: str) -> float:
        """A ratio of defects in %, by the name of its column in Table 2."""
        if column not in COLUMNS:
            raise LookupError(f"no column {column!r} in Table 2")
        return float(column[1:])

    def memory(self, number: str) -> float:
        """Memory of a notebook in GB, ``notebooks/contents.csv``."""
        table = contents.contents()
        return float(table.loc[table.index.str.startswith(f"{number}_"), "memory"].item())

    def classes(self, family: str) -> float:
        """Number of classes of a family."""
        return float((prototypes.table()["family"] == family).sum())

    def method(self, key: str) -> float:
        """Number of classes that a method of the benchmark treats."""
        return float(len(METHODS[key].treats))

    def size(self, what: str) -> float:
        """A sum or count over the registry of external data: "bytes" or "files"."""
        table = pd.read_csv(paths.DATA / "registry.tsv", sep="\t", quoting=3)
        return float(table["bytes"].sum() if what == "bytes" else len(table))


def passages(document: Path) -> Iterator[Passage]:
    """Cut a document into passages.

    Parameters
    ----------
    document : pathlib.Path
        A notebook, or a file of markdown.

    Yields
    ------
    Passage
        Each cell of prose, or each section.
    """
    if document.suffix != ".ipynb":
        for section in re.split(r"(?m)^(?=##+ )", document.read_text(encoding="utf-8")):
            if section.strip():
                title = section.strip().partition("\n")[0].lstrip("# ")
                yield Passage(document.name, f"section {title!r}", section)
        return
    cells = notebooks.read(document).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    outputs = "\n".join(
        str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
        for cell in cells
        for output in cell.get("outputs", [])
    )
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type == "markdown":
            yield Passage(document.name, f"cell {number}", cell.source, outputs, code)


def problems(passage: Passage) -> list[str]:
    """List what is wrong with the numbers that a passage binds.

    Parameters
    ----------
    passage : Passage
        The text.

    Returns
    -------
    list of str
        One sentence for each finding.
    """
    claims: dict[str, list[Claim]] = {}
    for claim in passage.claims():
        claims.setdefault(claim.text, []).append(claim)
    here, found = f"{passage.document}, {passage.where}", []
    for number, expression in passage.bound():
        if number not in claims:
            found.append(f"{here}: {number} is bound, but not in the text: drop its line")
            continue
        try:
            value = float(eval(expression, Sources(passage).names()))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            found.append(f"{here}: {number} is bound to {expression}, which fails ({reason})")
            continue
        for claim in claims[number]:
            if not claim.agrees(value):
                words = " ".join(["...", *claim.before.split()[-4:], number])
                found.append(
                    f"{here}: '{words}' is bound to {expression} = {value:.6g}: "
                    "mend the text, or bind it to another source"
                )
    return found


def unbound(passage: Passage) -> list[Claim]:
    """List the numbers of a passage that have no source."""
    bound = {number for number, _ in passage.bound()}
    return [claim for claim in passage.claims() if claim.text not in bound]


def documents() -> list[Path]:
    """List what is read: README and all notebooks."""
    return [paths.ROOT / "README.md", *sorted(paths.NOTEBOOKS.glob("*.ipynb"))]


@cache
def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


@cache
def _table(path: Path, n_labels: int) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    labels = [tuple(row) for row in table.iloc[:, :n_labels].to_numpy()]
    return table.set_axis(pd.MultiIndex.from_tuples(labels), axis=0)


def _the_number(pattern: str, text: str, nowhere: str) -> float:
    """Find the one number that stands between given words, whatever the spaces."""
    pieces = [r"\s+".join(map(re.escape, piece.split())) for piece in pattern.split("{}")]
    before, after = (rf"\s*{piece}\s*" if piece else "" for piece in pieces)
    numbers = {match[1] for match in re.finditer(rf"{before}(?<![\d.])({_NUMBER}){after}", text)}
    if len(numbers) != 1:
        what = f"has {pattern!r}" if not numbers else f"is alone with it: {sorted(numbers)}"
        raise LookupError(f"{nowhere} {what}")
    return float(numbers.pop().replace(",", ""))
