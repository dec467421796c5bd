"""Lattice, order and agreement: measured where the truth is known by construction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ase import Atoms
from ase.build import bulk
from scipy.sparse import csr_array
from scipy.spatial.transform import Rotation
from tolerances import ARITHMETIC, STANDARD_ERRORS

from arise_lib import samples, tomography
from arise_lib.errors import InputError
from arise_lib.strided import Cube, box_centres, count_atoms
from arise_lib.tomography.boxes import lots
from arise_lib.tomography.lattice import MIN_ATOMS, Lattice
from arise_lib.tomography.order import LATTICE, LEVEL

A = 3.85
CORE = 13.0  # Å; boxes of 12 Å whose middles are nearer than this to that of a particle are full


def crystal(phase: str, n: int = 6, axis: int = 0) -> Atoms:
    """A perfect crystal as a free block; the planes of L1_0 follow each other along `axis`."""
    atoms = bulk("Pt", a=A, cubic=True) * n
    halves = np.rint(2 * atoms.positions / A).astype(int) % 2
    iron = {"L1_0": halves[:, axis] == 0, "L1_2": (halves == 0).all(axis=1)}
    atoms.symbols[iron[phase]], atoms.pbc = "Fe", False
    return atoms


def whole(atoms: Atoms):
    return csr_array(np.ones((1, len(atoms))))


def single(phase: str, iron: float, order: float, seed: int) -> samples.Particle:
    return samples.fept_particle(
        (9, seed), n_atoms=6000, n_domains=1, domains={phase: 1.0}, iron={phase: iron}, order=order
    )


def in_core(particle: samples.Particle, n: int = 300, seed: int = 0):
    """Order in full boxes at random places."""
    centres = np.random.default_rng(seed).uniform(-CORE, CORE, (n, 3))
    lattice = tomography.fit_lattice(particle.atoms.positions)
    held = tomography.members(particle.atoms.positions, centres, 12.0)
    return tomography.box_order(particle.atoms, held, lattice, "Fe")


# --- lattice -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_perfect_lattice_is_found_whatever_turn_shift_and_unit(seed: int) -> None:
    generator = np.random.default_rng(seed)
    unit = 10.0 ** generator.uniform(-2, 2)
    turn = Rotation.random(rng=generator).as_matrix()
    atoms = crystal("L1_2")
    positions = unit * (atoms.positions @ turn.T + generator.uniform(-50, 50, 3))
    lattice = tomography.fit_lattice(positions)
    assert lattice.constant == pytest.approx(unit * A, rel=ARITHMETIC)
    assert lattice.share == 1.0 and lattice.residual < 1e-9 * unit
    # The axes are those of the crystal, up to one of the 24 rotations of a cube.
    relative = lattice.orientation.T @ turn
    assert np.abs(relative) @ np.ones(3) == pytest.approx(np.ones(3), abs=1e-7)
    assert np.linalg.det(lattice.orientation) == pytest.approx(1.0)
    sites = lattice.sites(positions)
    assert (sites.sum(axis=1) % 2 == 0).all() and len(np.unique(sites, axis=0)) == len(atoms)


def test_of_equivalent_orientations_the_nearest_to_the_axes_is_given() -> None:
    turn = Rotation.from_euler("xyz", [5, -3, 8], degrees=True)
    lattice = tomography.fit_lattice(turn.apply(crystal("L1_0").positions))
    assert lattice.orientation == pytest.approx(turn.as_matrix(), abs=1e-7)


def test_errors_of_the_lattice_cover_the_truth() -> None:
    """Over 40 particles, the deviation in standard errors scatters as a normal deviate does."""
    of_constant, of_turn, stated = [], [], []
    for seed in range(40):
        particle = samples.fept_particle((3, seed), n_atoms=2500)
        lattice = tomography.fit_lattice(particle.atoms.positions)
        of_constant.append((lattice.constant - samples.FEPT_CONSTANT) / lattice.constant_error)
        turned = Rotation.from_matrix(lattice.orientation).as_rotvec(degrees=True)
        of_turn.append(np.linalg.norm(turned) / np.sqrt(3))
        stated.append(lattice.orientation_error)
    assert 0.7 < np.std(of_constant) < 1.4
    assert np.sqrt(np.mean(np.square(of_turn))) == pytest.approx(np.mean(stated), rel=0.35)
    assert lattice.residual == pytest.approx(samples.TOMOGRAPHY_ERROR / np.sqrt(3), rel=0.03)


def test_what_is_no_lattice_is_refused() -> None:
    generator = np.random.default_rng(4)
    with pytest.raises(InputError, match="of 400 atoms lie on the best"):
        tomography.fit_lattice(generator.uniform(0, 20, (400, 3)))
    with pytest.raises(InputError, match="49 atoms are too few"):
        tomography.fit_lattice(generator.uniform(0, 20, (49, 3)))


# --- boxes -------------------------------------------------------------------------------------


def test_boxes_hold_what_those_of_a_scan_hold() -> None:
    particle = samples.fept_particle(5, n_atoms=800)
    axes = box_centres(particle.atoms, Cube(12.0), 7.0, padding=1.0)
    n_atoms = count_atoms(particle.atoms.positions, axes, Cube(12.0)).transpose(2, 1, 0)
    maps = xr.Dataset(coords=dict(zip("xyz", axes, strict=True)), attrs={"box": 12.0})
    counts = np.concatenate([lot.sum(axis=1) for lot in lots(particle.atoms.positions, maps)])
    assert (counts.reshape(n_atoms.shape) == n_atoms).all()
    lattice = tomography.fit_lattice(particle.atoms.positions)
    order = tomography.order_maps(particle.atoms, maps, lattice, "Fe")
    assert (order["n_atoms"].values == n_atoms).all()
    assert ((order["phase"] == "").values | (n_atoms >= MIN_ATOMS)).all()


def test_maps_of_other_shapes_are_refused() -> None:
    maps = xr.Dataset(coords={axis: [0.0] for axis in "xyz"}, attrs={"box": 4.0, "shape": "ball"})
    with pytest.raises(InputError, match="not of cubes"):
        next(lots(np.zeros((1, 3)), maps))
    with pytest.raises(InputError, match="edge 0"):
        tomography.members(np.zeros((1, 3)), np.zeros((1, 3)), 0)


def test_the_truth_of_a_box_is_what_most_of_its_atoms_are() -> None:
    maps = xr.Dataset(coords={"x": [0.0, 5.0], "y": [0.0], "z": [0.0]}, attrs={"box": 4.0})
    atoms = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 0, 0], [6, 0, 0]], dtype=float)
    found = tomography.majority(atoms, ["a", "b", "b", "b", "a"], maps)
    assert found["label"].values.ravel().tolist() == ["b", "a"]
    assert found["share"].values.ravel() == pytest.approx([2 / 3, 1 / 2])


# --- order -------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", range(3))
def test_perfect_l1_0_has_one_wave(axis: int) -> None:
    atoms = crystal("L1_0", axis=axis)
    row = tomography.box_order(
        atoms, whole(atoms), tomography.fit_lattice(atoms.positions), "Fe"
    ).iloc[0]
    waves = np.zeros(3)
    waves[axis] = 0.5
    assert row[["wave_1", "wave_2", "wave_3"]].to_numpy(float) == pytest.approx(waves, abs=1e-7)
    assert (row["phase"], row["axis"], row["concentration"]) == ("L1_0", axis + 1, 0.5)


def test_perfect_l1_2_has_three_waves_alike() -> None:
    atoms = crystal("L1_2")
    row = tomography.box_order(
        atoms, whole(atoms), tomography.fit_lattice(atoms.positions), "Fe"
    ).iloc[0]
    assert row[["wave_1", "wave_2", "wave_3"]].to_numpy(float) == pytest.approx(0.25, abs=1e-7)
    assert row["phase"] == "L1_2" and row["fundamental"] == pytest.approx(1.0)


def test_two_waves_alike_are_mixed() -> None:
    """Two domains of L1_0 with different axes in one box."""
    atoms = crystal("L1_0", axis=0)
    other = crystal("L1_0", axis=1)
    half = atoms.positions[:, 2] > atoms.positions[:, 2].mean()
    atoms.numbers[half] = other.numbers[half]
    lattice = tomography.fit_lattice(atoms.positions)
    assert tomography.box_order(atoms, whole(atoms), lattice, "Fe")["phase"][0] == "mixed"


def test_order_does_not_depend_on_turn_shift_unit_or_species() -> None:
    particle = samples.fept_particle(6, n_atoms=1500)
    generator = np.random.default_rng(6)
    turn = Rotation.random(rng=generator).as_matrix()
    moved = Atoms(particle.atoms.numbers, 0.1 * particle.atoms.positions @ turn.T + [7, 8, 9])
    sets = csr_array(
        (np.linalg.norm(particle.sites - [[[5, 0, 0]], [[-5, 4, 0]]], axis=2) < 9).astype(float)
    )
    tables = [
        tomography.box_order(atoms, sets, tomography.fit_lattice(atoms.positions), species)
        for atoms, species in [(particle.atoms, "Fe"), (moved, "Fe"), (particle.atoms, "Pt")]
    ]
    for other in tables[1:]:
        for kind in ("wave", "error", "floor"):
            names = [f"{kind}_{j}" for j in (1, 2, 3)]
            # A turn may name the axes in another order.
            first, second = np.sort(tables[0][names]), np.sort(other[names])
            assert second == pytest.approx(first, abs=1e-6)
        assert other["phase"].tolist() == tables[0]["phase"].tolist()


def test_positional_errors_weaken_waves_as_debye_and_waller_say() -> None:
    """By exp(-k^2 sigma^2 / 2): k is 2 pi / a for superlattice waves."""
    atoms = crystal("L1_2", n=14)
    lattice = tomography.fit_lattice(atoms.positions)
    for sigma in (0.1, 0.2, 0.4):
        noise = np.random.default_rng(7).normal(0, sigma, (len(atoms), 3))
        noisy = Atoms(atoms.numbers, atoms.positions + noise)
        row = tomography.box_order(noisy, whole(noisy), lattice, "Fe").iloc[0]
        k = 2 * np.pi / A
        drop = np.exp(-0.5 * (k * sigma) ** 2)
        for j in (1, 2, 3):
            deviation = abs(row[f"wave_{j}"] - 0.25 * drop)
            assert deviation < STANDARD_ERRORS * row[f"error_{j}"]
        squares = [np.exp(-n * (k * sigma) ** 2) for n in (3, 3, 3, 3, 4, 4, 4)]
        assert row["fundamental"] == pytest.approx(np.sqrt(np.mean(squares)), abs=0.02)


def test_noise_floor_and_error_are_those_of_species_drawn_anew() -> None:
    particle = single("fcc", 0.3, 0.0, seed=0)
    near = np.abs(particle.sites).max(axis=1) < 6.0
    atoms = particle.atoms[near]
    lattice = tomography.fit_lattice(particle.atoms.positions)
    generator = np.random.default_rng(8)
    tables = []
    for _ in range(400):
        atoms.numbers = generator.permutation(atoms.numbers)
        tables.append(tomography.box_order(atoms, whole(atoms), lattice, "Fe").iloc[0])
    for j in (1, 2, 3):
        squares = np.array([row[f"wave_{j}"] ** 2 for row in tables])
        floor = tables[0][f"floor_{j}"] ** 2
        deviation = abs(squares.mean() - floor)
        assert deviation < STANDARD_ERRORS * squares.std() / np.sqrt(len(squares))
    # Where a wave is near zero its direction is that of the noise, and the error comes out small.
    errors = np.median([row["error_1"] for row in tables])
    assert errors == pytest.approx(tables[0]["floor_1"], rel=0.1)


def test_error_of_an_amplitude_is_the_scatter_over_draws() -> None:
    """Draws of the same partial order scatter by the stated error, in a direction that is real."""
    found = []
    for seed in range(60):
        atoms = single("L1_0", 0.5, 0.6, seed).atoms
        atoms = atoms[np.abs(atoms.positions).max(axis=1) < 8.0]
        lattice = Lattice(A, 0.0, np.eye(3), 0.0, np.zeros(3), 0.0, 1.0)
        found.append(tomography.box_order(atoms, whole(atoms), lattice, "Fe").iloc[0])
    scatter = np.std([row["amplitude"] for row in found])
    stated = np.mean([row[f"error_{row['axis']}"] for row in found])
    assert stated == pytest.approx(scatter, rel=0.3)


@pytest.mark.parametrize(
    ("phase", "iron", "order", "least"),
    [
        ("L1_0", 0.5, 0.8, 98), ("L1_0", 0.5, 0.6, 93), ("L1_0", 0.5, 0.4, 70),
        ("L1_0", 0.28, 1.0, 95), ("L1_2", 0.25, 0.8, 98), ("L1_2", 0.25, 0.6, 85),
        ("L1_2", 0.25, 0.4, 45), ("fcc", 0.3, 0.0, 88),
    ],
)  # fmt: skip
def test_rates_of_recognition_in_boxes_of_known_order(phase, iron, order, least) -> None:
    """Lower bounds: full boxes of 12 Å with the errors of tomography in species and position."""
    answers = np.concatenate(
        [in_core(single(phase, iron, order, seed), 150)["phase"] for seed in range(2)]
    )
    assert 100 * np.mean(answers == phase) >= least


def test_disordered_boxes_are_called_ordered_as_often_as_stated() -> None:
    """Boxes apart from each other, so that their answers are independent."""
    middles = np.stack(np.meshgrid(*3 * [[-7.0, 7.0]]), axis=-1).reshape(-1, 3)
    called = []
    for seed in range(60):
        particle = single("fcc", 0.3, 0.0, (1, seed))
        held = tomography.members(particle.atoms.positions, middles, 12.0)
        lattice = Lattice(A, 0.0, np.eye(3), 0.0, np.zeros(3), 0.0, 1.0)
        called += (
            tomography.box_order(particle.atoms, held, lattice, "Fe")["phase"] != "fcc"
        ).tolist()
    error = np.sqrt(LEVEL * (1 - LEVEL) / len(called))
    assert np.mean(called) == pytest.approx(LEVEL, abs=STANDARD_ERRORS * error)


def test_boxes_without_atoms_or_lattice_have_no_phase() -> None:
    atoms = crystal("L1_2")
    lattice = tomography.fit_lattice(atoms.positions)
    sets = csr_array(np.arange(len(atoms)) < [[0], [1], [49], [300]], dtype=float)
    table = tomography.box_order(atoms, sets, lattice, "Fe")
    assert table["phase"].tolist() == ["", "", "", "L1_2"]
    assert np.isnan(table["wave_1"][:2]).all() and np.isfinite(table["wave_1"][2:]).all()
    assert table["axis"].tolist()[:2] == [0, 0]
    turned = Rotation.from_euler("z", 30, degrees=True).apply(atoms.positions)
    liquid = np.random.default_rng(9).uniform(0, 6 * A, (len(atoms), 3))
    for positions in (turned, liquid):
        row = tomography.box_order(
            Atoms(atoms.numbers, positions), whole(atoms), lattice, "Fe"
        ).iloc[0]
        assert row["phase"] == "" and row["fundamental"] < LATTICE


def test_one_species_is_disordered() -> None:
    """Without iron there is no order, and no division by zero."""
    atoms = crystal("L1_2")
    held = csr_array((atoms.symbols == "Pt").astype(float)[None, :])
    row = tomography.box_order(atoms, held, tomography.fit_lattice(atoms.positions), "Fe").iloc[0]
    assert (row["phase"], row["amplitude"], row["floor_1"]) == ("fcc", 0.0, 0.0)


def test_periodic_samples_and_missing_species_are_refused() -> None:
    atoms = crystal("L1_2")
    lattice = tomography.fit_lattice(atoms.positions)
    with pytest.raises(InputError, match="no Cu; it has Fe, Pt"):
        tomography.box_order(atoms, whole(atoms), lattice, "Cu")
    atoms.pbc = True
    with pytest.raises(InputError, match="periodic"):
        tomography.box_order(atoms, whole(atoms), lattice, "Fe")


# --- agreement ---------------------------------------------------------------------------------


def test_confusion_counts_boxes_that_both_sides_name() -> None:
    labels = ["L1_0", "In", "fcc", "", "L1_2", "L1_0"]
    phase = ["L1_0", "L1_0", "L1_2", "L1_2", "", "mixed"]
    table = tomography.confusion(labels, phase)
    assert table.to_numpy().sum() == 4
    assert table.loc["L1_0"].to_dict() == {"L1_2": 0, "L1_0": 1, "fcc": 0, "another class": 1}
    share = tomography.agreement(table)
    assert (share["L1_0"], share["L1_2"], np.isnan(share["fcc"])) == (50, 0, True)
    assert share["all"] == pytest.approx(100 / 3)


def test_confusion_of_strong_waves_only() -> None:
    amplitude = [0.3, 0.1, np.nan]
    table = tomography.confusion(["L1_0"] * 3, ["L1_0"] * 3, amplitude=amplitude, above=0.22)
    assert table.to_numpy().sum() == 1
    with pytest.raises(InputError, match="Give `amplitude`"):
        tomography.confusion(["L1_0"], ["L1_0"], above=0.22)
    with pytest.raises(InputError, match="same boxes"):
        tomography.confusion(["L1_0"], ["L1_0", "fcc"])


# --- alignment ---------------------------------------------------------------------------------


def test_a_series_is_turned_back() -> None:
    """Frames with their own errors, turned by 3 to 10 degrees."""
    frames = samples.annealing_series(0, n_atoms=1500)
    for frame in frames[1:]:
        found = tomography.align(frame.atoms.positions, frames[0].atoms.positions)
        left = Rotation.from_matrix(found.rotation @ frame.turn).magnitude()
        assert np.degrees(left) < 0.2
        assert 3.0 < found.angle < 10.0
        moved = found.apply(frame.atoms.positions)
        away = np.linalg.norm(moved - frames[0].sites, axis=1)
        assert np.sqrt(np.mean(away**2)) < 1.1 * samples.TOMOGRAPHY_ERROR


def test_of_the_turns_of_a_cube_the_smallest_is_taken() -> None:
    """Whatever axes the two fits have chosen, up to the 45 degrees at which they may differ."""
    positions = samples.fept_particle(0, n_atoms=800).atoms.positions
    for start in (0, 40):
        first = Rotation.from_euler("z", start, degrees=True).apply(positions)
        second = Rotation.from_euler("z", start + 12, degrees=True).apply(positions)
        found = tomography.align(second, first)
        assert found.euler == pytest.approx([0.0, 0.0, -12.0], abs=1e-3)


# --- from core to shell ------------------------------------------------------------------------


def table(values, distance, block, n_atoms=100) -> pd.DataFrame:
    data = {"value": values, "distance": distance, "block": block, "n_atoms": n_atoms}
    return pd.DataFrame(data)


def test_boxes_know_their_zone() -> None:
    atoms = samples.fept_particle(1, n_atoms=3000).atoms
    radius = A * (3 * len(atoms) / (16 * np.pi)) ** (1 / 3)
    axes = {"x": [0.0, 0.6 * radius, 0.9 * radius, 2 * radius], "y": [0.0], "z": [0.0]}
    values = (("z", "y", "x"), np.array([[[1.0, 2.0, 3.0, np.nan]]]))
    maps = xr.Dataset({"mi": values, "n_atoms": values}, axes, attrs={"box": 12.0})
    found = tomography.box_table(atoms, maps, "mi")
    assert found["zone"].tolist() == ["core", "between", "shell"]
    assert found["distance"].to_numpy() == pytest.approx([0.0, 0.6, 0.9], abs=0.03)
    assert found["value"].tolist() == [1.0, 2.0, 3.0]


def test_profiles_are_medians_whose_intervals_cover_the_truth() -> None:
    generator = np.random.default_rng(0)
    covered = []
    for _ in range(40):
        values = generator.normal(size=100)
        profile = tomography.radial_profile(
            table(values, 0.5, np.arange(100)), [0.0, 1.0], n_draws=200
        )
        assert profile["median"].iloc[0] == np.median(values)
        covered.append(profile["low"].iloc[0] < 0.0 < profile["high"].iloc[0])
    assert np.mean(covered) > 0.8


def test_boxes_that_share_atoms_do_not_count_twice() -> None:
    """Ten copies of each value in one block make the interval no narrower."""
    values = np.random.default_rng(1).normal(size=60)
    once = table(values, 0.5, np.arange(60))
    often = pd.concat([once] * 10)
    widths = [
        np.ptp(tomography.radial_profile(boxes, [0.0, 1.0])[["low", "high"]].to_numpy())
        for boxes in (once, often)
    ]
    assert widths[1] == pytest.approx(widths[0], rel=0.25)


def test_a_change_is_told_from_chance() -> None:
    generator = np.random.default_rng(2)
    first = table(generator.normal(0.0, 1.0, 200), 0.5, np.arange(200))
    last = table(generator.normal(-1.0, 1.0, 200), 0.5, np.arange(200))
    same = table(generator.normal(0.0, 1.0, 200), 0.5, np.arange(200))
    change = tomography.change_of_median(first, last)
    assert change["low"] < -1.0 < change["high"] < 0.0 and change["p"] < 0.01
    assert tomography.change_of_median(first, same)["p"] > 0.05


def test_a_change_of_nothing_is_undefined_and_boxes_without_value_are_left_out() -> None:
    full, empty = table([1.0, 2.0, 4.0], 0.5, range(3)), table([], [], [])
    undefined = table([np.nan, np.inf], 0.5, range(2))
    for pair in ((empty, full), (full, empty), (undefined, full)):
        assert tomography.change_of_median(*pair, n_draws=9).isna().all()
    found = tomography.change_of_median(full, pd.concat([undefined, full + 1.0]))
    pd.testing.assert_series_equal(found, tomography.change_of_median(full, full + 1.0))
    profile = tomography.radial_profile(pd.concat([undefined, full]), [0.0, 1.0])
    pd.testing.assert_frame_equal(profile, tomography.radial_profile(full, [0.0, 1.0]))


def test_matching_removes_what_comes_from_the_number_of_atoms() -> None:
    generator = np.random.default_rng(3)
    tables = []
    for shift in (0, 30):
        n_atoms = generator.integers(50, 90, 500) + shift
        tables.append(table(n_atoms.astype(float), 0.5, np.arange(500), n_atoms))
    first, last = tomography.matched(tables)
    assert len(first) == len(last) > 30
    assert first["n_atoms"].mean() == pytest.approx(last["n_atoms"].mean(), abs=2.0)
    with pytest.raises(InputError, match="nothing is compared"):
        tomography.matched([table([1.0], 0.5, 0, 50), table([1.0], 0.5, 0, 90)])


# --- particles ---------------------------------------------------------------------------------


def test_particles_have_the_order_that_they_claim() -> None:
    """On its own sites iron is more frequent by S, and positions are off by the stated error."""
    particle = samples.fept_particle(2, n_atoms=20_000, n_domains=4, order=0.7, wrong=0.0)
    halves = np.rint(2 * particle.sites / samples.FEPT_CONSTANT).astype(int) % 2
    iron = particle.numbers == 26
    for domain in range(4):
        here = particle.domain == domain
        phase = particle.phase[here][0]
        sublattice = 2 * halves[here, 0] + halves[here, 1]
        shares = np.array([iron[here][sublattice == k].mean() for k in range(4)])
        own = np.sort(shares)[::-1]
        split = {"L1_2": 1, "L1_0": 2, "fcc": 4}[phase]
        if phase == "fcc":
            assert np.ptp(shares) < 0.12
        else:
            difference = own[:split].mean() - own[split:].mean()
            assert difference == pytest.approx(particle.order[here].mean(), abs=0.06)
    off = particle.atoms.positions - particle.sites
    assert np.sqrt((off**2).sum(axis=1).mean()) == pytest.approx(samples.TOMOGRAPHY_ERROR, rel=0.03)


def test_particles_lose_iron_towards_the_surface_and_a_few_names() -> None:
    particle = samples.fept_particle(4, n_domains=1, domains={"fcc": 1.0}, wrong=0.05)
    distance = np.linalg.norm(particle.sites, axis=1)
    inner = distance < np.quantile(distance, 0.3)
    outer = distance > np.quantile(distance, 0.7)
    iron = particle.numbers == 26
    assert iron[inner].mean() > iron[outer].mean() + 0.01
    wrong = (particle.atoms.numbers != particle.numbers).mean()
    assert wrong == pytest.approx(0.05, abs=0.006)
    assert len(particle.atoms) == pytest.approx(23_000, rel=0.03)


def test_a_series_keeps_its_domains_while_order_grows() -> None:
    first, _, last = samples.annealing_series(3, n_atoms=2500)
    assert (first.domain == last.domain).all() and (first.phase == last.phase).all()
    ordered = first.phase != "fcc"
    assert (last.order[ordered] > first.order[ordered]).all()
    assert (first.order[~ordered] == 0).all()
    # Disordered domains keep their species, and ordered ones change only some.
    changed = first.numbers != last.numbers
    assert not changed[~ordered].any() and 0.02 < changed[ordered].mean() < 0.5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"order": 1.5}, "from 0 to 1"), ({"n_domains": 0}, "at least one"),
        ({"domains": {"bcc": 1.0}}, "'bcc'.*L1_0"), ({"iron": {"fcc": 0.3}}, "share of iron"),
    ],
)  # fmt: skip
def test_impossible_particles_are_refused(wrong, message) -> None:
    with pytest.raises(InputError, match=message):
        samples.fept_particle(0, **wrong)
