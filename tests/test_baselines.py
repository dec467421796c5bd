"""The baselines: ideal crystals, the paper's counts, intervals, packages that are not there."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from numpy.typing import NDArray
from sklearn.utils.estimator_checks import check_estimator

from arise_lib import baselines, bayes, compendium, network
from arise_lib.baselines import (
    METHODS,
    AriseClassifier,
    Method,
    base,
    counting,
    intervals,
    moyo,
    ovito,
    spglib,
    steinhardt,
    symmetry,
    timing,
    vectors,
)
from arise_lib.descriptor import SoapSettings
from arise_lib.errors import InputError
from arise_lib.network import Ensemble, Network
from arise_lib.storage import parallel, paths
from arise_lib.storage.fingerprints import follow
from arise_lib.training import Training, datasets
from arise_lib.training.units import Unit


def installed(key: str) -> None:
    """Skip where the optional package of a method is absent."""
    if base.version(base.get(key)) is None:
        pytest.skip(base.absent())


def smallest(label: str) -> Unit:
    (unit,) = [
        u for u in baselines.benchmark_units(base.get("ptm"), "pristine") if u.label == label
    ]
    return unit


# --- ideal crystals ----------------------------------------------------------------------------


def test_deviation_from_a_template_is_the_displacement_that_was_made() -> None:
    copper = bulk("Cu", cubic=True).repeat(5)
    spacing = copper.cell[0, 0] / 5 / np.sqrt(2)
    error = 0.03 * spacing
    moved = copper.copy()
    moved.positions += np.random.default_rng(0).normal(0.0, error, copper.positions.shape)
    assert ovito.ptm_deviation(copper).max() < 1e-3
    # Each of three coordinates has the error; the fit of rotation and scale takes some of it.
    found = ovito.ptm_deviation(moved)
    assert np.isfinite(found).all() and found.mean() == pytest.approx(0.03 * np.sqrt(3), rel=0.15)
    assert np.isnan(ovito.ptm_deviation(Atoms("Cu2", [[0, 0, 0], [0, 0, 2.5]]))).all()


@pytest.mark.parametrize("label", ovito.TEMPLATES)
def test_ptm_knows_every_atom_of_its_twelve_classes(label: str) -> None:
    assert set(ovito.ptm(smallest(label).build())) == {label}


@pytest.mark.parametrize("method", [METHODS["acna"].answer, ovito.baa])
@pytest.mark.parametrize("label", ovito.CLOSE_PACKED)
def test_methods_without_a_fixed_length_know_the_close_packed(method: object, label: str) -> None:
    atoms = smallest(label).build()
    assert callable(method) and set(method(atoms)) == {label}
    stretched = atoms.copy()
    stretched.set_cell(2.0 * atoms.cell, scale_atoms=True)
    assert set(method(stretched)) == {label}


def test_cna_has_a_length() -> None:
    magnesium = smallest("hcp").build()
    # The twelve neighbours of Mg are at 3.197 and 3.209 Å: six lie beyond the cut-off of the paper.
    assert set(ovito.cna(magnesium)) == {""}
    assert set(ovito.cna(magnesium, cutoff=3.9)) == {"hcp"}


def test_a_vacancy_costs_its_twelve_neighbours() -> None:
    copper = bulk("Cu", cubic=True).repeat(5)
    del copper[0]
    for method in (ovito.ptm, partial(ovito.cna, cutoff=None)):
        assert np.sum(method(copper) != "fcc") == 12


def test_input_is_not_changed() -> None:
    atoms = smallest("fcc").build()
    before = atoms.copy()
    ovito.ptm(atoms)
    spglib.space_group(atoms, *symmetry.LOOSE)
    assert atoms == before


GROUPS = {"fcc": 225, "bcc": 229, "hcp": 194, "sc": 221, "diamond": 227, "NaCl": 225, "FeSi": 198}


@pytest.mark.parametrize(("label", "number"), GROUPS.items())
@pytest.mark.parametrize("setting", [symmetry.LOOSE, symmetry.TIGHT])
def test_space_groups(label: str, number: int, setting: tuple[float, float]) -> None:
    atoms = Unit(label, 2, periodic=True).build()
    assert spglib.space_group(atoms, *setting) == number
    installed("moyo")
    assert moyo.space_group(atoms, *setting) == number


def test_steinhardt_knows_elemental_crystals() -> None:
    installed("steinhardt")
    for label in ("fcc", "bcc", "hcp", "sc", "diamond"):
        unit = Unit(label, 4, periodic=True)
        assert set(steinhardt.qda(unit.build())) == {label}
    # q_6 of fcc, Voronoi facets equal: 0.57452 (Steinhardt, Nelson, Ronchetti 1983).
    order = steinhardt.bond_order(Unit("fcc", 4, periodic=True).build())
    np.testing.assert_allclose(order[:, steinhardt.ORDERS.index(6)], 0.57452, atol=2e-5)
    with pytest.raises(InputError, match="periodic along 2 of three directions"):
        steinhardt.bond_order(graphene(size=(4, 4, 1), vacuum=5.0))


def test_training_draws_are_not_those_of_the_test() -> None:
    tested = {
        unit.seed
        for column in baselines.COLUMNS
        for unit in baselines.benchmark_units(base.get("steinhardt"), column)
        if column != "pristine"
    }
    trained = {unit.seed for unit in steinhardt.training_units() if unit.displacement}
    assert trained and not trained & tested


# --- the paper's counts ------------------------------------------------------------------------


def test_counts_of_cna_are_exactly_the_papers() -> None:
    cells = baselines.summary(baselines.outcomes("cna", ["pristine", "d0.1"]))
    assert cells.loc[("cna", "pristine"), ["right", "total"]].tolist() == [250, 378]
    assert cells.loc[("cna", "d0.1"), ["right", "total"]].tolist() == [1368, 2178]
    paper = compendium.paper_table2()
    for column in ("pristine", "d0.1"):
        assert round(cells.at[("cna", column), "accuracy"], 2) == paper.at["cna", column]


def test_structures_of_each_column() -> None:
    sizes = {"spglib_loose": (38, 114), "ptm": (12, 36), "cna": (3, 9), "arise": (396, 588)}
    for key, (pristine, defective) in sizes.items():
        method = base.get(key)
        assert len(baselines.benchmark_units(method, "pristine")) == pristine
        units = baselines.benchmark_units(method, "b8", draw=3)
        assert len(units) == defective
        assert {(u.displacement, u.missing, u.seed[0], u.seed[3]) for u in units} == {
            (0.10, 0.30, 0, 3)
        }
        assert not method.periodic_only or all(u.periodic for u in units)
    with pytest.raises(InputError, match="Unknown column 'd3'"):
        baselines.benchmark_units(base.get("cna"), "d3")


def test_adaptive_cna_loses_the_neighbours_of_each_vacancy() -> None:
    cells = baselines.summary(baselines.outcomes("acna", ["m1", "m5"]))
    # An atom is right while none of its twelve (fcc, hcp) or fourteen (bcc) neighbours is missing.
    assert abs(cells.at[("acna", "m1"), "accuracy"] - 89.25) < 1.5
    assert abs(cells.at[("acna", "m5"), "accuracy"] - 52.81) < 3
    assert cells.at[("acna", "m1"), "by structure"] == 100


def test_spglib_row() -> None:
    cells = baselines.summary(baselines.outcomes("spglib_tight", ["pristine", "d0.1", "m1"]))
    assert cells["total"].tolist() == [38, 114, 114]
    assert cells["accuracy"].tolist()[:2] == [100, 0]
    # 128 of 1,140 in the paper.
    low, high = cells.loc[("spglib_tight", "m1"), ["low", "high"]]
    assert low < 100 * 128 / 1140 < high


@pytest.mark.slow
def test_naive_bayes_counts() -> None:
    pristine = datasets.pristine_set()
    standard = pristine.units[["cutoff", "sigma", "extrinsic"]].eq([4.0, 0.10, 1.0]).all(axis=1)
    features, labels = pristine.features[standard], pristine.units["label"][standard]
    assert len(labels) == 396
    # 248 and 300 in the paper, 3 % of 396 either way; its vectors are another implementation's.
    for key, low, high in (("gnb", 236, 260), ("bnb", 288, 312)):
        classifier = METHODS[key].estimator().fit(pristine.features, pristine.units["label"])
        assert low <= np.sum(classifier.predict(features) == labels) <= high


@pytest.mark.parametrize("key", ["gnb", "bnb"])
def test_naive_bayes(key: str) -> None:
    features = np.array([[0.0, 1.0], [0.1, 1.1], [1.0, 0.0], [1.1, 0.1]], dtype=np.float32) - 0.5
    classifier = METHODS[key].estimator().fit(features, list("aabb"))
    assert classifier.predict(features).tolist() == list("aabb")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        METHODS[key].estimator().fit(features, list("aab"))


def test_gaussian_naive_bayes_computes_in_double_precision() -> None:
    # Of numbers this close to one the variance vanishes in single precision.
    features = 1.0 + 1e-7 * np.arange(12, dtype=np.float32)[:, np.newaxis]
    classifier = METHODS["gnb"].estimator().fit(features, list("aaaaaabbbbbb"))
    assert classifier[-1].var_.dtype == np.float64 and (classifier[-1].var_ > 1e-14).all()


def test_workers_change_nothing() -> None:
    columns = ["d4", "m1"]
    serial = [
        counting.count(METHODS["baa"], unit)
        for column in columns
        for unit in baselines.benchmark_units(base.get("baa"), column)
    ]
    with parallel.processes() as pool:
        spread = baselines.outcomes("baa", columns, executor=pool)
    counts = spread[["atoms", "right_atoms", "right"]].itertuples(index=False, name=None)
    assert list(counts) == serial


def test_order_of_atoms_does_not_matter_to_a_perfect_crystal() -> None:
    orders = baselines.order_dependence("spglib_loose", "pristine", n_orders=2)
    assert len(orders) == 38 and orders.index.names == ["class", "size"]
    assert orders["as built"].all() and (orders["orders right"] == 1).all()
    with pytest.raises(InputError, match="does not give space groups"):
        baselines.order_dependence("cna", "pristine")


# --- counting ----------------------------------------------------------------------------------


def table(method: str, counts: list[tuple[str, int, int, bool]]) -> pd.DataFrame:
    rows = pd.DataFrame(counts, columns=["label", "right_atoms", "atoms", "right"])
    return rows.assign(method=method, column="d1", draw=0)


def test_accuracy_by_each_rule() -> None:
    counts = [("fcc", 90, 100, True), ("bcc", 10, 300, False)]
    by_atom = baselines.summary(table("ptm", counts)).loc[("ptm", "d1")]
    assert (by_atom["right"], by_atom["total"], by_atom["accuracy"]) == (100, 400, 25.0)
    assert by_atom["by structure"] == 50
    by_cell = baselines.summary(table("spglib_loose", counts)).loc[("spglib_loose", "d1")]
    assert (by_cell["right"], by_cell["total"], by_cell["accuracy"]) == (1, 2, 50.0)


def test_wilson_interval() -> None:
    # Wilson's formula by hand: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.959964.
    z, p, n = 1.959963985, 0.1, 50
    centre, half = p + z * z / 2 / n, z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    expected = 100 * np.array([centre - half, centre + half]) / (1 + z * z / n)
    np.testing.assert_allclose(baselines.wilson_interval(5, 50), expected, rtol=1e-9)
    low, high = baselines.wilson_interval(588, 588)
    assert high == pytest.approx(100) and low == pytest.approx(100 / (1 + z * z / 588))
    for right, total in ((1, 0), (-1, 5), (6, 5)):
        with pytest.raises(InputError, match="is no share"):
            baselines.wilson_interval(right, total)


def test_bootstrap_interval() -> None:
    alike = baselines.bootstrap_interval([50, 50, 50], [100, 100, 100])
    assert alike == (50.0, 50.0)
    # All or nothing within structures: as uncertain as so many structures, not as so many atoms.
    right, total = np.repeat([100, 0], 50), np.full(100, 100)
    low, high = baselines.bootstrap_interval(right, total)
    wilson = baselines.wilson_interval(50, 100)
    assert abs(low - wilson[0]) < 1.5 and abs(high - wilson[1]) < 1.5
    assert (low, high) == baselines.bootstrap_interval(right, total)
    # Between classes nothing is drawn.
    assert baselines.bootstrap_interval(right, total, right) == pytest.approx((50.0, 50.0))
    for bad in (([5], [4]), ([], []), ([1, 2], [3]), ([0], [0])):
        with pytest.raises(InputError):
            intervals.bootstrap_interval(*bad)


def test_verdicts_of_table_2() -> None:
    index = pd.MultiIndex.from_tuples(
        [
            ("ptm", "m1"),
            ("ptm", "m5"),
            ("ptm", "m10"),
            ("arise", "d2"),
            ("ptm", "d7"),
            ("ptm", "m20"),
        ],
        names=["method", "column"],
    )
    ours = pd.DataFrame(
        {
            "accuracy": [88.0, 54.0, 30.0, 100.0, 99.0, 4.0],
            "low": [87.5, 51.0, 29.0, 99.3, 98.0, 2.0],
            # The last interval reaches into the band, from 5.24, but not to the paper's 6.24.
            "high": [88.5, 56.0, 31.0, 100.0, 100.0, 6.0],
        },
        index=index,
    )
    cells = compendium.compare_table2(ours)
    assert cells["verdict"].tolist() == [
        "reproduced", "within noise", "differs", "reproduced", "-", "differs",
    ]  # fmt: skip
    assert cells["difference"].round(2).tolist()[:4] == [-0.67, 2.24, 4.07, 0.14]
    assert np.isnan(cells["paper"].iloc[4])


def test_every_row_has_a_band_with_a_reason() -> None:
    bands = pd.read_csv(paths.PAPER / "table2_bands.csv", index_col="method")
    assert set(bands.index) == set(compendium.paper_table2().index)
    assert (bands[["below", "above"]] >= 0).all(axis=None)
    assert (bands["rule"].str.len() > 15).all()


# --- what is there and what is not -------------------------------------------------------------


def test_absent_methods_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name in ("moyopy", "freud-analysis"):
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)
    assert base.absent() == (
        "left out, not installed: moyo (0.1 Å) (pip install moyopy); "
        "Steinhardt + QDA (pip install freud-analysis)"
    )
    assert set(baselines.METHODS) - set(baselines.available()) == {"moyo", "steinhardt"}
    with pytest.raises(InputError, match="needs the package moyopy"):
        baselines.outcomes("moyo", ["pristine"])
    monkeypatch.setattr(metadata, "version", lambda name: "1.0")
    assert base.absent() == f"all {len(baselines.METHODS)} methods are installed"


def test_table_of_methods() -> None:
    shown = baselines.described()
    assert list(shown.index) == list(baselines.METHODS)
    assert shown["classes"].to_dict() | {"moyo": 38, "steinhardt": 27} == {
        "spglib_loose": 38, "spglib_tight": 38, "ptm": 12, "cna": 3, "acna": 3, "baa": 3,
        "gnb": 108, "bnb": 108, "arise": 108, "moyo": 38, "robust": 108, "steinhardt": 27,
    }  # fmt: skip


def test_bad_input_is_refused() -> None:
    copper = bulk("Cu")
    with pytest.raises(InputError, match="Unknown method 'dia'"):
        baselines.outcomes("dia")
    with pytest.raises(InputError, match="answers from descriptors"):
        baselines.outcomes("gnb")
    cluster = copper.repeat(3)
    cluster.pbc, cluster.cell = False, None
    with pytest.raises(InputError, match="needs a cell with three lattice vectors"):
        spglib.space_group(cluster, *symmetry.LOOSE)
    broken = copper.repeat(3)
    broken.positions[4] = np.nan
    for method in (ovito.ptm, ovito.cna, ovito.baa):
        with pytest.raises(InputError, match="not finite"):
            method(broken)
    with pytest.raises(InputError, match="No structure to time"):
        timing.seconds_per_structure("cna", [])
    with pytest.raises(InputError, match="answers from descriptors"):
        timing.seconds_per_structure("gnb", [copper])
    with pytest.raises(InputError, match="does not answer from descriptors"):
        baselines.scored("cna", "pristine", 0, perfect_metals(), METHODS["bnb"].estimator())


def test_times_are_of_the_same_structures() -> None:
    structures = timing.common_structures()
    assert [len(atoms) for atoms in structures][:3] == [124, 214, 340]
    assert len(structures) == 9 and all(atoms.pbc.all() for atoms in structures)
    assert 0 < timing.seconds_per_structure("cna", structures[:1]) < 1


# --- ARISE as a classifier ---------------------------------------------------------------------


def perfect_metals() -> datasets.DataSet:
    return datasets.pristine_set(settings=[SoapSettings()], labels=["hcp", "fcc", "bcc"])


class FastTrained(AriseClassifier):
    """A linear fit in place of Keras, which takes seconds per training; all else is the class's."""

    def _trained(self, features: NDArray[np.float32], numbers: NDArray[np.int64]) -> Ensemble:
        mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
        rows = np.column_stack([(features - mean) / scale, np.ones(len(features))])
        wanted = 10.0 * np.eye(len(self.classes_))[numbers]
        weights, *_ = np.linalg.lstsq(rows, wanted, rcond=None)
        kernel = weights[:-1] / scale[:, np.newaxis]
        bias = weights[-1] - mean @ kernel
        layers = (kernel.astype(np.float32),), (bias.astype(np.float32),)
        network = Network(*layers, 0.1, tuple(map(str, self.classes_)), SoapSettings())
        return Ensemble((network,))


