"""Formats that are left to ASE, each guarded where its reader trusts the file."""

from __future__ import annotations

import io
import os
import re
import tempfile
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols
from ase.io import read
from ase.io.trajectory import TrajectoryReader

from arise_lib.errors import InputError
from arise_lib.structures.reading.files import Content
from arise_lib.structures.reading.frames import Choices, Frame, Reading


class _Text(io.StringIO):
    """A text that ASE takes for a file with no others beside it."""

    name = f"{os.devnull}/file"


@dataclass(frozen=True)
class Guard:
    """What must be true of a file before and after ASE reads it.

    Attributes
    ----------
    ase : str
        ASE's name of the format.
    count : str
        Regular expression whose group is the declared number of atoms.
    """

    ase: str
    count: str


GUARDS = {
    "cfg": Guard("cfg", r"^\s*Number of particles\s*=\s*([0-9]+)"),
    "cube": Guard("cube", r"\A[^\n]*\n[^\n]*\n\s*-?([0-9]+)"),
    "espresso-in": Guard("espresso-in", r"\bnat\s*=\s*([0-9]+)"),
    "espresso-out": Guard("espresso-out", r"number of atoms/cell\s*=\s*([0-9]+)"),
    "gen": Guard("gen", r"\A\s*([0-9]+)"),
    "vasp-out": Guard("vasp-out", r"\bNIONS\s*=\s*([0-9]+)"),
    "vasp-xml": Guard("vasp-xml", r"<atoms>\s*([0-9]+)\s*</atoms>"),
}


def read_with_ase(guard: Guard, content: Content, choices: Choices) -> list[Reading]:
    """Read all frames of a text file with ASE; its readers fail in ways of their own."""
    place, text = content.place, content.text
    match = re.search(guard.count, text, re.MULTILINE)
    if match is None:
        raise InputError(f"{place} cannot be read as {guard.ase}: it states no number of atoms")
    declared = int(match[1][:15])
    if not 0 < declared <= len(content.lines):
        raise InputError(
            f"{place}: {declared} atoms are declared in {len(content.lines)} lines; the file is "
            "truncated, or the count is wrong"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            images = read(_Text(text), index=":", format=guard.ase)
    except Exception as error:
        raise InputError(
            f"{place} cannot be read as {guard.ase} ({type(error).__name__}: {error}); check that "
            "the file is whole"
        ) from error
    images = images if isinstance(images, list) else [images]
    if not images:
        raise InputError(f"{place} ({guard.ase}) holds no structure; is it cut?")
    return [partial(_frame, place, guard.ase, image, declared, choices) for image in images]


def read_traj(content: Content, choices: Choices) -> list[Reading]:
    """Find the frames of an ASE trajectory, which holds arrays and JSON, no objects."""
    place = content.place
    try:
        # Numpy reads arrays from files only; the last frame closes it.
        stream = tempfile.TemporaryFile()  # noqa: SIM115
        stream.write(content.raw)
        stream.seek(0)
        reader = TrajectoryReader(stream)
        n_frames = len(reader)
    except Exception as error:
        raise InputError(
            f"{place} cannot be read as traj ({type(error).__name__}: {error}); check that the "
            "file is whole"
        ) from error
    if not 0 < n_frames <= len(content.raw):
        raise InputError(f"{place} (traj) holds no structure; is it cut?")

    def reading(i: int, notes: list[str]) -> Frame:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = reader[i]
        except Exception as error:
            raise InputError(
                f"{place} cannot be read as traj, frame {i} ({type(error).__name__}: {error}); "
                "check that the file is whole"
            ) from error
        return _frame(place, "traj", image, None, choices, notes)

    return [partial(reading, i) for i in range(n_frames)]


def _frame(
    place: str,
    kind: str,
    image: Any,
    declared: int | None,
    choices: Choices,
    notes: list[str],
) -> Frame:
    """Take what matters of ASE's atoms."""
    if not isinstance(image, Atoms) or len(image) == 0:
        raise InputError(f"{place} ({kind}) holds no atom; a structure needs at least one")
    if declared is not None and len(image) != declared:
        raise InputError(
            f"{place}: {declared} atoms are declared, {len(image)} are there; the file is "
            "truncated, or the count is wrong"
        )
    if not ((image.numbers >= 0) & (image.numbers < len(chemical_symbols))).all():
        raise InputError(f"{place} ({kind}) holds atomic numbers beyond 0 to 118; correct the file")
    labels = image.get_chemical_symbols()
    known = {s: choices.chosen(atomic_numbers[s], s) for s in dict.fromkeys(labels)}
    atomic = [known[s] for s in labels]
    bad = next((s for s, n in zip(labels, atomic, strict=True) if n < 1), None)
    if bad is not None and bad not in choices.ignore:
        raise InputError(f"{place} ({kind}) holds atoms of no element ({bad})")
    cell = np.asarray(image.cell.array, dtype=float)
    return Frame(labels, atomic, image.positions, cell, image.pbc.tolist())
