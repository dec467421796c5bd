from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from threadpoolctl import threadpool_limits

from arise_lib.descriptor import RADIAL_BASES, SoapSettings, describe, training_grid
from arise_lib.descriptor._engine.grid import radial_table
from arise_lib.descriptor._engine.harmonics import fill_harmonics, harmonic_columns, recurrence
from arise_lib.errors import InputError
from arise_lib.storage import paths
from arise_lib.storage.fingerprints import PACKAGE, fingerprint
from arise_lib.storage.parallel import workers
from arise_lib.structures import prototypes
from arise_lib.structures.scale import overall_nearest_neighbour_distance
from arise_lib.training import vectors
from arise_lib.training.datasets import DataSet, data_set, defective_set, pristine_set
from arise_lib.training.fit import Training, settle, train
from arise_lib.training.units import (
    DISPLACEMENTS,
    MISSING,
    Recipe,
    Unit,
    all_conditions,
    defective_units,
    pristine_units,
)
from arise_lib.training.vectors import describe_unit, describe_units

FEW = ("fcc", "NaCl", "graphene", "nanotube (3,3)")  # 4 + 4 + 4 + 1 pristine structures
TWO = (SoapSettings(), SoapSettings(cutoff=3.0, extrinsic=1.05))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "DERIVED", tmp_path)
    return tmp_path


# --- sizes of the sets -----------------------------------------------------------------------


def test_size_of_the_pristine_set() -> None:
    # Paper, Methods: 96 x (1 + 3) + 12 structures x 11 x 3 x 3 settings.
    units = pristine_units()
    assert len(set(units)) == len(units) == 96 * 4 + 12 == 396
    assert len(units) * len(training_grid()) == 39_204
    assert all(unit.displacement == unit.missing == 0 for unit in units)
    per_class = Counter((unit.label, unit.periodic) for unit in units)
    for label in prototypes.LABELS:
        tube = prototypes.get(label).family == "nanotube"
        assert per_class[label, True] == (0 if tube else 1)
        assert per_class[label, False] == (1 if tube else 3)


def test_size_of_the_clusters() -> None:
    # Mean 282, at most 2,048 atoms (the paper's set), at least 100.
    sizes = [len(unit.build()) for unit in pristine_units() if not unit.periodic]
    assert len(sizes) == 300
    assert (min(sizes), max(sizes), round(np.mean(sizes))) == (100, 2048, 282)


def test_clusters_of_a_class_are_consecutive_supercells() -> None:
    units = [unit for unit in pristine_units(["diamond"]) if not unit.periodic]
    assert [len(unit.build()) for unit in units] == [2 * n**3 for n in (4, 5, 6)]
    units = [unit for unit in pristine_units(["graphene"]) if not unit.periodic]
    assert [len(unit.build()) for unit in units] == [2 * n**2 for n in (8, 9, 10)]
    assert not any(unit.build().pbc.any() for unit in units)


def test_size_of_the_defective_set() -> None:
    # 588 structures x 10 draws x 24 conditions.
    conditions = all_conditions()
    assert len(set(conditions)) == len(conditions) == 24
    seeds = set()
    for kind, step in conditions:
        for draw in range(10):
            units = defective_units(kind, step, draw)
            assert len(units) == 96 * 3 * 2 + 12 == 588
            seeds.update(unit.seed for unit in units)
    assert len(seeds) == 141_120  # no two structures share their random numbers


def test_defective_shapes() -> None:
    units = defective_units("missing", 0, 0)
    shapes = Counter((unit.label, unit.periodic) for unit in units)
    assert shapes["fcc", True] == shapes["fcc", False] == 3
    assert (shapes["nanotube (7,1)", True], shapes["nanotube (7,1)", False]) == (0, 1)
    sheet = next(unit for unit in units if unit.label == "graphene" and unit.periodic)
    assert sheet.build().pbc.tolist() == [True, True, False]


