"""The command ``classify``: files in, answers out, one file after the other."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from arise_lib.compendium._messages import about, complain, short_of_memory
from arise_lib.compendium._samples import atom_by_atom, box_by_box, number, numbers
from arise_lib.errors import AriseError, InputError
from arise_lib.structures.checks import check_atoms, doubts
from arise_lib.structures.reading import described, read_frames, read_source
from arise_lib.structures.writing import check_ending

if TYPE_CHECKING:
    from ase import Atoms

    from arise_lib.recognition import Prediction

#: Structures that are read before the passes are made, which they share. Of a thousand files the
#: first answers come after a quarter.
LOT = 256

_WIDTH = 24  # of a class in a table of frames


@dataclass
class _Item:
    """One structure of one file, or the reason why there is none."""

    file: str
    read: str = ""
    frame: int | None = None
    atoms: Atoms | None = None
    error: str = ""
    answer: dict[str, Any] | None = None

    def record(self) -> dict[str, Any]:
        """Return what is said of it."""
        frame = {} if self.frame is None else {"frame": self.frame}
        if self.error:
            return {"file": self.file, **frame, "error": self.error}
        return {"file": self.file, **frame, "read": self.read, **(self.answer or {})}


def classify(options: argparse.Namespace) -> int:
    """Recognise the structures in files and print what was found.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command ``classify``.

    Returns
    -------
    int
        0, or 1 if something could not be answered; the rest was.
    """
    _check(options)
    chosen = {name: getattr(options, name) for name in ("network", "passes", "tolerance")}
    settings = {name: value for name, value in chosen.items() if value is not None}
    alone = box_by_box if options.local else atom_by_atom if options.atoms else None
    failed, header = False, ""
    items = _items(options)
    while lot := list(islice(items, LOT if alone is None else 1)):
        if alone is None:
            _whole([item for item in lot if not item.error], settings)
        else:
            for item in lot:
                with _reported(item):
                    if item.atoms is not None:
                        item.answer = alone(item.atoms, options, settings)
        for item in lot:
            failed = failed or bool(item.error)
            if options.json:
                record = json.dumps(item.record(), ensure_ascii=False, allow_nan=False)
                print(record, flush=True)
            elif not item.error:
                if item.frame is not None and item.file != header:
                    header = item.file
                    print(header)
                print(_text(item, options.top), flush=True)
    return int(failed)


def _check(options: argparse.Namespace) -> None:
    """Refuse options that do not fit together."""
    of_local = (options.box, options.stride, options.output, options.padding)
    if not options.local and any(option is not None for option in of_local):
        raise InputError(
            "--box, --stride, --padding and --output belong to --local: add it or drop them"
        )
    of_atoms = (options.n_atoms, options.every)
    if not options.atoms and any(option is not None for option in of_atoms):
        raise InputError("--n-atoms and --every belong to --atoms: add it or drop them")
    if options.atoms and options.local:
        raise InputError("--atoms and --local are two kinds of answers: drop one of them")
    if options.output and len(options.files) > 1:
        raise InputError("--output takes the maps of one file: give one file only")
    if options.output and options.output.suffix not in (".nc", ".npz"):
        raise InputError(f"maps are written as .nc or .npz, not as {options.output.name!r}")
    if options.atoms:
        check_ending(options.atoms)
    if options.atoms and len(options.files) > 1:
        raise InputError("--atoms takes the answers of one file: give one file only")
    if isinstance(options.index, slice) and (options.local or options.atoms):
        raise InputError("--local and --atoms answer for one frame: give its number as --index")


def _items(options: argparse.Namespace) -> Iterator[_Item]:
    """Read the files one after the other; what cannot be read does not stop the others."""
    for file in options.files:
        if isinstance(options.index, slice):
            yield from _frames(file, options)
            continue
        item = _Item(file)
        with _reported(item):
            source = read_source(_opened(file), options.index, **_reading(options))
            for note in source.notes:
                complain(f"warning: {about(file, note)}")
            item.read, item.atoms = str(source), source.atoms
            _doubt(item.atoms)
        yield item


def _frames(file: str, options: argparse.Namespace) -> Iterator[_Item]:
    """Read frames of a file; the first that cannot be read ends them."""
    last = _Item(file)
    frames: Iterator[tuple[int, Atoms]] = iter(())
    with _reported(last):
        frames = read_frames(_opened(file), options.index, **_reading(options))
    while not last.error:
        item = _Item(file)
        with _reported(item):
            found = next(frames, None)
            if found is None:
                return
            item.frame, item.atoms = found
            item.read = described(item.atoms)
            _doubt(item.atoms)
        if item.frame is None:
            last = item
        else:
            yield item
    yield last


def _doubt(atoms: Atoms) -> None:
    """Refuse what is no structure, and say what makes an answer doubtful."""
    check_atoms(atoms)
    for doubt in doubts(atoms):
        warnings.warn(doubt, stacklevel=2)


def _opened(file: str) -> Any:
    return sys.stdin.buffer if file == "-" else file


def _reading(options: argparse.Namespace) -> dict[str, Any]:
    names = ("format", "types", "one_species", "ignore", "occupancy")
    return {name: getattr(options, name) for name in names}


@contextmanager
def _reported(item: _Item) -> Iterator[None]:
    """Report what is warned of, and what cannot be done, with the name of the file."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            try:
                yield
            finally:
                for warning in caught:
                    complain(f"warning: {_placed(item, warning.message)}")
    except (AriseError, OSError) as error:
        item.error = str(error)
    except MemoryError as error:
        item.error = short_of_memory(error)
    if item.error:
        complain(_placed(item, item.error))


