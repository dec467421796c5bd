"""Particles: boxes again, order of atoms, groups of boxes, and what is drawn of them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ase import Atoms
from ase.build import bulk
from matplotlib.colors import to_rgb
from scipy.spatial.transform import Rotation
from tolerances import ARITHMETIC

from arise_lib import baselines, compendium, explore, plotting, samples, strided, tomography
from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.storage import paths


def block(n: int = 5) -> Atoms:
    """Perfect fcc, free."""
    atoms = bulk("Pt", a=3.9, cubic=True) * n
    atoms.pbc = False
    return atoms


# --- boxes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("box", [12.0, strided.Sphere(7.0)])
def test_boxes_at_chosen_places_are_those_of_a_scan(box) -> None:
    atoms = samples.fept_particle(3, n_atoms=900).atoms
    settings = SoapSettings()
    whole = strided.describe_boxes(atoms, box, 8.0, min_atoms=40, settings=settings)
    chosen = np.arange(0, len(whole.features), 3)
    again = strided.describe_at(atoms, whole.centres[chosen], box, settings)
    np.testing.assert_array_equal(again, whole.features[chosen])
    atoms.pbc = True
    with pytest.raises(InputError, match="without periodicity"):
        strided.describe_at(atoms, whole.centres, box, settings)


def test_atoms_and_boxes_give_each_other_what_they_know() -> None:
    places = {"x": [0.0, 5.0, 10.0], "y": [0.0], "z": [0.0]}
    maps = xr.Dataset(coords=places, attrs={"box": 4.0})
    atoms = np.array([[-1, 0, 0], [1, 0, 0], [5, 1, 0], [6, 0, 0]], dtype=float)
    mean = tomography.average(atoms, [1.0, 2.0, np.nan, 4.0], maps)
    assert mean.dims == ("z", "y", "x")
    np.testing.assert_array_equal(mean.values.ravel(), [1.5, 4.0, np.nan])
    # The empty box is passed over, whichever atom is near it.
    beyond = np.array([[9.0, 0.0, 0.0], [-3.0, 0.0, 0.0]])
    assert tomography.of_nearest_box(beyond, mean).tolist() == [4.0, 1.5]
    labels = xr.DataArray(np.array([[["fcc", "", "L1_2"]]]), places | {}, ["z", "y", "x"])
    assert tomography.of_nearest_box(beyond, labels).tolist() == ["L1_2", "fcc"]
    with pytest.raises(InputError, match="No box has an answer"):
        tomography.of_nearest_box(beyond, mean.where(False))


def test_centres_of_chosen_boxes_are_those_of_the_scan() -> None:
    atoms = samples.fept_particle(3, n_atoms=900).atoms
    maps = strided.scan(atoms, 12.0, 9.0, network="arise", passes=10)
    found = tomography.centres(maps["label"] != "")
    whole = strided.describe_boxes(atoms, 12.0, 9.0).centres
    assert sorted(map(tuple, found)) == sorted(map(tuple, whole))
    again = tomography.centres((maps["label"] != "").transpose("x", "y", "z"))
    np.testing.assert_array_equal(found, again)


def test_species_that_are_stretched_stand_farther_apart() -> None:
    """Planes of iron and platinum, each on a square net of its own constant."""
    net = np.stack(np.meshgrid(range(6), range(6), [0.0]), axis=-1).reshape(-1, 3)
    iron, platinum = 2.9 * net, 2.7 * net + [0.0, 0.0, 6.0]
    atoms = Atoms(["Fe"] * 36 + ["Pt"] * 36, np.vstack([iron, platinum]))
    held = tomography.members(atoms.positions, np.array([[7.0, 7.0, 3.0], [7, 7, 0]]), 8.0)
    found = tomography.spacing_difference(atoms, held)
    assert found[0] == pytest.approx(0.2, rel=1e-6) and np.isnan(found[1])
    other = tomography.spacing_difference(atoms, held, "Pt", "Fe")
    assert other[0] == pytest.approx(-0.2, rel=1e-6)
    with pytest.raises(InputError, match="no Cu; it has Fe, Pt"):
        tomography.spacing_difference(atoms, held, "Cu", "Pt")


def test_further_maps_become_columns() -> None:
    atoms = samples.fept_particle(1, n_atoms=600).atoms
    values = (("z", "y", "x"), np.array([[[1.0, np.nan]]]))
    axes = {"x": [0.0, 4.0], "y": [0.0], "z": [0.0]}
    maps = xr.Dataset({"mi": values, "n_atoms": values}, axes, attrs={"box": 12.0})
    maps["other"] = ("z", "y", "x"), np.array([[[7.0, 8.0]]])
    table = tomography.box_table(atoms, maps, "mi", also=["other"])
    assert table[["value", "other"]].values.tolist() == [[1.0, 7.0]]


def test_boundaries_of_variants_are_told_from_l1_0() -> None:
    """Of L1_2 alone nearly all boxes that the fit calls L1_0 are such; of L1_0 alone hardly any."""
    shares = {}
    for phase in ("L1_2", "L1_0"):
        particle = samples.fept_particle(5, n_atoms=6000, n_domains=4, domains={phase: 1.0})
        atoms, lattice = particle.atoms, tomography.fit_lattice(particle.atoms.positions)
        places = strided.box_centres(atoms, strided.Cube(12.0), 4.0, padding=0.0)
        maps = xr.Dataset(coords=dict(zip("xyz", places, strict=True)), attrs={"box": 12.0})
        order = tomography.order_maps(atoms, maps, lattice, "Fe")
        found = tomography.antiphase(atoms, order, lattice, "Fe")
        named = order["phase"].values == "L1_0"
        assert named.sum() > 50
        assert ((found["variant"].values >= 0) == (order["phase"].values == "L1_2")).all()
        shares[phase] = found["boundary"].values[named].mean()
    assert shares["L1_2"] > 0.85 and shares["L1_0"] < 0.05
    with pytest.raises(InputError, match="reach of 0"):
        tomography.antiphase(atoms, order, lattice, "Fe", reach=0.0)


# --- relations ---------------------------------------------------------------------------------


def test_rank_correlation_is_spearmans_and_its_interval_covers_the_truth() -> None:
    """Of two normal variables with correlation r, Spearman's is 6 / pi asin(r / 2)."""
    generator, covered = np.random.default_rng(0), []
    truth = 6.0 / np.pi * np.arcsin(0.25)
    for _ in range(40):
        a, b = generator.multivariate_normal([0, 0], [[1.0, 0.5], [0.5, 1.0]], 300).T
        boxes = pd.DataFrame({"a": np.exp(a), "b": b, "block": np.arange(300)})
        found = tomography.rank_correlation(boxes, "a", "b", n_draws=300)
        expected = boxes[["a", "b"]].corr("spearman").iloc[0, 1]
        assert found["correlation"] == pytest.approx(expected, rel=ARITHMETIC)
        covered.append(found["low"] < truth < found["high"])
    assert np.mean(covered) > 0.8


