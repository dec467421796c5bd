"""Hot crystals, melts and glasses: what the frames claim, and how answers are counted."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from arise_lib import baselines, plotting, samples
from arise_lib.baselines import heat as scores
from arise_lib.baselines import ovito
from arise_lib.descriptor import SoapSettings
from arise_lib.errors import DataError, InputError
from arise_lib.network import Network
from arise_lib.samples import HeatSample, heat
from arise_lib.structures import prototypes
from arise_lib.structures.pieces import neighbourhoods


def bragg_peak(atoms: Atoms, points: int = 64) -> float:
    """Largest value of the structure factor at the waves that fit into the cell, per atom."""
    places = np.rint(atoms.get_scaled_positions() * points).astype(int) % points
    density = np.zeros((points,) * 3)
    np.add.at(density, tuple(places.T), 1.0)
    waves = np.abs(np.fft.fftn(density)) ** 2
    waves[0, 0, 0] = 0.0
    return float(waves.max()) / len(atoms) ** 2


def constant(answer: str) -> Network:
    """A network that says the same of everything."""
    classes = (*prototypes.LABELS, prototypes.OTHER)
    bias = np.where(np.array(classes) == answer, 20.0, 0.0).astype(np.float32)
    kernel = np.zeros((SoapSettings().n_features, len(classes)), dtype=np.float32)
    return Network((kernel,), (bias,), 0.1, classes, SoapSettings())


@pytest.fixture(scope="module")
def frames() -> list[HeatSample]:
    return samples.heat_samples()


def test_frames_are_those_of_the_table(frames: list[HeatSample]) -> None:
    materials = samples.heat_materials()
    simulated = list(dict.fromkeys(sample.material for sample in frames))
    assert [s.material for s in frames] == [name for name in simulated for _ in range(8)]
    # In the order of the table.
    assert simulated == [name for name in materials.index if name in simulated]
    assert set(materials["label"]) <= set(prototypes.LABELS)
    for sample in frames:
        crystal = sample.phase == "crystal"
        assert sample.label == (
            materials.loc[sample.material, "label"] if crystal else prototypes.OTHER
        )
        assert sample.atoms.pbc.all() and len(sample.atoms) > 1700
        species = materials.loc[sample.material, "species"].split()
        assert set(sample.atoms.symbols) == set(species)
    table = samples.heat_frames()
    kelvin = table["fraction"] * table["material"].map(materials["melting_point"])
    assert np.allclose(table["kelvin"], kelvin, atol=1e-3)
    # The thermostat held it.
    assert np.allclose(table["measured_kelvin"], table["kelvin"], rtol=0.03)


def test_no_two_atoms_are_too_close(frames: list[HeatSample]) -> None:
    for sample in frames:
        volume = sample.atoms.get_volume() / len(sample.atoms)
        assert len(neighbor_list("i", sample.atoms, 0.55 * volume ** (1 / 3))) == 0


def test_crystals_have_bragg_peaks_and_the_others_none(frames: list[HeatSample]) -> None:
    for sample in frames:
        peak = bragg_peak(sample.atoms)
        if sample.phase == "crystal":
            assert peak > 0.25, (sample.material, sample.fraction, peak)
        else:
            assert peak < 0.05, (sample.material, sample.phase, peak)


def test_atoms_stay_at_their_sites_in_crystals_and_travel_in_melts() -> None:
    table = samples.heat_frames().set_index(["material", "phase"])
    crystals = table.xs("crystal", level="phase")
    for _, chain in crystals.groupby("material"):
        assert chain["displacement"].is_monotonic_increasing
        # Lindemann's criterion.
        assert chain["displacement"].iloc[-1] < 0.2
    assert (table.xs("melt", level="phase")["growth"] > 1.5).all()
    assert (table.xs("melt", level="phase")["travelled"] > 0.5).all()
    assert table.xs("glass", level="phase")["displacement"].isna().all()


def test_what_was_altered_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(heat._FOLDER, tmp_path / "heat")
    monkeypatch.setattr(heat, "_FOLDER", folder)
    assert len(samples.heat_samples(["Fe"])) == 8
    file = folder / "Fe.npz"
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(DataError, match=r"Fe\.npz has SHA-256"):
        samples.heat_samples(["Fe"])
    with pytest.raises(InputError, match="'Xe': not simulated; there are Al"):
        samples.heat_samples(["Xe"])


def test_a_network_that_says_the_same_of_all(frames: list[HeatSample]) -> None:
    chosen = [s for s in frames if s.material == "Fe"][-3:]
    networks = {"shy": constant(prototypes.OTHER), "bold": constant("dhcp"), "bcc": constant("bcc")}
    found = baselines.heat_answers(networks, chosen, n_centres=3, passes=100)
    assert found.groupby("method").size().to_dict() == {"bcc": 9, "bold": 9, "shy": 9}
    right = baselines.heat_table(found)
    assert right.index.tolist() == [
        ("Fe", "crystal", 1.0), ("Fe", "melt", 1.1), ("Fe", "glass", 0.3),
    ]  # fmt: skip
    assert right.columns.tolist() == ["shy", "bold", "bcc"]
    assert right["shy"].tolist() == [0.0, 100.0, 100.0]
    assert right["bold"].tolist() == [0.0, 0.0, 0.0]
    assert right["bcc"].tolist() == [100.0, 0.0, 0.0]
    # To say that it is no crystal may be wrong, but nobody is misled to a crystal.
    wrong = baselines.heat_table(found, "certain_wrong")
    assert wrong["shy"].tolist() == [0.0, 0.0, 0.0]
    assert wrong["bold"].tolist() == [100.0, 100.0, 100.0]
    assert wrong["bcc"].tolist() == [0.0, 100.0, 100.0]


def test_other_frames_do_not_matter(frames: list[HeatSample]) -> None:
    hot, other = frames[5], frames[-3]
    alone = baselines.heat_answers(["arise"], [hot], n_centres=3, passes=100)
    among = baselines.heat_answers(["robust", "arise"], [other, hot], n_centres=3, passes=100)
    again = among[(among["method"] == "arise") & (among["material"] == hot.material)]
    pd.testing.assert_frame_equal(alone, again.reset_index(drop=True))
    assert len(set(alone["centre"])) == 3
    templates = baselines.heat_templates([other, hot], n_centres=3)
    centres = templates[templates["material"] == hot.material]["centre"]
    assert set(centres) == set(alone["centre"])


def test_templates_see_the_atoms_that_networks_see(frames: list[HeatSample]) -> None:
    atoms = frames[13].atoms
    centres = np.array([0, 7, 1999])
    members = scores._members(atoms, centres, 250)
    for centre, member, piece in zip(
        centres, members, neighbourhoods(atoms, 250, centres), strict=True
    ):
        distances = np.sort(atoms.get_distances(centre, member, mic=True))
        assert np.allclose(distances, np.linalg.norm(piece.positions, axis=1)[:250])


def test_majority_share_and_no_score(
    frames: list[HeatSample], monkeypatch: pytest.MonkeyPatch
) -> None:
    iron = next(s for s in frames if s.label == "bcc")

    def left_half(atoms: Atoms) -> NDArray[np.str_]:
        return np.where(atoms.get_scaled_positions()[:, 0] < 0.5, "bcc", "")

    monkeypatch.setattr(scores, "_METHODS", {"half": (left_half, ("bcc",))})
    found = baselines.heat_templates([iron], n_centres=40)
    share = np.mean(left_half(iron.atoms) == "bcc")
    assert (found["atoms_right"] == share).all()
    x = iron.atoms.get_scaled_positions()[found["centre"], 0]
    inside = (np.abs(x - 0.25) < 0.1), (np.abs(x - 0.75) < 0.1)
    assert inside[0].any() and (found["answer"][inside[0]] == "bcc").all()
    assert inside[1].any() and (found["answer"][inside[1]] == prototypes.OTHER).all()
    assert found["right"].tolist() == (found["answer"] == "bcc").tolist()

    monkeypatch.setattr(scores, "_METHODS", {"half": (left_half, ("hcp",))})
    found = baselines.heat_templates([iron], n_centres=2)
    assert found["right"].isna().all() and found["atoms_right"].isna().all()


def test_ptm_names_fewer_atoms_the_nearer_they_have_to_be(frames: list[HeatSample]) -> None:
    hot = frames[5]
    shares = [np.mean(ovito.ptm(hot.atoms, rmsd) == "fcc") for rmsd in (0.05, 0.10, 0.15)]
    assert shares[0] < shares[1] < shares[2]
    assert (ovito.ptm(hot.atoms) == ovito.ptm(hot.atoms, ovito.RMSD_CUTOFF)).all()


def test_panels_show_the_table() -> None:
    keys = ["material", "phase", "fraction"]
    aluminium = [("crystal", 0.2), ("crystal", 1.0), ("melt", 1.1), ("glass", 0.3)]
    frames = [("Al", *frame) for frame in aluminium] + [("NaCl", *f) for f in aluminium[:3]]
    index = pd.MultiIndex.from_tuples(frames, names=keys)
    table = pd.DataFrame({"arise": [100.0, 90, 0, 10, 80, 70, 20]}, index)
    table["PTM"] = [100.0, 95, 98, 90, np.nan, np.nan, np.nan]
    figure = plotting.heat_panels(table, {"Al": "fcc", "NaCl": "NaCl"})
    first, second = figure.axes
    assert (first.get_title(), second.get_title()) == ("Al, fcc", "NaCl, NaCl")
    drawn = [np.array(line.get_xydata()).tolist() for line in first.lines[1:]]
    assert drawn == [
        [[0.2, 100], [1.0, 90]], [[1.2, 0], [1.45, 10]],
        [[0.2, 100], [1.0, 95]], [[1.2, 98], [1.45, 90]],
    ]  # fmt: skip
    # The line between, and one method: the other has no score.
    assert len(second.lines) == 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["arise", "PTM"]
    colours = {line.get_color() for line in first.lines[1:]}
    assert len(colours) == 2
