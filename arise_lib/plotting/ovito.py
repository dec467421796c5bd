"""Answers for atoms in OVITO: as a modifier of its pipelines, and as pictures [1]_.

References
----------
.. [1] A. Stukowski, Modell. Simul. Mater. Sci. Eng. 18, 015012 (2010).
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from matplotlib.colors import to_rgb

from arise_lib.errors import AriseError, InputError
from arise_lib.plotting.colours import class_colour
from arise_lib.storage.files import atomic_write
from arise_lib.strided.labels import AtomLabels, label_atoms

if TYPE_CHECKING:
    from ovito.data import DataCollection

#: OVITO's property of the classes, as its own methods have it.
STRUCTURE_TYPE = "Structure Type"

#: Name and colour of the type of atoms without an answer.
_NONE = "none", "#f2f2f2"

# Arguments of `label_atoms` that the modifier itself gives.
_OWN = "source", "centres"

# From above, from the left, from the front.
_VIEW = (2.0, 3.0, -2.0)

#: Part of the field of view that is drawn.
_ZOOM = 0.7


def ovito_modifier(*, every: int = 1, **settings: Any) -> Callable[[int, DataCollection], None]:
    """Make a modifier function for OVITO's pipelines.

    It gives the particles the properties *Structure Type* (classes as named types), *Color*,
    *Probability*, *Mutual Information* (in bits) and *N Neighbours*, and the pipeline the
    attributes ``ARISE.share.CLASS``.

    Parameters
    ----------
    every : int
        Label every n-th particle only, and give the others the answer of the nearest of them.
    **settings
        Of `arise_lib.label_atoms`: `n_atoms`, `network`, `passes`, `seed`, `tolerance`, `executor`;
        not `centres`, which follow from `every`.

    Returns
    -------
    callable
        For ``pipeline.modifiers.append``. It raises `InputError` where the particles have types
        that are not named after elements, or as `label_atoms` does.

    Raises
    ------
    InputError
        If `every` is no whole number from 1 up, or a setting is none of these.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from ovito.io.ase import ase_to_ovito
    >>> from ovito.pipeline import Pipeline, StaticSource
    >>> from arise_lib import plotting
    >>> pipeline = Pipeline(source=StaticSource(data=ase_to_ovito(bulk("Cu", cubic=True))))
    >>> pipeline.modifiers.append(plotting.ovito_modifier(passes=10))
    >>> pipeline.compute().attributes["ARISE.share.fcc"]
    1.0
    """
    if not isinstance(every, int | np.integer) or every < 1:
        raise InputError(f"every={every!r}: 1, for all particles, or a larger number is needed")
    allowed = [name for name in signature(label_atoms).parameters if name not in _OWN]
    if unknown := [name for name in settings if name not in allowed]:
        raise InputError(
            f"{', '.join(unknown)}: the settings are {', '.join(allowed)}, and every, which tells "
            "the particles to be labelled"
        )

    def modify(frame: int, data: DataCollection) -> None:
        atoms = _atoms(data)
        found = label_atoms(atoms, centres=range(0, len(atoms), every), **settings)
        add_to_ovito(found.spread() if every > 1 else found, data)

    return modify


def add_to_ovito(found: AtomLabels, data: DataCollection) -> None:
    """Put answers into a data collection of OVITO that holds the same atoms.

    Parameters
    ----------
    found : AtomLabels
        From `arise_lib.label_atoms`.
    data : ovito.data.DataCollection
        Gets the properties and attributes that `ovito_modifier` lists.
    """
    from ovito.data import ElementType

    table = found.table()
    present = {name: number for number, name in enumerate(found.classes, start=1)}
    types = np.array([present.get(name, 0) for name in table["label"].tolist()], dtype=np.int32)
    particles = data.particles_
    of_classes = particles.create_property(STRUCTURE_TYPE, data=types)
    of_classes.types.clear()  # those of a method that ran before
    colours = np.empty((len(types), 3))
    for number in np.unique(types).tolist():
        name = found.classes[number - 1] if number else _NONE[0]
        colour = to_rgb(class_colour(name) if number else _NONE[1])
        of_classes.types.append(ElementType(id=number, name=name, color=colour))
        colours[types == number] = colour
    particles.create_property("Color", data=colours)
    for name in table.columns[1:]:
        title = name.replace("_", " ").title()
        particles.create_property(title, data=table[name].to_numpy())
    for name, share in found.shares().items():
        data.attributes[f"ARISE.share.{name}"] = share


def ovito_picture(
    found: AtomLabels, path: str | PathLike[str], size: tuple[int, int] = (1000, 600)
) -> None:
    """Draw a sample with its atoms in the colours of their classes, by OVITO's ray tracer.

    Parameters
    ----------
    found : AtomLabels
        From `arise_lib.label_atoms`.
    path : path-like
        Picture to be written; its ending tells the format.
    size : tuple of int
        Width and height in pixels.

    Raises
    ------
    AriseError
        If OVITO cannot draw here: it needs a Vulkan driver, if only that of a software renderer.
    """
    from ovito.pipeline import Pipeline, StaticSource
    from ovito.qt_compat import QtCore
    from ovito.vis import ColorLegendOverlay, TachyonRenderer, Viewport

    pipeline = Pipeline(source=StaticSource(data=to_ovito(found)))
    pipeline.add_to_scene()
    try:
        view = Viewport(type=Viewport.Type.Perspective, camera_dir=_VIEW)
        view.zoom_all(size=size)
        # It leaves room for the sphere about the cell; a sample is flatter.
        view.fov *= _ZOOM
        legend = ColorLegendOverlay(property=f"particles/{STRUCTURE_TYPE}")
        legend.legend_size, legend.font_size, legend.aspect_ratio = 0.8, 0.04, 18.0
        legend.orientation = QtCore.Qt.Orientation.Vertical
        legend.alignment = QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter
        view.overlays.append(legend)
        with atomic_write(path) as temporary:
            view.render_image(filename=str(temporary), size=size, renderer=TachyonRenderer())
    except RuntimeError as error:
        raise AriseError(f"OVITO cannot draw here: {str(error).partition(chr(10))[0]}") from error
    finally:
        pipeline.remove_from_scene()


def to_ovito(found: AtomLabels) -> DataCollection:
    """Return a sample with its answers as a data collection of OVITO.

    Parameters
    ----------
    found : AtomLabels
        From `arise_lib.label_atoms`.

    Returns
    -------
    ovito.data.DataCollection
        Particles, cell, and what `add_to_ovito` adds.

    Examples
    --------
    >>> from ase.build import bulk
    >>> import arise_lib as arise
    >>> from arise_lib import plotting
    >>> data = plotting.to_ovito(arise.label_atoms(bulk("Cu", cubic=True), passes=10))
    >>> data.particles["Structure Type"].type_by_id(data.particles["Structure Type"][0]).name
    'fcc'
    """
    from ovito.io.ase import ase_to_ovito

    atoms = found.atoms
    bare = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    data = ase_to_ovito(bare)
    add_to_ovito(found, data)
    return data


def _atoms(data: DataCollection) -> Atoms:
    """Return the particles as atoms; their types must be named after elements."""
    from ovito.io.ase import ovito_to_ase

    types = data.particles.particle_types
    if types is None:
        raise InputError("the particles have no types: OVITO's Particle Type must name elements")
    used = np.unique(np.asarray(types)).tolist()
    names = {kind.id: kind.name for kind in types.types}
    unnamed = [kind for kind in used if names.get(kind) not in atomic_numbers]
    if unnamed:
        raise InputError(
            f"the particle types {unnamed} are not named after elements; name them in the pipeline "
            "(data.particles_.particle_types_.type_by_id_(1).name = 'Fe'), all alike where they "
            "are one element"
        )
    found = ovito_to_ase(data)
    return Atoms(found.numbers, found.positions, cell=found.cell, pbc=found.pbc)
