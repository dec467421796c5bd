"""Answers in OVITO's pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from matplotlib.colors import to_rgb
from ovito.data import DataCollection
from ovito.io.ase import ase_to_ovito
from ovito.modifiers import CommonNeighborAnalysisModifier
from ovito.pipeline import Pipeline, StaticSource

import arise_lib as arise
from arise_lib import plotting
from arise_lib.errors import AriseError, InputError

PASSES = 20


def pipeline(data: DataCollection, *modifiers: object) -> Pipeline:
    made = Pipeline(source=StaticSource(data=data))
    for modifier in modifiers:
        made.modifiers.append(modifier)
    return made


def test_modifier_gives_what_label_atoms_gives() -> None:
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
    atoms.rattle(0.1, seed=1)
    cna = CommonNeighborAnalysisModifier()  # leaves structure types of its own
    found = arise.label_atoms(atoms, passes=PASSES, n_atoms=80)
    made = pipeline(ase_to_ovito(atoms), cna, arise.ovito_modifier(passes=PASSES, n_atoms=80))
    data = made.compute()
    types = data.particles["Structure Type"]
    names = {kind.id: kind.name for kind in types.types}
    assert [names[i] for i in np.asarray(types).tolist()] == found.labels.tolist()
    assert set(names.values()) == set(found.labels.tolist())
    np.testing.assert_array_equal(data.particles["Mutual Information"], found.mutual_information)
    np.testing.assert_array_equal(data.particles["Probability"], found.probabilities.max(axis=1))
    np.testing.assert_array_equal(data.particles["N Neighbours"], found.n_neighbours)
    for name, share in found.shares().items():
        assert data.attributes[f"ARISE.share.{name}"] == share
    colour = to_rgb(plotting.class_colour(found.labels[0]))
    np.testing.assert_allclose(data.particles["Color"][0], colour, atol=1e-6)


def test_every_second_particle_answers_for_its_neighbours() -> None:
    atoms = bulk("Fe", cubic=True) * 2
    data = pipeline(ase_to_ovito(atoms), arise.ovito_modifier(every=5, passes=PASSES)).compute()
    types = np.asarray(data.particles["Structure Type"])
    assert (types > 0).all() and data.attributes["ARISE.share.bcc"] == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every": 0}, "every=0: 1, for all"),
        ({"every": 2.5}, "every=2.5: 1, for all"),
        ({"every": "2"}, "every='2': 1, for all"),
        ({"centres": [0]}, "centres: the settings are n_atoms, network, .*, and every"),
        ({"source": "a.xyz", "pases": 3}, "source, pases: the settings are n_atoms"),
    ],
)
def test_settings_are_checked_before_the_pipeline_runs(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        arise.ovito_modifier(**settings)
    assert callable(arise.ovito_modifier(every=np.int64(2), n_atoms=50, seed=1, tolerance=0.1))


def test_an_atom_without_answer_has_a_type_of_its_own() -> None:
    found = arise.label_atoms(bulk("Fe", cubic=True), centres=[1], passes=PASSES)
    types = plotting.to_ovito(found).particles["Structure Type"]
    names = {kind.id: kind.name for kind in types.types}
    assert [names[i] for i in np.asarray(types).tolist()] == ["none", "bcc"]


def test_types_that_name_no_element_are_refused() -> None:
    data = ase_to_ovito(bulk("Cu", cubic=True))
    data.particles_.particle_types_.types_[0].name = "copper"
    with pytest.raises(InputError, match=r"\[1\] are not named after elements"):
        pipeline(data, arise.ovito_modifier(passes=PASSES)).compute()


def test_picture_or_a_reason(tmp_path: Path) -> None:
    """Where there is no Vulkan driver OVITO draws nothing, and says why."""
    found = arise.label_atoms(bulk("Cu", cubic=True) * 2, centres=[0], passes=PASSES)
    path = tmp_path / "a.png"
    try:
        plotting.ovito_picture(found.spread(), path, size=(80, 60))
    except AriseError as error:
        assert "Vulkan" in str(error) and not list(tmp_path.iterdir())
    else:
        assert path.read_bytes().startswith(b"\x89PNG")