def test_rank_correlation_of_boxes_that_share_atoms_is_no_surer() -> None:
    generator = np.random.default_rng(1)
    once = pd.DataFrame({"a": generator.normal(size=60), "block": np.arange(60)})
    once["b"] = once["a"] + generator.normal(size=60)
    widths = []
    for boxes in (once, pd.concat([once] * 10)):
        found = tomography.rank_correlation(boxes, "a", "b")
        widths.append(found["high"] - found["low"])
    assert widths[1] == pytest.approx(widths[0], rel=0.25)


def test_what_does_not_vary_has_no_correlation() -> None:
    boxes = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [5.0] * 3, "block": range(3)})
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="NaN"):
        assert np.isnan(tomography.rank_correlation(boxes, "a", "b")["correlation"])
    with pytest.raises(InputError, match="1 boxes have both"):
        tomography.rank_correlation(boxes.assign(b=[1.0, np.nan, np.inf]), "a", "b")


def test_share_below_a_limit_and_its_interval() -> None:
    generator, covered = np.random.default_rng(2), []
    for _ in range(40):
        boxes = pd.DataFrame({"value": generator.random(200), "block": np.arange(200)})
        found = tomography.share_below(boxes, 0.3, n_draws=300)
        assert found["share"] == pytest.approx(100 * (boxes["value"] < 0.3).mean())
        covered.append(found["low"] < 30.0 < found["high"])
    assert np.mean(covered) > 0.8
    half = boxes.assign(value=boxes["value"].where(boxes.index % 2 == 0))
    found = tomography.share_below(half, 0.3, n_draws=300)
    assert found["boxes"] == 100
    assert found["share"] == pytest.approx(100 * (half["value"].dropna() < 0.3).mean())
    for none in (boxes[:0], boxes.assign(value=np.nan)):
        with pytest.raises(InputError, match="no box with a value"):
            tomography.share_below(none, 0.3)