#: Checks of scikit-learn that call `fit` with vectors and labels of their own.
WITH_DATA_OF_THEIR_OWN = (
    "check_classifier_data_not_an_array", "check_classifiers_classes",
    "check_classifiers_one_label", "check_classifiers_train", "check_dict_unchanged",
    "check_dont_overwrite_parameters", "check_dtype_object", "check_estimators_dtypes",
    "check_estimators_fit_returns_self", "check_estimators_nan_inf",
    "check_estimators_overwrite_params", "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature", "check_fit2d_1sample", "check_fit2d_predict1d",
    "check_fit_check_is_fitted", "check_fit_idempotent", "check_fit_score_takes_y",
    "check_methods_sample_order_invariance", "check_methods_subset_invariance",
    "check_n_features_in", "check_n_features_in_after_fitting", "check_pipeline_consistency",
    "check_positive_only_tag_during_fit", "check_readonly_memmap_input", "check_supervised_y_2d",
)  # fmt: skip


def test_contract_of_scikit_learn() -> None:
    results = check_estimator(FastTrained(passes=20), on_skip=None)
    assert len(results) > 50


def test_contract_of_scikit_learn_with_the_released_network() -> None:
    # It knows its 108 classes and takes vectors of length 316, nothing else.
    reason = "their labels are none of its classes"
    results = check_estimator(
        AriseClassifier("arise", passes=20),
        expected_failed_checks=dict.fromkeys(WITH_DATA_OF_THEIR_OWN, reason),
        on_skip=None,
    )
    failed = {result["check_name"] for result in results if result["status"] == "xfail"}
    assert failed == set(WITH_DATA_OF_THEIR_OWN)
    assert sum(result["status"] == "passed" for result in results) > 20