def test_ratios() -> None:
    assert DISPLACEMENTS == (0.001, 0.002, 0.006, 0.01, 0.02, 0.04, 0.07, 0.10)
    assert MISSING == (0.01, 0.02, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30)
    both = defective_units("both", 6, 0)
    assert {(unit.displacement, unit.missing) for unit in both} == {(0.07, 0.25)}
    displaced, missing = defective_units("displaced", 1, 0), defective_units("missing", 1, 0)
    assert {(unit.displacement, unit.missing) for unit in displaced} == {(0.002, 0.0)}
    assert {(unit.displacement, unit.missing) for unit in missing} == {(0.0, 0.02)}


@pytest.mark.parametrize(("kind", "step"), [("vacancies", 0), ("both", 8), ("both", -1)])
def test_unknown_defects(kind: Any, step: int) -> None:
    with pytest.raises(InputError, match=rf"{kind!r}, step {step}: kinds are .* steps 0 to 7"):
        defective_units(kind, step, 0)


# --- single units ----------------------------------------------------------------------------


@pytest.mark.parametrize("step", range(8))
def test_defects_of_a_unit(step: int) -> None:
    for kind in ("displaced", "missing", "both"):
        for unit in defective_units(kind, step, 3, labels=["NaCl", "graphene"]):  # type: ignore[arg-type]
            whole, atoms = replace(unit, displacement=0.0, missing=0.0).build(), unit.build()
            share = 0 if kind == "displaced" else round(100 * MISSING[step])
            assert len(atoms) == len(whole) - len(whole) * share // 100
            # Removed first, then displaced: the same atoms remain with and without displacement.
            rest = replace(unit, displacement=0.0).build()
            assert np.array_equal(rest.numbers, atoms.numbers)
            limit = 0.0 if kind == "missing" else DISPLACEMENTS[step]
            bound = limit * overall_nearest_neighbour_distance(rest)
            shift = np.abs(atoms.positions - rest.positions).max()
            assert 0.9 * bound <= shift <= bound * (1 + 1e-9)


def test_same_unit_same_structure_and_no_two_alike() -> None:
    first = defective_units("displaced", 4, 0, labels=["fcc"])
    again = defective_units("displaced", 4, 0, labels=["fcc"])
    others = [
        defective_units("displaced", 4, 1, labels=["fcc"]),
        defective_units("displaced", 4, 0, labels=["fcc"], seed=1),
    ]
    for k, unit in enumerate(first):
        positions = unit.build().positions
        assert np.array_equal(positions, again[k].build().positions)
        for other in others:
            assert not np.array_equal(positions, other[k].build().positions)
    # The periodic and the free cluster of one size are displaced differently.
    assert not np.array_equal(first[0].build().positions, first[1].build().positions)


def test_removal_and_displacement_draw_independently() -> None:
    unit = Unit("fcc", 5, periodic=True, displacement=0.04, missing=0.1, seed=(0, 2, 3, 0, 0))
    other = replace(unit, missing=0.0)
    assert len(unit.build()) == 113 and len(other.build()) == 125
    only_displaced = replace(unit, missing=0.0).build()
    assert np.array_equal(only_displaced.positions, other.build().positions)


def test_structures_do_not_depend_on_the_other_classes() -> None:
    everything = defective_units("both", 3, 1)
    few = defective_units("both", 3, 1, labels=["NaCl", "fcc", "nanotube (4,2)"])
    assert set(few) == {
        unit for unit in everything if unit.label in ("NaCl", "fcc", "nanotube (4,2)")
    }
    assert len({unit.seed for unit in everything}) == len(everything) == 588


def test_vector_of_a_unit_is_that_of_its_structure() -> None:
    unit = defective_units("both", 3, 0, labels=["NaCl"])[1]
    found = describe_unit(unit, TWO)
    assert found.shape == (2, 316) and found.dtype == np.float32
    for row, settings in zip(found, TWO, strict=True):
        assert row == pytest.approx(describe(unit.build(), settings), abs=1e-6)


