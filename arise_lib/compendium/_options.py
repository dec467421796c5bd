"""Commands and options of the command line, and what their values may be."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ase.io.formats import string2index

from arise_lib.compendium.profiles import PROFILES

# A slice that begins before the end, such as -3: or -10:-1:2.
_FROM_THE_END = re.compile("-[0-9]+:[-0-9:]*")


def joined(arguments: Sequence[str]) -> list[str]:
    """Join an option with a slice after it; argparse takes -3: for another option.

    Parameters
    ----------
    arguments : sequence of str
        Of the command line.

    Returns
    -------
    list of str
        For the parser.

    Examples
    --------
    >>> from arise_lib.compendium._options import joined
    >>> joined(["classify", "run.xyz", "--index", "-3:", "--json"])
    ['classify', 'run.xyz', '--index=-3:', '--json']
    """
    made: list[str] = []
    for word in arguments:
        if _FROM_THE_END.fullmatch(word) and made and re.fullmatch("--[a-z-]+", made[-1]):
            made[-1] += f"={word}"
        else:
            made.append(word)
    return made


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line.

    Returns
    -------
    argparse.ArgumentParser
        Its result holds the name of the command as ``command``.
    """
    made = argparse.ArgumentParser(
        prog="arise",
        description="Recognise and analyse crystal structures by Bayesian deep learning.",
    )
    commands = made.add_subparsers(required=True, dest="command", metavar="COMMAND")

    add = commands.add_parser("reproduce", help="run the notebooks in order")
    add.add_argument("--profile", choices=PROFILES, default="quick", help="amount of work (quick)")
    add.add_argument("--only", nargs="+", default=[], metavar="NN", help="numbers or names")
    add.add_argument("--resume", action="store_true", help="leave out what is done and unchanged")
    add.add_argument("--keep-going", action="store_true", help="go on after a notebook that failed")
    add.add_argument(
        "--store", action="store_true", help="put the stripped outputs of quick into notebooks/"
    )

    add = commands.add_parser("classify", help="recognise the structures in files")
    add.add_argument("files", nargs="+", metavar="FILE", help="- is standard input")
    _add_reading(add)
    add.add_argument("--network", metavar="NAME", help="network in place of the released one")
    add.add_argument("--passes", type=_count, metavar="T", help="stochastic passes")
    add.add_argument(
        "--tolerance", type=_bits, metavar="E", help="stop once the uncertainty is known to E bit"
    )
    add.add_argument("--top", type=_count, default=5, metavar="N", help="classes shown (5)")
    add.add_argument("--json", action="store_true", help="a JSON record for each file, one a line")
    add.add_argument("--local", action="store_true", help="slide a box over the sample")
    add.add_argument("--box", type=_length, metavar="B", help="edge of the box in Å (16)")
    add.add_argument("--stride", type=_length, metavar="S", help="step in Å (a quarter of the box)")
    add.add_argument(
        "--padding", type=_share, metavar="P", help="boxes beyond a free surface, in boxes (0.5)"
    )
    add.add_argument(
        "--output", type=Path, metavar="FILE", help="maps of --local go there: .nc or .npz"
    )
    add.add_argument(
        "--atoms",
        type=Path,
        metavar="FILE",
        help="label each atom by its neighbourhood; written there: .xyz or .dump",
    )
    add.add_argument("--n-atoms", type=_count, metavar="N", help="atoms of a neighbourhood (100)")
    add.add_argument(
        "--every",
        type=_count,
        metavar="K",
        help="label every K-th atom, and give the others the answer of the nearest of them",
    )

    add = commands.add_parser("fetch", help="bring external data into the cache")
    add.add_argument("names", nargs="*", metavar="NAME")
    add.add_argument("--all", action="store_true", help="everything in the registry")
    add.add_argument("--list", action="store_true", help="show the registry and what is there")
    return made


def _add_reading(command: argparse.ArgumentParser) -> None:
    """Add how files are read."""
    add = command.add_argument_group("reading").add_argument
    add(
        "--index",
        type=_index,
        default=-1,
        metavar="I",
        help="frame of a trajectory (the last one), or several, :, -3: or ::10, a line for each",
    )
    add("--format", metavar="NAME", help="format of the files, told by their content otherwise")
    add("--types", type=_types, metavar="1=Fe,2=Fe", help="elements that types or labels stand for")
    add("--one-species", action="store_true", help="take all atoms as of one species")
    add("--ignore", type=_names, default=(), metavar="Ag,O", help="leave these species out")
    add(
        "--occupancy",
        choices=("major", "all", "full", "refuse"),
        default="major",
        help="what becomes of partly occupied sites (major)",
    )


def _types(text: str) -> dict[int | str, str]:
    pairs = [[word.strip() for word in part.split("=")] for part in text.split(",")]
    if not all(len(pair) == 2 and all(pair) for pair in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form 1=Fe,2=Fe")
    if len({a for a, _ in pairs}) < len(pairs):
        raise argparse.ArgumentTypeError(f"{text!r} names a type twice")
    return {int(a) if a.isdecimal() else a: b for a, b in pairs}


def _index(text: str) -> int | slice:
    with suppress(ValueError):
        found = string2index(text)
        if isinstance(found, int | slice):
            return found
    raise argparse.ArgumentTypeError(f"{text!r} is no index: 3, -1, ::10 and : are allowed")


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 up")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return int(text)


def _length(text: str) -> float:
    return _positive(text, "length in Å")


def _bits(text: str) -> float:
    return _positive(text, "number of bits")


def _positive(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive {what}")
    return value
