from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from arise_lib import network, storage, training
from arise_lib.descriptor import SoapSettings
from arise_lib.errors import DataError, InputError
from arise_lib.network import Ensemble, Network
from arise_lib.storage import paths
from arise_lib.structures import prototypes
from arise_lib.training import datasets, fit
from arise_lib.training.datasets import DataSet
from arise_lib.training.fit import Training

N_FEATURES = 12
CLASSES = (3, 17, 60, 107)  # some of the 108, the last one among them
ROWS = (40, 60, 30, 20)
#: Small and hasty: the validation accuracy jumps, so that the best epoch is not the last one.
HASTY = Training(hidden=(16, 24), dropout=0.1, learning_rate=0.05, batch_size=16, epochs=12, seed=5)


def blobs(spread: float = 1.6) -> DataSet:
    """Overlapping Gaussian clouds, one per class, of different sizes."""
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(len(CLASSES), N_FEATURES))
    kind = np.repeat(np.arange(len(CLASSES)), ROWS)
    noise = generator.normal(scale=spread, size=(len(kind), N_FEATURES))
    features = (centres[kind] + noise).astype(np.float32)
    table = pd.DataFrame(index=range(len(kind)))
    return DataSet(features, np.array(CLASSES)[kind], prototypes.LABELS, table)


def random_network(seed: int = 0, widths: tuple[int, ...] = (7, 9, 5)) -> Network:
    generator = np.random.default_rng(seed)

    def draw(*shape: int) -> NDArray[np.float32]:
        return generator.normal(size=shape).astype(np.float32)

    return Network(
        tuple(draw(a, b) for a, b in itertools.pairwise(widths)),
        tuple(draw(b) for b in widths[1:]),
        0.0317,
        tuple(f"class {i}" for i in range(widths[-1])),
        SoapSettings(radial="gto", cutoff=3.2, sigma=0.12),
    )


def assert_same(one: Network, other: Network) -> None:
    for a, b in zip((*one.kernels, *one.biases), (*other.kernels, *other.biases), strict=True):
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_array_equal(a, b)
    assert one.dropout == other.dropout
    assert one.classes == other.classes
    assert one.settings == other.settings