def test_released_network_as_a_classifier() -> None:
    metals = perfect_metals()
    labels = metals.units["label"]
    arise = AriseClassifier("arise", passes=100, seed=3).fit(metals.features, labels)
    posterior = bayes.predict(network.load("arise"), metals.features, n_passes=100, seed=3)
    assert arise.classes_.tolist() == sorted(network.load("arise").classes)
    fcc = network.load("arise").classes.index("fcc")
    probabilities = arise.predict_proba(metals.features)
    column = arise.classes_.tolist().index("fcc")
    np.testing.assert_array_equal(probabilities[:, column], posterior.probabilities[:, fcc])
    information = arise.mutual_information(metals.features)
    np.testing.assert_array_equal(information, posterior.mutual_information)
    answers, of_answers = arise.predict(metals.features, return_information=True)
    assert answers.tolist() == labels.tolist() and arise.score(metals.features, labels) == 1
    np.testing.assert_array_equal(of_answers, information)
    # A pickled copy is for worker processes, not for keeping.
    copy = pickle.loads(pickle.dumps(arise))  # noqa: S301
    np.testing.assert_array_equal(copy.predict_proba(metals.features), probabilities)


@pytest.mark.parametrize(
    "chosen", [{"passes": 150}, {"seed": 1}, {"passes": 1000, "tolerance": 0.05}]
)
def test_parameters_of_the_passes_arrive(chosen: dict[str, Any]) -> None:
    metals = perfect_metals()
    noisy = metals.features + np.float32(0.05)
    arise = AriseClassifier("arise", passes=100).fit(metals.features, metals.units["label"])
    before = arise.mutual_information(noisy)
    after = arise.set_params(**chosen).mutual_information(noisy)
    asked = {"n_passes": chosen.get("passes", 100)} | chosen
    asked.pop("passes", None)
    expected = bayes.predict(network.load("arise"), noisy, **asked)
    np.testing.assert_array_equal(after, expected.mutual_information)
    assert not np.array_equal(after, before)