@pytest.mark.parametrize("displacement", [0.0, 0.05])
def test_cluster_of_which_one_atom_is_left(displacement: float) -> None:
    unit = Unit("diamond", 1, periodic=False, missing=0.5, displacement=displacement)
    assert len(unit.build()) == 1
    assert np.isnan(describe_unit(unit, TWO)).all()
    settings = (SoapSettings(radial="gto"),)
    assert np.isnan(describe_unit(unit, settings)).all()
    assert describe_unit(unit, settings).shape == (1, 315)
    # Its neighbours in the list are not affected.
    whole = Unit("diamond", 1, periodic=True)
    found = describe_units([whole, unit, whole], TWO)
    assert np.isnan(found[1]).all() and np.isfinite(found[[0, 2]]).all()


# --- workers ---------------------------------------------------------------------------------


def mixed_units() -> list[Unit]:
    return [*pristine_units(FEW)[::2], *defective_units("both", 3, 0, labels=FEW)[::3]]


@pytest.fixture(scope="module")
def one_worker() -> np.ndarray:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return describe_units(mixed_units(), TWO, executor=pool)


@pytest.mark.parametrize("n", [2, 5])
def test_threads_give_the_same_bytes(one_worker: np.ndarray, n: int) -> None:
    with ThreadPoolExecutor(max_workers=n) as pool:
        found = describe_units(mixed_units(), TWO, executor=pool)
    assert found.tobytes() == one_worker.tobytes()
    assert not np.isnan(found).any()


def test_default_pool_gives_the_same_bytes(one_worker: np.ndarray) -> None:
    assert describe_units(mixed_units(), TWO).tobytes() == one_worker.tobytes()


def harmonics_first() -> None:
    """Load the compiled harmonics on their own: the engine is then linked to that version."""
    columns = harmonic_columns(2, even_only=False)
    fill_harmonics(np.ones((3, 8)), columns, recurrence(2), np.empty((9, 8)))


@pytest.mark.parametrize("initializer", [None, harmonics_first])
def test_processes_give_the_same_bytes(one_worker: np.ndarray, initializer: Any) -> None:
    # Spawned: nothing but the units goes over to them.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, initializer=initializer) as pool:
        found = describe_units(mixed_units(), TWO, executor=pool)
    assert found.tobytes() == one_worker.tobytes()


def test_order_of_units_does_not_matter(one_worker: np.ndarray) -> None:
    units = mixed_units()
    order = np.random.default_rng(0).permutation(len(units))
    found = describe_units([units[k] for k in order], TWO)
    assert found.tobytes() == one_worker[order].tobytes()


@pytest.mark.parametrize("radial", list(RADIAL_BASES))
def test_threads_of_the_matrix_library_do_not_matter(radial: str) -> None:
    grid = training_grid(radial)
    tables = []
    for limit in (1, 2):
        with threadpool_limits(limits=limit):
            tables.append(radial_table.__wrapped__(grid).functions)
    assert tables[0].tobytes() == tables[1].tobytes()


def test_given_executor_is_left_open() -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        with workers(pool) as used:
            assert used is pool
        assert pool.submit(int, "1").result() == 1
    with workers(None) as own:
        assert own.submit(int, "1").result() == 1
    with pytest.raises(RuntimeError, match="after shutdown"):
        own.submit(int, "1")


# --- whole sets ------------------------------------------------------------------------------