@pytest.fixture(scope="module")
def trained() -> tuple[Network, pd.DataFrame]:
    return training.train(blobs(), SoapSettings(), HASTY)


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two released networks in a folder of their own."""
    folder = tmp_path / "networks"
    monkeypatch.setattr(paths, "NETWORKS", folder)
    network.release(random_network(1), "one", {"name": "one", "note": "σ"})
    network.release(random_network(2), "two", {"name": "two"})
    return folder


def test_the_learning_curve_is_released_with_the_network(released: Path) -> None:
    history = pd.DataFrame({"val_accuracy": [0.5, 0.75]}, index=pd.Index([0, 1], name="epoch"))
    network.release(random_network(3), "three", {"name": "three"}, history)
    pd.testing.assert_frame_equal(pd.read_csv(released / "three.csv", index_col="epoch"), history)
    assert not (released / "one.csv").exists()


def test_names_behind_a_released_ensemble(released: Path) -> None:
    network.release_ensemble("both", ["one", "two"], {"note": "σ"})
    assert network.card("both") == {"name": "both", "note": "σ", "members": ["one", "two"]}
    for found, seed in zip(network.load("both").members, (1, 2), strict=True):
        assert_same(found, random_network(seed))
    before = (released / "SHA256SUMS").read_bytes()
    with pytest.raises(InputError, match="no network 'three'"):
        network.release_ensemble("worse", ["one", "three"], {})
    with pytest.raises(InputError, match="'both' is an ensemble itself; name its members"):
        network.release_ensemble("worse", ["one", "both"], {})
    with pytest.raises(InputError, match="ensemble of no networks"):
        network.release_ensemble("worse", [], {})
    network.release(random_network(3, (7, 9, 6)), "three", {})
    with pytest.raises(InputError, match="Network 1 of the ensemble has other classes"):
        network.release_ensemble("worse", ["one", "three"], {})
    assert not (released / "worse.json").exists()
    assert b"worse" not in before and b"worse" not in (released / "SHA256SUMS").read_bytes()


# --- ensembles ---------------------------------------------------------------------------------


def test_networks_that_do_not_fit_together() -> None:
    one = random_network(1)
    with pytest.raises(InputError, match="Network 1 of the ensemble has other classes"):
        Ensemble((one, replace(one, classes=one.classes[::-1])))
    with pytest.raises(InputError, match="or another descriptor than network 0"):
        Ensemble((one, random_network(2), replace(one, settings=SoapSettings())))
    with pytest.raises(InputError, match="or another descriptor than network 0"):
        Ensemble((one, random_network(2, (8, 9, 5))))
    with pytest.raises(InputError, match="ensemble of no networks"):
        Ensemble(())
    with pytest.raises(InputError, match=r"Member 1 of the ensemble is a str.*load released"):
        Ensemble((one, "arise"))  # type: ignore[arg-type]


def test_an_ensemble_is_what_its_members_are() -> None:
    # Other layers are allowed.
    one, two = random_network(1), random_network(2, (7, 3, 4, 5))
    both = Ensemble((one, two))
    assert both.classes == one.classes and both.settings == one.settings
    assert both.n_parameters == one.n_parameters + two.n_parameters
    rows = np.random.default_rng(0).normal(size=(40, 7)).astype(np.float32)
    mean = (one.probabilities(rows) + two.probabilities(rows)) / 2
    np.testing.assert_allclose(both.probabilities(rows), mean, rtol=1e-6)
    assert both.labels(rows).tolist() == [one.classes[k] for k in mean.argmax(axis=1)]
    alone = Ensemble((one,))
    np.testing.assert_array_equal(alone.probabilities(rows), one.probabilities(rows))


def test_whatever_names_a_network_becomes_an_ensemble(released: Path) -> None:
    one = random_network(1)
    for given in (one, Ensemble((one,)), "one", released / "one.npz", str(released / "one.npz")):
        (member,) = network.as_ensemble(given).members
        assert_same(member, one)
    for wrong, kind in (([one, one], "list"), (None, "NoneType"), ((one,), "tuple")):
        with pytest.raises(InputError, match=f"A {kind} is no network: give the name"):
            network.as_ensemble(wrong)


# --- storage -----------------------------------------------------------------------------------


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    original, path = random_network(), tmp_path / "deep" / "network.npz"
    checksum = network.save(original, path)
    assert_same(network.load(path), original)
    assert_same(network.load(str(path)), original)
    assert checksum == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [file.name for file in path.parent.iterdir()] == ["network.npz"]


def test_same_network_same_bytes(tmp_path: Path) -> None:
    # A checksum in a repository means something only if saving again gives the same file.
    first = network.save(random_network(), tmp_path / "a.npz")
    assert network.save(random_network(), tmp_path / "b.npz") == first
    assert network.save(random_network(1), tmp_path / "c.npz") != first


def test_the_file_is_arrays_without_pickle(tmp_path: Path) -> None:
    network.save(random_network(), tmp_path / "network.npz")
    with np.load(tmp_path / "network.npz", allow_pickle=False) as arrays:
        loaded = {name: arrays[name] for name in arrays.files}
    assert not any(array.dtype.hasobject for array in loaded.values())
    assert loaded["kernel_1"].shape == (9, 5)
    assert SoapSettings(**json.loads(str(loaded["settings"]))) == random_network().settings


def test_a_pickle_in_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    np.savez(path, classes=np.array(["fcc", None], dtype=object))
    with pytest.raises(DataError, match=r"network\.npz is not a network file"):
        network.load(path)


@pytest.mark.parametrize("kept", [0, 3, 200, -200, -1])
def test_truncated_file(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "network.npz"
    network.save(random_network(), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"network\.npz is not a network file.*restore or retrain"):
        network.load(path)


def test_one_altered_byte(tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    network.save(random_network(), path)
    content = bytearray(path.read_bytes())
    at = content.index(random_network().kernels[1].tobytes()) + 5
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"not a network file.*kernel_1"):
        network.load(path)


def test_foreign_files(tmp_path: Path) -> None:
    text, arrays = tmp_path / "text.npz", tmp_path / "arrays.npz"
    text.write_text("not an archive at all\n")
    np.savez(arrays, weights=np.ones(3))
    for path in (text, arrays):
        with pytest.raises(DataError, match=f"{path.name} is not a network file"):
            network.load(path)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("settings", np.array("{not json")),
        ("settings", np.array('{"colour": "red"}')),
        ("settings", np.array('{"radial": "unknown"}')),
        ("dropout", np.array([0.1, 0.2])),
        ("bias_1", None),
    ],
)
def test_archive_that_only_nearly_is_a_network(
    tmp_path: Path, member: str, value: NDArray[np.generic] | None
) -> None:
    path = tmp_path / "network.npz"
    network.save(random_network(), path)
    arrays = storage.load_arrays(path)
    del arrays[member]
    if value is not None:
        arrays[member] = value
    storage.save_arrays(path, arrays)
    with pytest.raises(DataError, match="is not a network file"):
        network.load(path)


# --- released networks -------------------------------------------------------------------------


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_release_writes_weights_card_and_checksums(released: Path) -> None:
    files = ["one.json", "one.npz", "two.json", "two.npz"]
    assert sorted(file.name for file in released.iterdir()) == ["SHA256SUMS", *files]
    assert_same(network.load("two"), random_network(2))
    assert network.card("one") == {"name": "one", "note": "σ"}
    assert json.loads((released / "one.json").read_text(encoding="utf-8"))["note"] == "σ"
    # The notation of `sha256sum --check`.
    lines = (released / "SHA256SUMS").read_text().splitlines()
    assert lines == [f"{sha256(released / file)}  {file}" for file in files]


def test_a_second_release_replaces_the_first(released: Path) -> None:
    network.release(random_network(3), "one", {"name": "two"})
    assert len((released / "SHA256SUMS").read_text().splitlines()) == 4
    assert_same(network.load("one"), random_network(3))
    assert_same(network.load("two"), random_network(2))
    assert network.card("one") == {"name": "one"}


@pytest.mark.parametrize("name", ["../one", "a/b", "", ".one", "one.npz", "a b", "..", "naïve"])
def test_names_that_are_no_names(released: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be named|An ensemble"):
        network.release(random_network(3), name, {})
    with pytest.raises(InputError, match="cannot be named"):
        network.release_ensemble(name, ["one"], {})
    with pytest.raises(InputError, match=r"no network|no file"):
        network.load(name)
    assert len(list(released.parent.rglob("*.*"))) == 4


def test_a_network_is_not_released_with_the_card_of_an_ensemble(released: Path) -> None:
    with pytest.raises(InputError, match="A network has no members"):
        network.release(random_network(3), "three", {"members": ["one"]})


def test_altered_released_file_is_refused_with_both_checksums(released: Path) -> None:
    recorded = sha256(released / "one.npz")
    # A valid network, but not the one that was released.
    shutil.copy(released / "two.npz", released / "one.npz")
    found = sha256(released / "one.npz")
    with pytest.raises(DataError, match="restore the file") as caught:
        network.load("one")
    assert recorded in str(caught.value) and found in str(caught.value)
    assert_same(network.load("two"), random_network(2))


def test_another_network_cannot_answer_under_a_name(released: Path) -> None:
    """Neither by members written into a card nor by a card put in place of another."""
    card = released / "one.json"
    card.write_text(json.dumps(network.card("one") | {"members": ["two"]}))
    with pytest.raises(DataError, match=r"one\.json has SHA-256"):
        network.load("one")
    shutil.copy(released / "two.json", card)
    with pytest.raises(DataError, match=r"one\.json has SHA-256"):
        network.card("one")
    # Even with its checksum recorded.
    sums = released / "SHA256SUMS"
    lines = [line for line in sums.read_text().splitlines() if not line.endswith("one.json")]
    sums.write_text("\n".join([*lines, f"{sha256(card)}  one.json"]) + "\n")
    with pytest.raises(DataError, match=r"one\.json is not the model card of 'one'"):
        network.card("one")


def recorded_card(folder: Path, name: str, text: str) -> None:
    """Write a card as it stands, with its checksum."""
    (folder / f"{name}.json").write_text(text, encoding="utf-8")
    with (folder / "SHA256SUMS").open("a") as sums:
        sums.write(f"{sha256(folder / f'{name}.json')}  {name}.json\n")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{not json", "is not readable"),
        ("[1, 2]", "is not the model card of 'bad'"),
        ("{}", "is not the model card of 'bad'"),
        ('{"name": "bad", "members": []}', "names no members"),
        ('{"name": "bad", "members": null}', "names no members"),
        ('{"name": "bad", "members": "one"}', "names no members"),
        ('{"name": "bad", "members": [1]}', "names the member 1, which is no released network"),
        ('{"name": "bad", "members": ["one", "none"]}', "names the member 'none'"),
        (
            '{"name": "bad", "members": ["../networks/one"]}',
            r"names the member '\.\./networks/one'",
        ),
        ('{"name": "bad", "members": ["both"]}', "names the member 'both'"),
        ('{"name": "bad", "members": ["bad"]}', "names the member 'bad'"),
    ],
)
def test_damaged_cards(released: Path, text: str, fault: str) -> None:
    network.release_ensemble("both", ["one", "two"], {})
    recorded_card(released, "bad", text)
    for read in (network.card, network.load):
        with pytest.raises(DataError, match=rf"bad\.json {fault}.*restore the file"):
            read("bad")


def test_a_path_among_the_checksums_is_no_released_name(released: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.npz"
    network.save(random_network(3), outside)
    with (released / "SHA256SUMS").open("a") as sums:
        sums.write(f"{sha256(outside)}  ../outside.npz\n")
    recorded_card(released, "bad", '{"name": "bad", "members": ["../outside"]}')
    with pytest.raises(DataError, match=r"'\.\./outside', which is no released network"):
        network.load("bad")


@pytest.mark.parametrize("member", ["one.npz", "two.npz"])
def test_members_of_an_ensemble_are_verified(released: Path, member: str) -> None:
    network.release_ensemble("both", ["one", "two"], {})
    network.save(random_network(4), released / member)
    with pytest.raises(DataError, match=f"{member} has SHA-256"):
        network.load("both")


@pytest.mark.parametrize("file", ["one.npz", "one.json"])
def test_missing_files(released: Path, file: str) -> None:
    (released / file).unlink()
    with pytest.raises(DataError, match=rf"{file} is missing in data/networks; restore the file"):
        network.load("one")


def test_released_file_without_record_is_refused(released: Path) -> None:
    (released / "SHA256SUMS").unlink()
    with pytest.raises(DataError, match="card of 'one' has no checksum in SHA256SUMS"):
        network.load("one")
    network.release(random_network(2), "two", {})
    with pytest.raises(DataError, match="card of 'one' has no checksum in SHA256SUMS"):
        network.load("one")


def test_weights_without_record_are_refused(released: Path) -> None:
    sums = released / "SHA256SUMS"
    sums.write_text(
        "".join(line for line in sums.read_text().splitlines(True) if "one.npz" not in line)
    )
    with pytest.raises(DataError, match=r"one\.npz has SHA-256 .*its record says None"):
        network.load("one")


def test_a_damaged_list_of_checksums(released: Path) -> None:
    (released / "SHA256SUMS").write_bytes(b"\xff\xfe nonsense\n\n" + bytes(range(256)))
    with pytest.raises(DataError, match="card of 'one' has no checksum in SHA256SUMS"):
        network.load("one")


def test_unknown_names_list_the_released(released: Path) -> None:
    network.release_ensemble("both", ["one", "two"], {})
    network.release(random_network(4), "half", {"internal": True})
    assert network.released_names() == ("both", "one", "two")
    with pytest.raises(InputError, match=r"no network 'three'; released are: both, one, two\."):
        network.load("three")
    with pytest.raises(InputError, match=r"no network 'Two'; did you mean 'two'\? released are: "):
        network.load("Two")
    with pytest.raises(InputError, match=r"There is no file two\.npz; did you mean 'two'"):
        network.load("two.npz")
    assert_same(network.load("half"), random_network(4))


def test_without_any_released_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "NETWORKS", tmp_path / "absent")
    with pytest.raises(InputError, match="released are: none"):
        network.load()


# --- split -------------------------------------------------------------------------------------


def test_split_is_stratified_80_20() -> None:
    data = blobs()
    fitted, held_out = training.split(data)
    assert len(fitted) == 120 and len(held_out) == 30
    np.testing.assert_array_equal(np.sort(np.concatenate([fitted, held_out])), np.arange(150))
    for label, rows in zip(CLASSES, ROWS, strict=True):
        assert (data.classes[held_out] == label).sum() == rows // 5


def test_split_is_fixed() -> None:
    data = blobs()
    first, again = training.split(data), training.split(data)
    np.testing.assert_array_equal(first[1], again[1])
    # Random state 42 as in the paper: depends on the classes alone, not on the features.
    other = replace(data, features=np.zeros_like(data.features))
    np.testing.assert_array_equal(training.split(other)[1], first[1])


def test_class_too_small_to_split() -> None:
    data = blobs()
    keep = np.flatnonzero((data.classes != CLASSES[0]) | (np.arange(len(data)) < 4))
    small = data.select(keep)
    with pytest.raises(InputError, match=r"114 vectors cannot be split.*at least 5"):
        training.split(small)


# --- training ----------------------------------------------------------------------------------


def test_defaults_are_the_papers() -> None:
    # Methods and Table 1: 256-512-256, dropout 3.17 %, Adam at 2.16e-4, batches of 64, 300 epochs.
    default = Training()
    assert default.hidden == (256, 512, 256)
    assert (default.dropout, default.learning_rate) == (0.0317, 2.16e-4)
    assert (default.batch_size, default.epochs) == (64, 300)


def test_shape_of_what_is_trained(trained: tuple[Network, pd.DataFrame]) -> None:
    result, history = trained
    assert [kernel.shape for kernel in result.kernels] == [(12, 16), (16, 24), (24, 108)]
    assert [bias.shape for bias in result.biases] == [(16,), (24,), (108,)]
    assert result.n_parameters == 12 * 16 + 16 + 16 * 24 + 24 + 24 * 108 + 108
    assert result.classes == prototypes.LABELS
    assert result.dropout == HASTY.dropout
    assert list(history.columns) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert len(history) == HASTY.epochs


def test_best_validation_epoch_is_kept(trained: tuple[Network, pd.DataFrame]) -> None:
    data = blobs()
    rows = training.split(data)[1]
    held_out = data.select(rows)
    more = (training.train(data, SoapSettings(), replace(HASTY, seed=seed)) for seed in range(4))
    for result, history in itertools.chain([trained], more):
        best = history["val_accuracy"].max()
        assert result.accuracy(held_out) == pytest.approx(best, abs=1e-6)
        # A run that ends with its best epoch would pass with the last epoch's weights, too.
        if history["val_accuracy"].iloc[-1] < best:
            return
    pytest.fail("no run in which the last epoch was not the best: the test has lost its grip")


def test_settling_never_loses_in_validation(trained: tuple[Network, pd.DataFrame]) -> None:
    before, data = trained[0], blobs()
    _, held_out = training.split(data)
    rows = data.select(held_out)
    after, history = training.settle(before, data, replace(HASTY, settle=3))
    assert len(history) == 3
    assert after.accuracy(rows) >= before.accuracy(rows)
    assert after.classes == before.classes and after.dropout == before.dropout
    wild = replace(HASTY, learning_rate=100.0, settle=2)
    kept, history = training.settle(before, data, wild)
    assert history["val_accuracy"].max() < before.accuracy(rows)
    assert_same(kept, before)
    with pytest.raises(InputError, match="settle = 0"):
        training.settle(before, data, HASTY)


def test_learning_rate_falls_along_a_cosine() -> None:
    falling = replace(HASTY, decay=True, learning_rate=0.1, batch_size=10)
    rate = fit._rate(falling, 0.1, epochs=4, n_rows=25)  # three steps an epoch
    found = [float(rate(step)) for step in (0, 6, 12)]
    assert found == pytest.approx([0.1, 0.05, 0.0], abs=1e-6)
    assert fit._rate(falling, 0.01, 4, 25) == 0.01  # while it settles
    assert fit._rate(HASTY, HASTY.learning_rate, 4, 25) == HASTY.learning_rate


def test_it_learns(trained: tuple[Network, pd.DataFrame]) -> None:
    # Four classes, the largest with 40 % of the rows: guessing stays below that.
    assert trained[0].accuracy(blobs()) > 0.7


def test_same_seed_same_weights(trained: tuple[Network, pd.DataFrame]) -> None:
    again, history = training.train(blobs(), SoapSettings(), HASTY)
    assert_same(again, trained[0])
    pd.testing.assert_frame_equal(history, trained[1])


def test_other_seed_other_weights(trained: tuple[Network, pd.DataFrame]) -> None:
    other, _ = training.train(blobs(), SoapSettings(), replace(HASTY, epochs=1, seed=6))
    assert not np.array_equal(other.kernels[0], trained[0].kernels[0])


def test_undefined_vectors_are_refused() -> None:
    data = blobs()
    data.features[[3, 77], 5] = np.nan
    with pytest.raises(InputError, match="2 of the 150 vectors are not finite"):
        training.train(data, SoapSettings(), HASTY)


# --- prediction --------------------------------------------------------------------------------


def test_probabilities_equal_those_of_keras(trained: tuple[Network, pd.DataFrame]) -> None:
    import keras

    layers: list[keras.Layer] = [keras.Input((N_FEATURES,))]
    layers += [keras.layers.Dense(width, "relu") for width in HASTY.hidden]
    model = keras.Sequential([*layers, keras.layers.Dense(108, "softmax")])
    result = trained[0]
    model.set_weights([a for pair in zip(result.kernels, result.biases, strict=True) for a in pair])
    features = blobs().features
    expected = model.predict(features, verbose=0)
    assert expected.max() > 0.9  # decided enough to be a test
    np.testing.assert_allclose(result.probabilities(features), expected, atol=1e-5)


def test_probabilities_of_a_network_done_by_hand() -> None:
    # x = (1, 2): hidden = relu(1 - 2, 1 + 2 + 1) = (0, 4); logits = (0, ln 3) -> 1/4, 3/4.
    kernels = np.float32([[1, 1], [-1, 1]]), np.float32([[5, 0], [0, np.log(3) / 4]])
    biases = np.float32([0, 1]), np.float32([0, 0])
    tiny = Network(kernels, biases, 0.5, ("a", "b"), SoapSettings())
    np.testing.assert_allclose(tiny.probabilities(np.float32([[1, 2]])), [[0.25, 0.75]], rtol=1e-6)


def test_softmax_does_not_overflow() -> None:
    p = network.softmax(np.float32([[1000.0, 1000.0, -1000.0], [0.0, -2000.0, -1e30]]))
    np.testing.assert_allclose(p, [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], rtol=1e-6)


def test_accuracy_counts_an_undefined_vector_as_wrong() -> None:
    # The largest of a row of NaN is its first number: the first class would get it.
    sure = Network(
        (np.zeros((3, 2), np.float32),), (np.float32([1, 0]),), 0.0, ("a", "b"), SoapSettings()
    )
    features = np.zeros((4, 3), np.float32)
    data = DataSet(features, np.zeros(4, np.int64), ("a", "b"), pd.DataFrame(index=range(4)))
    assert sure.accuracy(data) == 1.0
    features[1, 2] = np.nan
    assert sure.accuracy(data) == 0.75
    assert sure.labels(features).tolist() == ["a", "", "a", "a"]


# --- the network that comes with the project ---------------------------------------------------


def test_every_file_is_under_its_checksum() -> None:
    names = sorted(file.name for file in paths.NETWORKS.iterdir() if file.name != "SHA256SUMS")
    lines = (paths.NETWORKS / "SHA256SUMS").read_text().splitlines()
    assert lines == [f"{sha256(paths.NETWORKS / name)}  {name}" for name in names]


def test_every_released_network_is_intact_and_has_a_card() -> None:
    names = {file.stem for file in paths.NETWORKS.glob("*.json")}
    internal = {"trial_46", *(f"published_{seed}" for seed in range(5))}
    assert names - internal == set(network.released_names())
    public = {"arise", "dscribe", "ensemble", "published", "robust"}
    assert set(network.released_names()) == public
    for name in names:
        released, card = network.load(name), network.card(name)
        assert card["parameters"] == released.n_parameters
        assert SoapSettings(**card["descriptor"]) == released.settings
        others = (prototypes.OTHER,) if name == "robust" else ()
        assert released.classes == (*prototypes.LABELS, *others)
        assert zipfile.is_zipfile(paths.NETWORKS / f"{name}.npz") == ("members" not in card)


#: Retrained with another order of the rows, trial 10 of the search came out 0.2 points lower.
RETRAINED_BAND = 0.4


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("ARISE_RETRAIN"), reason="ARISE_RETRAIN=1 trains for minutes"
)
@pytest.mark.parametrize("name", ["arise", "dscribe"])
def test_retraining_from_the_model_card(name: str) -> None:
    card = network.card(name)
    training = Training(**card["training"] | {"hidden": tuple(card["training"]["hidden"])})
    settings = SoapSettings(**card["descriptor"])
    data = datasets.pristine_set(settings.radial)
    again, _ = training.train(data, settings, training)
    least = card["accuracy_percent"]["whole pristine set"] - RETRAINED_BAND
    assert 100 * again.accuracy(data) >= least


@pytest.mark.parametrize("name", ["arise", "dscribe", "robust"])
def test_released_networks_are_what_their_cards_say(name: str) -> None:
    card = network.card(name)
    released = network.load(name)
    widths = [len(kernel) for kernel in released.kernels]
    assert [*widths, len(released.classes)] == card["architecture"]
    assert released.n_parameters == card["parameters"]
    assert released.dropout == pytest.approx(card["training"]["dropout"])
    assert released.settings == SoapSettings(**card["descriptor"])
    # 3 MB of weights and the structures that novelty is measured by.
    assert (paths.NETWORKS / f"{name}.npz").stat().st_size < 4_200_000
    # One setting of each crystal: perfect structures are nearly all right, as the card says.
    data = datasets.pristine_set(released.settings.radial, settings=[released.settings])
    assert 100 * released.accuracy(data) >= card["accuracy_percent"]["whole pristine set"] - 0.5


def test_layers_have_the_form_of_table_1() -> None:
    one = random_network(4)
    table = network.layers(one)
    assert table["parameters"].sum() == one.n_parameters
    assert table["units"].tolist()[-1] == len(one.classes)
    assert (table["inputs"][1:].to_numpy() == table["units"][:-1].to_numpy()).all()