def test_coherent_point_drift_turns_a_shape_back() -> None:
    """A block of three different edges; the same with atoms of its own errors."""
    atoms = (bulk("Pt", cubic=True) * (3, 5, 8)).positions
    turn = Rotation.from_euler("xyz", [4, -6, 5], degrees=True)
    moved = turn.apply(atoms) + np.array([1.0, 2.0, 3.0])
    moved += np.random.default_rng(0).normal(0.0, 0.1, moved.shape)
    found = tomography.align_by_drift(moved, atoms, n_points=400)
    left = Rotation.from_matrix(found.rotation @ turn.as_matrix()).magnitude()
    assert np.degrees(left) < 2.0
    assert found.apply(moved).mean(axis=0) == pytest.approx(atoms.mean(axis=0), abs=1e-6)
    with pytest.raises(InputError, match="at least three"):
        tomography.align_by_drift(moved[:2], atoms)


def test_a_series_is_aligned_and_its_angles_are_stated() -> None:
    frames = samples.annealing_series(0, n_atoms=1500)
    named = {f"{k}": frame.atoms for k, frame in enumerate(frames)}
    before = {name: atoms.positions.copy() for name, atoms in named.items()}
    aligned, angles = tomography.align_series(named, n_points=100)
    for k, frame in enumerate(frames):
        assert (named[f"{k}"].positions == before[f"{k}"]).all()
        true = np.degrees(Rotation.from_matrix(frame.turn).magnitude())
        assert angles.loc[(f"{k}", "lattice"), "angle"] == pytest.approx(true, abs=0.2)
        away = np.linalg.norm(aligned[f"{k}"].positions - frames[0].sites, axis=1)
        assert np.sqrt(np.mean(away**2)) < 1.1 * samples.TOMOGRAPHY_ERROR
    assert sorted(set(angles.index.get_level_values("way"))) == ["lattice", "point drift"]


# --- order of atoms ----------------------------------------------------------------------------


def test_bond_order_of_fcc_and_what_disorder_does_to_it() -> None:
    """q_6 of twelve neighbours in fcc is 0.57452, in hcp 0.48476 (Steinhardt 1983)."""
    atoms = block()
    inside = np.abs(atoms.positions - atoms.positions.mean(axis=0)).max(axis=1) < 5.0
    assert baselines.particle_bond_order(atoms)[inside] == pytest.approx(0.57452, abs=2e-4)
    hcp = bulk("Mg", "hcp", a=3.0, c=3.0 * np.sqrt(8 / 3)) * 7
    hcp.pbc = False
    middle = np.linalg.norm(hcp.positions - hcp.positions.mean(axis=0), axis=1).argmin()
    assert baselines.particle_bond_order(hcp)[middle] == pytest.approx(0.48476, abs=2e-4)
    noisy = atoms.copy()
    noisy.positions += np.random.default_rng(0).normal(0.0, 0.3, noisy.positions.shape)
    assert baselines.particle_bond_order(noisy)[inside].mean() < 0.5
    with pytest.raises(InputError, match="a free particle of more than 12"):
        baselines.particle_bond_order(bulk("Cu", cubic=True) * 3)


def test_deviation_from_templates_grows_with_the_error() -> None:
    atoms = block()
    inside = np.abs(atoms.positions - atoms.positions.mean(axis=0)).max(axis=1) < 5.0
    generator, found = np.random.default_rng(0), []
    for error in (0.0, 0.05, 0.1, 0.2):
        noisy = atoms.copy()
        noisy.positions += generator.normal(0.0, error, noisy.positions.shape)
        found.append(float(np.nanmean(baselines.ovito.ptm_deviation(noisy)[inside])))
    assert found[0] < 1e-3 and found == sorted(found)
    # In units of the neighbours' distance; turn, scale and shift are fitted, which takes some away.
    assert 0.5 < found[2] / (np.sqrt(3.0) * 0.1 * np.sqrt(2.0) / 3.9) < 1.1


# --- groups ------------------------------------------------------------------------------------


def test_soft_clusters_take_strays_that_plain_ones_leave_out() -> None:
    generator = np.random.default_rng(0)
    sizes = (30, 60, 45)
    rows = np.concatenate([generator.normal(size=(n, 5)) + 12.0 * k for k, n in enumerate(sizes)])
    truth = np.repeat([2, 0, 1], sizes)
    found = explore.soft_cluster(rows, 20)
    inside = found != explore.OUTLIER
    assert (found[inside] == truth[inside]).all()
    assert inside.sum() >= (explore.cluster(rows, 20) != explore.OUTLIER).sum()
    np.testing.assert_array_equal(found, explore.soft_cluster(rows, 20))
    assert (explore.soft_cluster(rows, 20, membership=1.1) == explore.OUTLIER).all()