def _placed(item: _Item, message: object) -> str:
    """Put file and frame before a message that does not name them."""
    frame = "" if item.frame is None else f"frame {item.frame}: "
    return about(item.file, f"{frame}{message}")


def _whole(items: Sequence[_Item], settings: dict[str, Any]) -> None:
    """Recognise structures, which share the passes; halves, where one of them cannot be."""
    from arise_lib.recognition import classify_all

    structures = [item.atoms for item in items if item.atoms is not None]
    if not items:
        return
    if len(items) == 1:
        with _reported(items[0]):
            items[0].answer = _prediction(classify_all(structures, **settings)[0])
        return
    try:
        found = classify_all(structures, **settings)
    except (InputError, MemoryError):
        half = len(items) // 2
        _whole(items[:half], settings)
        _whole(items[half:], settings)
        return
    for item, prediction in zip(items, found, strict=True):
        item.answer = _prediction(prediction)


def _prediction(prediction: Prediction) -> dict[str, Any]:
    return {
        "n_atoms": int(prediction.n_atoms),
        "classes": list(prediction.classes),
        "probabilities": numbers(prediction.probabilities),
        "mutual_information": number(prediction.mutual_information),
        "novelty": number(prediction.novelty),
    }


def _text(item: _Item, top: int) -> str:
    """Return an answer in words: a table of classes, or one line for a frame of several."""
    record = item.record()
    values = record["shares" if "shares" in record else "probabilities"]
    uncertainty = record["mutual_information"]
    text = "undefined" if uncertainty is None else f"{uncertainty:.4f} bit"
    if record.get("novelty") is not None:
        text += f", novelty {record['novelty']:.3f}"
    if item.frame is not None:
        label = f"{record['classes'][0]:<{_WIDTH}}"
        return f"  frame {item.frame:<6d} {label} {_percent(values[0])}  {text}  {item.read}"
    lines = [record["read"]]
    if "boxes" in record:
        lines.append(
            f"  {record['filled_boxes']} of {record['boxes']} boxes of {record['box']:g} Å"
        )
    if "written" in record:
        lines.append(f"  {record['labelled']} atoms labelled, written to {record['written']}")
    lines.append(f"  {'mean ' if 'shares' in record else ''}mutual information {text}")
    width = max(map(len, record["classes"][:top]), default=0)
    for rank, (label, value) in enumerate(zip(record["classes"], values, strict=True), start=1):
        if rank > top:
            break
        lines.append(f"  {rank:3d}  {label:<{width}}  {_percent(value)}")
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:7.2f} %"