def test_a_network_refuses_what_it_does_not_know() -> None:
    metals = perfect_metals()
    labels = metals.units["label"]
    with pytest.raises(InputError, match="does not know unobtainium"):
        AriseClassifier("arise").fit(metals.features, ["unobtainium"] * len(labels))
    with pytest.raises(InputError, match="takes vectors of length 316, these have 315"):
        AriseClassifier("arise").fit(metals.features[:, 1:], labels)
    with pytest.raises(InputError, match="no network 'aris'"):
        AriseClassifier("aris").fit(metals.features, labels)


def test_training_of_the_classifier() -> None:
    generator = np.random.default_rng(0)
    numbers = np.arange(90) % 3
    features = generator.normal(size=(90, 4)) + 4.0 * np.eye(4)[numbers]
    labels = np.array(["c", "a", "b"])[numbers]
    training = Training(hidden=(16,), epochs=10, batch_size=8, learning_rate=2e-2, seed=1)
    arise = AriseClassifier(passes=50, training=training).fit(features, labels)
    assert arise.classes_.tolist() == ["a", "b", "c"] and arise.score(features, labels) > 0.9
    assert arise.network_.classes == ("a", "b", "c")
    assert arise.predict_proba(features).shape == (90, 3)
    with pytest.raises(InputError, match="nothing to learn from one class"):
        AriseClassifier(training=training).fit(features, ["a"] * 90)