def test_pristine_set() -> None:
    data = pristine_set(settings=TWO, labels=FEW)
    units = pristine_units(FEW)
    assert len(data) == len(data.units) == len(data.features) == len(units) * 2 == 26
    assert data.features.dtype == np.float32 and np.isfinite(data.features).all()
    assert data.labels == prototypes.LABELS
    assert data.classes.tolist() == [prototypes.LABELS.index(u.label) for u in units for _ in TWO]
    # Structure by structure, settings fastest; the table says which is which.
    for row in (0, 7, 25):
        line = data.units.iloc[row]
        settings = SoapSettings(
            cutoff=line["cutoff"], sigma=line["sigma"], extrinsic=line["extrinsic"]
        )
        unit = Unit(line["label"], int(line["size"]), bool(line["periodic"]))
        assert settings == TWO[row % 2] and unit == units[row // 2]
        expected = describe(unit.build(), settings)
        assert data.features[row] == pytest.approx(expected, abs=1e-6)
    assert line["label"] == prototypes.LABELS[data.classes[row]]


def test_pristine_set_by_default_has_the_papers_99_settings() -> None:
    data = pristine_set("gto", labels=["bcc"])
    assert data.features.shape == (4 * 99, 315)
    described = data.units[["cutoff", "sigma", "extrinsic"]].to_numpy()
    assert described[:99].tolist() == [
        [s.cutoff, s.sigma, s.extrinsic] for s in training_grid("gto")
    ]


def test_pristine_set_is_read_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    first = pristine_set(settings=TWO, labels=["fcc"])
    monkeypatch.setattr(vectors, "describe_units", None)  # calling it would raise
    again = pristine_set(settings=TWO, labels=["fcc"])
    assert again.features.tobytes() == first.features.tobytes()
    assert again.units.equals(first.units)
    with pytest.raises(TypeError):
        pristine_set(settings=TWO[:1], labels=["fcc"])  # other settings are another result


class Interrupting(Executor):
    """Runs in the caller's thread and is interrupted, as by Ctrl-C, after some units."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.done = 0

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise AssertionError("the sets go through map")

    def map(self, function: Any, *iterables: Any, **kwargs: Any) -> Iterator[Any]:  # type: ignore[override]
        for args in zip(*iterables, strict=True):
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            self.done += 1
            yield function(*args)


LABELS = ("bcc", "CsCl")
CONDITIONS: list[tuple[Any, int]] = [("displaced", 3), ("missing", 4), ("both", 2)]
PIECE = 12  # 2 classes x 3 sizes x 2


def run(executor: Executor | None = None) -> dict[tuple[str, int, int], bytes]:
    pieces = defective_set(CONDITIONS, range(2), labels=LABELS, executor=executor)
    return {(kind, step, draw): data.features.tobytes() for kind, step, draw, data in pieces}


def test_interrupted_and_resumed_equals_one_run(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(max_workers=2) as pool:
        at_once = run(pool)
    assert list(at_once) == [(kind, step, draw) for kind, step in CONDITIONS for draw in range(2)]
    assert len(set(at_once.values())) == 6

    monkeypatch.setattr(paths, "DERIVED", own_cache / "second")
    with pytest.raises(KeyboardInterrupt):
        run(Interrupting(after=2 * PIECE + 5))
    files = [path for path in (own_cache / "second").rglob("*") if path.is_file()]
    assert len(files) == 2 and {path.suffix for path in files} == {".npz"}  # nothing half-written

    rest = Interrupting(after=10**9)
    assert run(rest) == at_once
    assert rest.done == 4 * PIECE  # the two pieces that were ready are not computed again

    idle = Interrupting(after=0)
    assert run(idle) == at_once
    assert idle.done == 0


def test_unit_that_fails_is_reported_and_nothing_is_kept(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def failing(unit: Unit, settings: tuple[SoapSettings, ...]) -> np.ndarray:
        calls.append(unit)
        if len(calls) == 5:
            raise MemoryError("full")
        return describe_unit(unit, settings)

    monkeypatch.setattr(vectors, "describe_unit", failing)
    with pytest.raises(MemoryError, match="full"):
        run()
    assert not [path for path in own_cache.rglob("*") if path.is_file()]


def test_piece_of_the_defective_set() -> None:
    ((kind, step, draw, data),) = defective_set([("both", 2)], [7], labels=LABELS, seed=3)
    assert (kind, step, draw) == ("both", 2, 7)
    units = defective_units("both", 2, 7, labels=LABELS, seed=3)
    assert len(data) == len(units) == PIECE
    assert data.units["displacement"].unique().tolist() == [DISPLACEMENTS[2]]
    assert data.units["missing"].unique().tolist() == [MISSING[2]]
    assert data.units["label"].tolist() == [unit.label for unit in units]
    assert data.features[4] == pytest.approx(describe(units[4].build()), abs=1e-6)


def test_damaged_piece_is_computed_anew(own_cache: Path) -> None:
    first = run()
    damaged = next(iter(sorted(own_cache.rglob("*.npz"))))
    damaged.write_bytes(damaged.read_bytes()[:-200])
    with pytest.warns(UserWarning, match="is computed anew"):
        assert run() == first


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("structures/prototypes.py", "if entry.chirality is not None", "if entry.chirality"),
        ("structures/supercells.py", "MIN_ATOMS = 100", "MIN_ATOMS = 101"),
        ("training/units.py", "(*self.seed, 1)", "(*self.seed, 2)"),
        ("descriptor/_engine/elements.py", "import numpy as np", "import numpy as np\nX = 1"),
    ],
)
def test_other_code_is_another_result(tmp_path: Path, module: str, old: str, new: str) -> None:
    """What is stored was made by this code: a copy of the package with a change has another key."""
    copy = copytree(PACKAGE, tmp_path / "arise_lib")
    found = fingerprint("arise_lib.training.vectors", package=copy)
    assert found == fingerprint("arise_lib.training.vectors")
    text = (copy / module).read_text()
    assert old in text
    (copy / module).write_text(text.replace(old, new))
    assert fingerprint("arise_lib.training.vectors", package=copy) != found


def test_another_table_of_prototypes_is_another_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pristine_set(settings=TWO[:1], labels=["fcc"])
    table = copytree(paths.PROTOTYPES, tmp_path / "prototypes")
    (table / "cells.csv").write_text((table / "cells.csv").read_text() + "\n")
    monkeypatch.setattr(paths, "PROTOTYPES", table)
    pristine_set(settings=TWO[:1], labels=["fcc"])
    assert len(list((paths.DERIVED / "pristine").iterdir())) == 2


# --- parts of sets, joined sets, own classes -------------------------------------------------


def few() -> DataSet:
    features = np.arange(12, dtype=np.float32).reshape(6, 2)
    table = pd.DataFrame({"label": ["b", "a", "c", "a", "b", "b"]})
    return DataSet(features, np.array([1, 0, 2, 0, 1, 1]), ("a", "b", "c"), table)


@pytest.mark.parametrize(
    "rows",
    [
        [4, 1],
        np.array([4, 1]),
        np.isin(np.arange(6), [1, 4]),
        slice(1, 5, 3),
        pd.Series([4, 1]),
        [],
    ],
)
def test_some_rows(rows: Any) -> None:
    data, numbers = few(), np.arange(6)[rows]
    part = data.select(rows)
    assert part.features.tolist() == data.features[numbers].tolist()
    assert [part.labels[k] for k in part.classes] == part.units["label"].tolist()
    assert len(part) == len(numbers) and part.labels == data.labels
    assert part.units.index.tolist() == list(range(len(numbers)))


def test_rows_of_one_setting() -> None:
    data = pristine_set(settings=TWO, labels=FEW)
    for k, settings in enumerate(TWO):
        part, alone = data.of(settings), pristine_set(settings=[settings], labels=FEW)
        assert part.features.tobytes() == data.features[k::2].tobytes()
        assert part.features == pytest.approx(alone.features, abs=1e-6)
        assert part.units.equals(alone.units)
    for absent in (SoapSettings(cutoff=3.5), SoapSettings(radial="gto")):
        with pytest.raises(InputError, match="None of the 26 vectors of 316 features was made"):
            data.of(absent)
    with pytest.raises(InputError, match="None of the 6 vectors"):
        few().of(SoapSettings())


def test_joined_sets_keep_their_classes() -> None:
    first, table = few(), pd.DataFrame({"label": ["d", "a"], "size": [3, 4]})
    second = DataSet(np.ones((2, 2), np.float32), np.array([0, 1]), ("d", "a"), table)
    both = DataSet.concatenate(first, second)
    assert both.labels == ("a", "b", "c", "d")
    assert [both.labels[k] for k in both.classes] == both.units["label"].tolist()
    assert both.features.tolist() == [*first.features.tolist(), *second.features.tolist()]
    assert both.classes.dtype == np.int64
    assert DataSet.concatenate(first).classes.tolist() == first.classes.tolist()


def test_classes_numbered_by_other_labels() -> None:
    part = few().select([0, 1]).numbered(("x", "b", "a"))
    assert part.labels == ("x", "b", "a") and part.classes.tolist() == [1, 2]
    with pytest.raises(InputError, match=r"The classes \['c'\] occur"):
        few().numbered(("a", "b"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": np.array([0, 1])}, "6 vectors, 2 classes and 6 rows"),
        ({"labels": ("a", "b", "a")}, "A label stands twice"),
        ({"labels": ("a", "b")}, "Classes 0 to 2 do not all have one of the 2 labels"),
        ({"classes": np.array([0, 0, 0, 0, 0, -1])}, "Classes -1 to 0"),
    ],
)
def test_parts_that_do_not_belong_together(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(few(), **change)


def test_sets_that_cannot_be_joined() -> None:
    wide = replace(few(), features=np.ones((6, 3), np.float32))
    with pytest.raises(InputError, match=r"2 data sets with vectors of \[2, 3\] features"):
        DataSet.concatenate(few(), wide)
    with pytest.raises(InputError, match="0 data sets"):
        DataSet.concatenate()


@dataclass(frozen=True)
class Toy(Recipe):
    """A crystal of polonium: simple cubic as in nature, or as it is not."""

    size: int

    def build(self) -> Atoms:
        lattice = {"cubic": "sc", "centred": "bcc", "close-packed": "fcc"}[self.label]
        return bulk("Po", lattice, a=3.4) * self.size


TOYS = ("cubic", "centred", "close-packed")


def test_a_network_of_own_classes() -> None:
    units = [Toy(label, size) for size in (1, 2, 3) for label in TOYS]
    settings = training_grid()[::9]
    data = data_set(units, settings)
    assert data.labels == TOYS and len(data) == 9 * 11
    assert data.units["size"].tolist() == [unit.size for unit in units for _ in settings]
    recipe = Training(hidden=(32,), dropout=0.0, learning_rate=0.01, batch_size=8, epochs=40)
    trained, _ = train(data, settings[0], recipe)
    assert trained.classes == TOYS and trained.kernels[-1].shape == (32, 3)
    # A supercell has the vector of its cell, so that a larger one is known; to guess is 33 %.
    larger = data_set([Toy(label, 4) for label in TOYS], settings, labels=trained.classes)
    assert trained.accuracy(larger) > 0.9
    with pytest.raises(InputError, match=r"The network has 3 classes.*the data have 108"):
        other = pristine_set(settings=settings, labels=["fcc"])
        settle(trained, other, Training(hidden=(16,), settle=1))


def test_own_classes_beside_those_of_the_paper() -> None:
    pristine = pristine_set(settings=TWO, labels=["fcc"])
    both = DataSet.concatenate(pristine, data_set([Toy("cubic", 2)], TWO))
    assert both.labels == (*prototypes.LABELS, "cubic")
    fcc = prototypes.LABELS.index("fcc")
    assert both.classes.tolist() == [fcc] * 8 + [108] * 2


def test_own_classes_that_are_not_named() -> None:
    with pytest.raises(InputError, match=r"\['centred'\] of some units are not among"):
        data_set([Toy("centred", 1)], TWO, labels=("cubic",))
    with pytest.raises(InputError, match="give at least one"):
        data_set([Toy("centred", 1)], [])


def test_own_structures_of_which_nothing_is_left_are_left_out() -> None:
    lone = Unit("diamond", 1, periodic=False, missing=0.5)
    data = data_set([lone, Unit("diamond", 1, periodic=True)], TWO)
    assert len(data) == 2 and np.isfinite(data.features).all()
    assert data.units["periodic"].all()