def test_points_without_a_cluster_are_outliers() -> None:
    rows = np.random.default_rng(1).uniform(size=(30, 3))
    assert set(explore.soft_cluster(rows, 25).tolist()) == {explore.OUTLIER}
    with pytest.raises(InputError, match="clusters of at least 31"):
        explore.soft_cluster(rows, 31)


def test_random_groups_have_no_spread_beyond_chance() -> None:
    """The p-value of groups without a difference is uniform; of real ones it is small."""
    generator = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2], [60, 30, 10])
    p_values = [
        explore.group_spread(generator.normal(size=100), groups, n_draws=99, seed=k)["p_value"]
        for k in range(60)
    ]
    assert 0.3 < np.mean(p_values) < 0.7 and np.mean(np.array(p_values) <= 0.05) < 0.15
    found = explore.group_spread(generator.normal(size=100) + groups, groups, n_draws=99)
    assert found["p_value"] == 0.01 and found["spread"] > 2 * found["expected"]
    # Of k groups of n rows, chance gives (k - 1) / (n - 1) of the variance.
    null = explore.group_spread(generator.normal(size=100), groups)
    assert null["expected"] == pytest.approx(2 / 99, rel=0.15)


def test_compact_groups_of_a_smooth_quantity_are_no_finding() -> None:
    """Slices of a block differ in a gradient, and so do any compact groups."""
    generator = np.random.default_rng(1)
    places = generator.uniform(size=(300, 3))
    values = places[:, 0] + generator.normal(0.0, 0.05, 300)
    p_values = []
    for _ in range(12):
        nearest = places[generator.choice(300, 3, replace=False)]
        groups = np.linalg.norm(places[:, None] - nearest, axis=2).argmin(axis=1)
        plain = explore.group_spread(values, groups, n_draws=99)
        compact = explore.group_spread(values, groups, places=places, n_draws=99)
        assert plain["p_value"] == 0.01 and compact["expected"] > 10 * plain["expected"]
        p_values.append(compact["p_value"])
    assert 0.25 < np.mean(p_values) < 0.75


def test_spread_leaves_out_outliers_and_what_is_undefined() -> None:
    values = [0.0, 0.2, 1.0, 1.2, 50.0, np.nan]
    groups = [0, 0, 1, 1, explore.OUTLIER, 1]
    found = explore.group_spread(values, groups, n_draws=9)
    assert found["spread"] == pytest.approx(1.0 / 1.04) and found["groups"] == 2
    with pytest.raises(InputError, match="Fewer than two groups"):
        explore.group_spread(values, [0] * 6)
    with pytest.raises(InputError, match="one of each per row"):
        explore.group_spread(values, groups, places=np.zeros((5, 3)))


@pytest.mark.parametrize("value", [1.0, 0.1])
def test_where_nothing_varies_no_spread_is_told_from_another(value: float) -> None:
    """The mean of 0.1 is off by rounding, which is no variance."""
    found = explore.group_spread([value] * 7, [0] * 4 + [1] * 3, n_draws=9)
    assert found["groups"] == 2 and found.drop("groups").isna().all()


# --- pictures ----------------------------------------------------------------------------------


def test_particles_are_drawn_whole_and_cut() -> None:
    places = np.array([[0.0, 0, 3], [1.0, 0, -1], [2.0, 0, 1], [3.0, 0, -2]])
    figure = plotting.particle_views(
        places, {"class": ["fcc", "L1_2", "", "fcc"], "information": [0.1, 0.2, 0.3, np.nan]}
    )
    whole, _, half, _, bar = figure.axes
    (dots,) = whole.collections
    # From behind to the front: atoms 3, 1, 2, 0.
    assert np.asarray(dots.get_offsets())[:, 0].tolist() == [3, 1, 2, 0]
    colours = [plotting.class_colour(name) for name in ("fcc", "L1_2", "fcc")]
    painted = dots.get_facecolors()
    assert painted[[0, 1, 3], :3] == pytest.approx(np.array([to_rgb(c) for c in colours]))
    assert painted[2, 3] == 0
    assert np.asarray(half.collections[0].get_offsets())[:, 0].tolist() == [3, 1]
    assert bar.get_ylabel() == "mutual information / bit"
    with pytest.raises(InputError, match="for 4 atoms"):
        plotting.particle_views(places, {"class": ["fcc"]})


