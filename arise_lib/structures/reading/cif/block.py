"""Blocks of a CIF as frames."""

from __future__ import annotations

import re
from functools import partial

import gemmi

from arise_lib.errors import InputError
from arise_lib.structures.reading.cif.expansion import check_named_group, decide
from arise_lib.structures.reading.cif.occupancy import occupy
from arise_lib.structures.reading.cif.sites import cell_of, sites_of
from arise_lib.structures.reading.cif.symmetry import symmetries
from arise_lib.structures.reading.cif.tags import Tags, tags_of
from arise_lib.structures.reading.files import Content
from arise_lib.structures.reading.frames import Choices, Frame, Reading


def read_cif(content: Content, choices: Choices) -> list[Reading]:
    """Find the blocks of a CIF that hold positions of atoms."""
    try:
        document = gemmi.cif.read_string(content.text)
    except (RuntimeError, ValueError, IndexError) as error:
        # The parser names the string, not the file.
        reason = re.sub(r"^string:", "line ", str(error).partition("\n")[0])
        raise InputError(f"{content.place} cannot be read as CIF ({reason})") from error
    readings: list[Reading] = []
    for block in document:
        tags = tags_of(block)
        if "_atom_site_fract_x" in tags or "_atom_site_cartn_x" in tags:
            readings.append(partial(_block, content.place, tags, choices))
    if not readings:
        raise InputError(
            f"{content.place} cannot be read as CIF: no block holds positions of atoms"
        )
    return readings


def _block(place: str, tags: Tags, choices: Choices, notes: list[str]) -> Frame:
    """Read one block."""
    cell = cell_of(place, tags)
    sites = sites_of(place, tags, cell, choices, notes)
    if cell is None:
        return Frame(
            [site.label for site in sites],
            [site.number for site in sites],
            [site.position for site in sites],
            None,
            [False] * 3,
        )
    symmetry, expanded = decide(
        place, tags, cell, sites, symmetries(place, tags, cell, notes), choices, notes
    )
    if expanded.moved > 0.1:
        notes.append(
            f"{place}: images of a site up to {expanded.moved:.2g} Å apart were taken as one atom "
            "on a special position"
        )
    if symmetry.listed:
        check_named_group(place, tags, cell, sites, expanded, symmetry, notes)
    owners, positions = occupy(
        place, sites, expanded.owners, expanded.positions, cell, choices, notes
    )
    labels = [sites[i].label for i in owners]
    return Frame(labels, [sites[i].number for i in owners], positions @ cell, cell, [True] * 3)