# --- vectors of each network's own -------------------------------------------------------------


@pytest.fixture
def registry() -> Iterator[dict[str, Method]]:
    """Leave the register as it was."""
    before = dict(METHODS)
    yield METHODS
    METHODS.clear()
    METHODS.update(before)


def nearest_mean(settings: SoapSettings, other: float) -> Network:
    """Make a network that knows fcc, bcc, hcp and `other`, from vectors of its own settings."""
    metals = datasets.pristine_set(settings=[settings], labels=["fcc", "bcc", "hcp"])
    labels = ["fcc", "bcc", "hcp"]
    means = np.array(
        [
            metals.features[(metals.units["label"] == label).to_numpy()].mean(axis=0)
            for label in labels
        ]
    )
    kernel = np.column_stack([200 * means.T, np.zeros(len(means.T))]).astype(np.float32)
    bias = np.append(-100 * (means**2).sum(axis=1), other).astype(np.float32)
    return Network((kernel,), (bias,), 0.01, ("fcc", "bcc", "hcp", "other"), settings)


def test_each_network_gets_vectors_of_its_own_settings(
    registry: dict[str, Method], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = datasets.pristine_set
    for module in (vectors, datasets):
        few = partial(whole, labels=("fcc", "bcc", "hcp"))
        monkeypatch.setattr(module, "pristine_set", few)
    seen: list[SoapSettings] = []

    def described(conditions: Any, draws: Any, *, settings: SoapSettings) -> Any:
        seen.append(settings)
        return datasets.defective_set(
            conditions, draws, settings=settings, labels=["fcc", "bcc", "hcp"]
        )

    monkeypatch.setattr(vectors, "defective_set", described)
    short = SoapSettings(cutoff=3.0, l_max=4)
    made = {"mine": nearest_mean(short, -1e9), "all other": nearest_mean(short, 1e9)}
    for key, trained in made.items():
        baselines.register(
            Method(
                key, key, ("fcc", "bcc", "hcp"), "most probable class", module=__name__,
                estimator=partial(AriseClassifier, trained),
            )
        )  # fmt: skip
    chosen = {key: METHODS[key] for key in (*made, "arise", "ptm")}
    classifiers = baselines.fitted(chosen, passes=20)
    assert list(classifiers) == [*made, "arise"]
    assert baselines.settings_of(classifiers["mine"]) == short
    found = baselines.vector_outcomes(classifiers, conditions=[("missing", 0)])
    assert seen == [short, SoapSettings()]
    cells = baselines.summary(found)["accuracy"]
    assert cells["mine"].tolist() == [100, 100] and cells["arise"].tolist() == [100, 100]
    # Certain that a crystal is none of the classes is wrong, not left out.
    assert set(found.loc[found["method"] == "all other", "answer"]) == {"other"}
    assert cells["all other"].tolist() == [0, 0]


def test_methods_on_the_same_structures() -> None:
    def rows(method: str, right: list[bool], labels: list[str], **more: Any) -> pd.DataFrame:
        counts = [(label, int(r), 1, r) for label, r in zip(labels, right, strict=True)]
        return table(method, counts).assign(**more)

    labels = ["fcc", "bcc", "diamond", "fcc"]
    found = pd.concat(
        [
            rows("acna", [True, False], labels[:2]),
            rows("baa", [True, True], labels[:2]),
            rows("ptm", [True, True, False], labels[:3]),
            rows("arise", [True, True, True, False], labels, periodic=[True, True, True, False]),
            rows("gnb", [False] * 4, labels, periodic=True),
            rows("arise", [False], ["fcc"], periodic=True).assign(column="pristine"),
        ]
    )
    cells = baselines.like_for_like(found)
    # The free cluster, other classes, perfect structures and naive Bayes are left out.
    assert cells["right"].to_dict() == {
        (3, "acna", "d1"): 1, (3, "baa", "d1"): 2, (3, "arise", "d1"): 2,
        (12, "ptm", "d1"): 2, (12, "arise", "d1"): 3,
    }  # fmt: skip
    assert cells["total"].tolist() == [2, 2, 2, 3, 3]
    assert (cells["low"] <= cells["accuracy"]).all() and (cells["accuracy"] <= cells["high"]).all()


def test_order_dependence_is_kept(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "DERIVED", tmp_path)
    first = baselines.order_dependence("spglib_loose", "pristine", n_orders=1)
    assert [path.parent.name for path in tmp_path.rglob("*.npz")] == ["orders_spglib_loose"]
    again = baselines.order_dependence("spglib_loose", "pristine", n_orders=1)
    pd.testing.assert_frame_equal(first, again)


def test_time_to_classify() -> None:
    nickel = [bulk("Ni", cubic=True)]
    short = timing.seconds_to_classify(nickel, "arise", tolerance=0.5)
    assert 0 < short < timing.seconds_to_classify(nickel, "arise")
    with pytest.raises(InputError, match="No structure to time"):
        timing.seconds_to_classify([], "arise")


# --- a baseline of one's own -------------------------------------------------------------------


def coordination(atoms: Atoms) -> NDArray[np.str_]:
    """Tell fcc from bcc by the number of neighbours nearer than 1.1 times the nearest distance."""
    distances = atoms.get_all_distances(mic=True) + 1e9 * np.eye(len(atoms))
    neighbours = (distances < 1.1 * distances.min()).sum(axis=1)
    return np.select([neighbours == 12, neighbours == 8], ["fcc", "bcc"], "")


def test_a_baseline_per_atom_is_one_object(registry: dict[str, Method]) -> None:
    toy = Method(
        "toy", "coordination number", ("fcc", "bcc"), "number of neighbours",
        module=__name__, answer=coordination, periodic_only=True,
    )  # fmt: skip
    assert baselines.register(toy) is toy and list(registry)[-2:] == ["steinhardt", "toy"]
    assert baselines.described().loc["toy", "counted"] == "per atom"
    cells = baselines.summary(baselines.outcomes("toy", ["pristine", "m1"]))
    assert cells.loc[("toy", "pristine"), ["accuracy", "structures"]].tolist() == [100, 2]
    # An atom is right while none of its neighbours is missing: 12 of fcc, 8 of bcc.
    assert 86 < cells.at[("toy", "m1"), "accuracy"] < 93
    assert cells.at[("toy", "m1"), "by structure"] == 100
    assert 0 < baselines.seconds_per_structure("toy", [bulk("Cu", cubic=True).repeat(3)]) < 10


def test_a_baseline_by_space_group_and_one_on_vectors(registry: dict[str, Method]) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    common = {"module": __name__, "treats": ("fcc", "bcc", "hcp"), "rule": "as all"}
    baselines.register(Method("size", "atoms in the cell", group=len, **common))  # type: ignore[arg-type]
    found = baselines.outcomes("size", ["pristine", "m1"])
    assert found.groupby("column")["right"].mean().to_dict() == {"m1": 0.0, "pristine": 1.0}
    nearest = partial(KNeighborsClassifier, n_neighbors=1)
    method = baselines.register(Method("knn", "neighbour", estimator=nearest, **common))  # type: ignore[arg-type]
    metals = perfect_metals()
    classifier = method.estimator().fit(metals.features, metals.units["label"])
    cells = baselines.summary(baselines.scored("knn", "pristine", 0, metals, classifier))
    assert cells.loc[("knn", "pristine"), ["right", "total"]].tolist() == [12, 12]


def test_register_refuses_what_could_not_be_counted(registry: dict[str, Method]) -> None:
    cna = registry["cna"]
    assert baselines.register(cna) is cna and registry["cna"] is cna
    with pytest.raises(InputError, match=r"arise_lib\.baselines\.ovito has registered 'cna'"):
        baselines.register(replace(cna, module=__name__))
    with pytest.raises(InputError, match="answers in 2 ways"):
        replace(cna, group=len)
    with pytest.raises(InputError, match="answers in 0 ways"):
        replace(cna, answer=None)
    with pytest.raises(InputError, match="unobtainium"):
        replace(cna, treats=("unobtainium",))


def test_counts_of_the_library_are_kept_and_those_of_users_are_not(
    registry: dict[str, Method], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "DERIVED", tmp_path)
    ours = baselines.outcomes("acna", ["pristine"])
    (kept,) = tmp_path.rglob("*.npz")
    assert kept.parent.name == "benchmark_acna"
    baselines.register(replace(registry["acna"], key="mine", module=__name__))
    mine = baselines.outcomes("mine", ["pristine"])
    assert list(tmp_path.rglob("*.npz")) == [kept]
    pd.testing.assert_frame_equal(mine.assign(method="acna"), ours)


@pytest.mark.parametrize("key", ["spglib_loose", "ptm", "moyo", "steinhardt"])
def test_kept_counts_depend_on_one_method_only(key: str) -> None:
    method = METHODS[key]
    other_files = {other.module for other in METHODS.values()} - {method.module}
    behind = follow(method.module) | follow(counting.__name__)
    assert method.module in behind and not behind & other_files