def test_slices_are_the_central_ones_on_one_scale() -> None:
    axes = {"z": np.arange(0.0, 14.0, 2.0), "y": [0.0, 2.0], "x": [0.0, 2.0]}
    numbers = xr.DataArray(np.zeros((7, 2, 2)), axes, ["z", "y", "x"])
    numbers[3] = 0.5
    numbers[2, 0, 0] = np.nan
    figure = plotting.central_slices({"a": numbers, "b": 4.0 * numbers}, n=3)
    panels = [panel for panel in figure.axes if panel.images]
    assert [panel.get_title() for panel in panels[:3]] == ["z = 4 Å", "z = 6 Å", "z = 8 Å"]
    limits = {panel.images[0].get_clim() for panel in panels}
    assert len(panels) == 6 and len(limits) == 1
    wide = plotting.slice_table({"a": numbers}, n=3, apart=4.0)
    assert sorted(set(wide["z"])) == [2.0, 6.0, 10.0]
    table = plotting.slice_table({"a": numbers}, n=3)
    assert len(table) == 11 and table.groupby("z")["value"].max().to_dict() == {
        4.0: 0.0, 6.0: 0.5, 8.0: 0.0,
    }  # fmt: skip


def test_maps_that_were_read_from_a_file_are_drawn_and_tabulated_alike(tmp_path: Path) -> None:
    axes = {"z": [0.0, 2.0], "y": [0.0, 2.0], "x": [0.0, 2.0]}
    labels = np.array([[["fcc", ""], ["L1_2", "fcc"]], [["", ""], ["fcc", ""]]])
    maps = xr.Dataset(
        {"label": (list(axes), labels), "mutual_information": (list(axes), np.ones((2, 2, 2)))},
        axes,
    )
    maps.to_netcdf(tmp_path / "maps.nc")
    with xr.open_dataset(tmp_path / "maps.nc") as again:
        rows = [{"a": one["label"], "b": one["mutual_information"]} for one in (maps, again)]
        tables = [plotting.slice_table(row) for row in rows]
        pd.testing.assert_frame_equal(*tables)
        assert len(tables[0]) == 4 + 8
        images = [plotting.central_slices(row).axes[0].images[0].get_array() for row in rows]
        np.testing.assert_array_equal(*images)
        places = np.array([[0.0, 0, 0], [2.0, 0, 2.0]])
        named = [tomography.of_nearest_box(places, one["label"]) for one in (maps, again)]
        assert named[0].tolist() == named[1].tolist()
        assert len(plotting.particle_views(places, {"class": named[1]}).legends) == 1
        plotting.label_maps({"file": again["label"]})


def test_histograms_of_clusters_are_sorted_by_their_medians() -> None:
    values = [3.0, 3.1, 3.2, -1.0, -1.1, 9.0, np.nan]
    figure = plotting.cluster_histograms(values, [0, 0, 0, 1, 1, -1, 1], xlabel="d / Å")
    assert [panel.get_ylabel() for panel in figure.axes] == ["1", "0", "none"]
    assert figure.axes[1].lines[0].get_xdata()[0] == 3.1
    assert figure.axes[-1].get_xlabel() == "d / Å"


def test_views_link_points_to_atoms_and_are_the_same_bytes(tmp_path, monkeypatch) -> None:
    atoms = block(2)
    centres = atoms.positions[[5, 2]] + 0.1
    values = {"one": [0.1234567, 2.0], "label": ["a", "b"]}
    view = plotting.linked_view(atoms, centres, values, name="x", reach=6.0, colour="one")
    assert [point["center"] for point in view["environments"]] == [5, 2]
    assert view["properties"]["one"]["values"] == [0.123, 2.0]
    assert view["settings"]["map"]["color"]["property"] == "one"
    monkeypatch.setattr(paths, "FIGURES", tmp_path)
    written = [compendium.save_view(view, "view").read_bytes() for _ in range(2)]
    assert written[0] == written[1]
    assert json.loads(gzip.decompress(written[0]))["structures"][0]["size"] == len(atoms)
    with pytest.raises(InputError, match="one value for each"):
        plotting.linked_view(atoms, centres, {"one": [1.0]}, name="x", reach=6.0)
    with pytest.raises(InputError, match="no property two"):
        plotting.linked_view(atoms, centres, values, name="x", reach=6.0, colour="two")
