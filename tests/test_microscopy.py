"""Images with known atoms: what is simulated, read, found and matched."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import h5py
import numpy as np
import pytest
from ase import Atoms
from PIL import Image as Picture
from tolerances import SINGLE

from arise_lib import microscopy
from arise_lib.errors import DataError, InputError
from arise_lib.microscopy import experiment
from arise_lib.microscopy import finder as finding
from arise_lib.microscopy.learning import FinderTraining, example, symmetric, train_finder
from arise_lib.microscopy.scenes import BOND

CLEAN = microscopy.Imaging(128, 128, 0.1, dose=1e7, background=0.0, tail=0.0)


def lone(x: float, y: float, symbol: str = "C") -> Atoms:
    return Atoms(symbol, [[x, y, 0.0]])


def centroid(image: microscopy.Image) -> np.ndarray:
    rows, columns = np.indices(image.data.shape)
    return np.array([(columns * image.data).sum(), (rows * image.data).sum()]) / image.data.sum()


def test_an_atom_appears_where_it_is():
    image = microscopy.simulate(lone(6.23, 4.71), CLEAN, seed=0)
    np.testing.assert_allclose(image.positions, [[62.3, 47.1]])
    # A spot of 20,000 counts, 5 pixels wide: known to a few hundredths of a pixel.
    np.testing.assert_allclose(centroid(image), [62.3, 47.1], atol=0.1)


def test_counts_are_dose_times_cross_section():
    image = microscopy.simulate(lone(6.0, 6.0), CLEAN, seed=0)
    expected = CLEAN.counts_per_atom
    assert abs(image.data.sum() - expected) < 4.0 * np.sqrt(expected)


def test_contrast_of_silicon_is_that_of_the_exponent():
    of = [microscopy.simulate(lone(6, 6, s), CLEAN, seed=0).data.sum() for s in ("C", "Si")]
    assert of[1] / of[0] == pytest.approx((14 / 6) ** 1.7, rel=0.05)


def test_noise_is_that_of_counting():
    flat = replace(CLEAN, background=1e-4, dose=1e6)
    counts = microscopy.simulate(lone(-50, -50), flat, seed=0).data
    assert counts.mean() == pytest.approx(flat.dose * flat.pixel**2 * 1e-4, rel=0.05)
    assert counts.var() == pytest.approx(counts.mean(), rel=0.05)


def test_a_drifting_sample_appears_where_the_truth_says():
    moving = replace(CLEAN, drift=(4.0, 1.0), distortion=0.05)
    image = microscopy.simulate(lone(6.0, 6.0), moving, seed=3)
    assert np.hypot(*(image.positions[0] - 60.0)) > 15.0
    np.testing.assert_allclose(centroid(image), image.positions[0], atol=0.2)


def test_atoms_above_each_other_are_one_column():
    two = Atoms("SS", [[6.0, 6.0, 0.0], [6.0, 6.0, 3.0]])
    image = microscopy.simulate(two, CLEAN, seed=0)
    one = microscopy.simulate(lone(6.0, 6.0, "S"), CLEAN, seed=0)
    assert len(image.positions) == 1
    assert image.data.sum() / one.data.sum() == pytest.approx(2.0, rel=0.05)


def test_the_same_seed_gives_the_same_image():
    atoms = microscopy.sheet("graphene", 12.8, seed=1)
    rough = replace(CLEAN, dose=1e4, jitter=0.1, contamination=2.0, readout=0.5)
    first, again, other = (microscopy.simulate(atoms, rough, seed).data for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"dose": 0.0}, {"probe": -1.0}, {"pixel": 0.0}, {"tail": 1.5}, {"background": np.nan},
        {"rows": 0}, {"drift": (np.inf, 0.0)},
    ],
)  # fmt: skip
def test_no_microscope_is_like_that(wrong):
    with pytest.raises(InputError, match=next(iter(wrong)) if "pixel" not in wrong else "pixel"):
        microscopy.Imaging(**wrong)


def test_rows_must_not_pass_each_other():
    with pytest.raises(InputError, match="pass each other"):
        microscopy.simulate(lone(6, 6), replace(CLEAN, drift=(0.0, -20.0)), seed=0)


@pytest.mark.parametrize("angle", [12.0, 22.0, 29.0])
def test_a_grain_boundary_is_of_rings_and_bonds(angle):
    boundary = microscopy.grain_boundary(24.0, angle, seed=2)
    middles, sizes = microscopy.rings(boundary.positions[:, :2])
    inside = ((middles > 2.0) & (middles < 22.0)).all(axis=1)
    truth = boundary.info["rings"]
    among = ((truth[:, :2] > 2.0) & (truth[:, :2] < 22.0)).all(axis=1)
    # A ring whose middle lies on the edge of the field may be in one list only.
    for size in (5, 7):
        assert abs((sizes[inside] == size).sum() - (truth[among, 2] == size).sum()) <= 1
    bonds = np.linalg.norm(boundary.positions[:, None] - boundary.positions[None], axis=2)
    bonds = bonds[(bonds > 0.0) & (bonds < 1.8)]
    assert abs(bonds.mean() - BOND) < 0.03
    assert bonds.std() < 0.1


@pytest.mark.parametrize("step", [[1.0, 0.0], [0.7, 0.3], [0.0, 0.0]])
def test_atoms_on_a_line_make_no_ring(step):
    with pytest.raises(InputError, match="6 atoms on one line make no ring"):
        microscopy.rings(np.arange(6.0)[:, None] * step)


def test_rings_of_graphene_with_a_vacancy():
    whole = microscopy.sheet("graphene", 20.0, seed=0)
    sizes = microscopy.rings(whole.positions[:, :2])[1]
    one_less = microscopy.sheet("graphene", 20.0, seed=0, vacancies=1)
    after = microscopy.rings(one_less.positions[:, :2])[1]
    assert set(sizes) == {6}
    assert sorted(set(after)) == [6, 12]
    assert (after == 6).sum() == len(sizes) - 3


def test_a_packing_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match="at random"):
        microscopy.random_packing(10.0, 2.0, 1.0, seed=0)


def write(folder, ending, data):
    path = folder / f"image{ending}"
    if ending == ".npy":
        np.save(path, data)
    elif ending == ".hdf5":
        with h5py.File(path, "w") as file:
            file["scan/frame"] = data[None, ..., None]
            file["note"] = "text"
    else:
        Picture.fromarray(data).save(path)
    return path


@pytest.mark.parametrize(
    ("ending", "kind"),
    [(".npy", "f4"), (".npy", "u2"), (".png", "u1"), (".png", "u2"), (".tif", "u1"),
     (".tif", "u2"), (".tif", "f4"), (".hdf5", "f4")],
)  # fmt: skip
def test_files_are_read_as_they_were_written(tmp_path, ending, kind):
    data = np.random.default_rng(0).integers(0, 200, (40, 30)).astype(kind)
    image = microscopy.read_image(write(tmp_path, ending, data), pixel=0.1)
    np.testing.assert_array_equal(image.data, data.astype(np.float32))
    assert image.size == pytest.approx((3.0, 4.0))


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (noise(40, 40, 3), "colour"),
        (noise(5, 40, 40), "two axes"),
        (noise(40), "two axes"),
        (noise(8, 40), "too small"),
        (np.where(noise(40, 40) > 1, np.nan, 0), "not finite"),
        (np.minimum(noise(40, 40), 1.0), "saturated"),
        (np.zeros((40, 40)), "empty"),
        (noise(40, 40) + 1j, "real numbers"),
    ],
)
def test_what_is_no_grey_image_is_refused(tmp_path, data, message):
    path = tmp_path / "image.npy"
    np.save(path, data)
    with pytest.raises(InputError, match=message):
        microscopy.read_image(path, pixel=0.1)


def test_colours_palettes_and_stacks_are_refused(tmp_path):
    grey = Picture.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40)).astype("u1"))
    grey.convert("RGB").save(tmp_path / "colour.png")
    grey.convert("P").save(tmp_path / "palette.png")
    grey.save(tmp_path / "stack.tif", save_all=True, append_images=[grey])
    for name, message in (("colour.png", "colour"), ("palette.png", "palette"),
                          ("stack.tif", "stack")):  # fmt: skip
        with pytest.raises(InputError, match=message):
            microscopy.read_image(tmp_path / name, pixel=0.1)


def test_files_that_cannot_be_used_are_refused(tmp_path):
    path = write(tmp_path, ".npy", noise(40, 40))
    with pytest.raises(InputError, match="no scale"):
        microscopy.read_image(path, pixel=None)
    with pytest.raises(InputError, match="positive"):
        microscopy.read_image(path, pixel=-1.0)
    with pytest.raises(DataError, match="no file"):
        microscopy.read_image(tmp_path / "none.npy", pixel=0.1)
    with pytest.raises(InputError, match="ends with"):
        microscopy.read_image(tmp_path / "image.dm4", pixel=0.1)
    for ending in (".npy", ".png", ".tif", ".h5"):
        (tmp_path / f"torn{ending}").write_bytes(b"no image")
        with pytest.raises(DataError, match="cannot be read"):
            microscopy.read_image(tmp_path / f"torn{ending}", pixel=0.1)
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["a"], file["b"] = noise(40, 40), noise(40, 40)
    with pytest.raises(InputError, match="2 arrays"):
        microscopy.read_image(tmp_path / "two.h5", pixel=0.1)
    named = microscopy.read_image(tmp_path / "two.h5", pixel=0.1, dataset="b")
    np.testing.assert_array_equal(named.data, noise(40, 40))


def test_pairs_are_one_to_one():
    true = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    # The middle one is nearest to both: only together do they make two pairs.
    found = np.array([[0.4, 0.0], [1.3, 0.0], [9.0, 9.0], [5.1, 5.0], [5.2, 5.0]])
    pairs = microscopy.match(found, true, radius=0.7)
    assert dict(zip(pairs.true.tolist(), pairs.found.tolist(), strict=True)) == {0: 0, 1: 1, 2: 3}
    assert (pairs.recall, pairs.precision) == (1.0, 0.6)
    assert pairs.error == pytest.approx(100 * np.sqrt((0.16 + 0.09 + 0.01) / 3))


def test_nothing_found_is_no_number():
    none = np.zeros((0, 2))
    assert microscopy.match(none, np.ones((2, 2))).recall == 0.0
    assert np.isnan(microscopy.match(none, np.ones((2, 2))).precision)
    assert np.isnan(microscopy.match(none, none).error)


def test_blobs_are_the_atoms_of_a_clean_image():
    atoms = microscopy.sheet("graphene", 12.8, seed=0, silicon=2)
    image = microscopy.simulate(atoms, replace(CLEAN, dose=1e6), seed=0)
    found = microscopy.find_blobs(image)
    pairs = microscopy.match(found.positions, image.positions, pixel=image.pixel)
    assert pairs.recall > 0.9
    assert pairs.precision > 0.9
    inner = (np.abs(image.positions[pairs.true] - 63.5) < 50).all(axis=1)
    assert (found.numbers[pairs.found] == image.numbers[pairs.true])[inner].all()


def test_an_image_without_atoms_gives_no_structure():
    nothing = microscopy.Found(np.zeros((0, 2)), np.zeros(0), np.zeros(0, int), 0.1)
    with pytest.raises(InputError, match="No atoms were found"):
        nothing.atoms()
    flat = microscopy.Image(np.full((64, 64), 2.0), 0.1)
    for found in (nothing, microscopy.find_blobs(flat)):
        inner = found.within(3.0)
        assert len(found) == len(inner) == 0 and isinstance(inner, microscopy.Found)
        assert inner.positions.shape == (0, 2) and inner.pixel == 0.1


def random_finder(channels=4):
    generator = np.random.default_rng(0)
    kernels, n = [], 1
    for _ in finding.DILATIONS:
        kernels.append(generator.normal(0, 0.3, (3, 3, n, channels)).astype(np.float32))
        n = channels
    kernels.append(generator.normal(0, 0.3, (n, 3)).astype(np.float32))
    biases = [generator.normal(0, 0.1, k.shape[-1]).astype(np.float32) for k in kernels]
    return microscopy.Finder(tuple(kernels), tuple(biases))


@pytest.mark.parametrize("tile", [16, 37, 64, 1000])
def test_tiles_do_not_change_the_answer(tile):
    atoms = microscopy.sheet("graphene", 18.0, seed=0)
    image = microscopy.simulate(atoms, microscopy.Imaging(180, 150, 0.1), seed=0)
    finder = random_finder()
    contrast = finding.prepared(image)
    whole = finding._answers(finder, contrast, 10_000)
    pieces = finding._answers(finder, contrast, tile)
    np.testing.assert_allclose(pieces, whole, rtol=0, atol=SINGLE * np.abs(whole).max())


def test_a_large_image_takes_the_memory_of_some_copies_of_itself():
    image = microscopy.simulate(
        microscopy.sheet("graphene", 82.0, 0), microscopy.Imaging(1024, 1024, dose=1e6), seed=0
    )
    # Loads what is loaded once.
    microscopy.find_atoms(microscopy.Image(image.data[:128, :128], image.pixel))
    tracemalloc.start()
    found = microscopy.find_atoms(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 15 * image.data.nbytes
    pairs = microscopy.match(found.positions, image.positions, pixel=image.pixel)
    assert min(pairs.recall, pairs.precision) > 0.98


def test_single_atoms_scatter_as_multislice_says():
    sigma = microscopy.cross_sections()
    assert sigma.is_monotonic_increasing
    assert sigma[6] == pytest.approx(microscopy.Imaging().cross_section, rel=0.2)
    # From B to Pb a lower power than for the light elements among themselves.
    light = microscopy.contrast_exponent(sigma[[5, 6, 7]])
    assert 1.3 < microscopy.contrast_exponent(sigma) < 1.7 < light < 2.0


@pytest.mark.parametrize(
    ("scene", "correlation", "residual"), [("graphene", 0.99, 0.12), ("MoS2", 0.96, 0.30)]
)
def test_a_sum_of_probes_is_near_to_multislice(scene, correlation, residual):
    image = microscopy.load_multislice(scene)
    fitted = microscopy.fit_probe(image, source=0.6)
    found = microscopy.agreement(image, 0.6, fitted)
    assert found["correlation"] > correlation
    assert found["residual"] < residual
    # What was fitted is better than the default, and not far from it.
    assert found["residual"] < microscopy.agreement(image, 0.6, microscopy.Imaging())["residual"]
    assert fitted.probe == pytest.approx(microscopy.Imaging().probe, abs=0.25)


def test_the_source_of_electrons_blurs_and_loses_none():
    image = microscopy.load_multislice("graphene")
    blurred = image.blurred(0.6)
    assert blurred.mean() == pytest.approx(image.intensity.mean())
    assert blurred.std() < image.intensity.std()


def test_unknown_scene():
    with pytest.raises(InputError, match="no multislice image 'gold'"):
        microscopy.load_multislice("gold")


def test_control_fills_the_frame_of_the_sample():
    sheet = microscopy.sheet("graphene", 30.0, 0)
    oblong = sheet[sheet.positions[:, 1] < 14.0]
    packed = experiment.control(oblong, 0)
    frame = np.ptp(oblong.positions[:, :2], axis=0)
    assert (packed.positions[:, :2] <= frame).all()
    assert len(packed) == pytest.approx(len(oblong), rel=0.1)


def test_prediction_is_what_keras_computes(tmp_path):
    training = FinderTraining(channels=3, steps=2, batch_size=1, examples=2)
    finder = train_finder(training, tmp_path)
    import keras

    from arise_lib.microscopy import learning

    model = learning._model(keras, training)
    flat = [a for k, b in zip(finder.kernels, finder.biases, strict=True) for a in (k, b)]
    flat[-2] = flat[-2][None, None]
    model.set_weights(flat)
    contrast, _ = example((0, 0))
    expected = np.asarray(model(contrast[None, ..., None]))[0]
    np.testing.assert_allclose(finding._answers(finder, contrast, 32), expected, atol=1e-5)


def test_an_interrupted_training_goes_on_where_it_stopped(tmp_path, monkeypatch):
    from arise_lib.microscopy import learning

    monkeypatch.setattr(learning, "_EVERY", 1)
    training = FinderTraining(channels=2, steps=3, batch_size=1, examples=3)
    whole = train_finder(training, tmp_path / "whole")
    calls = []

    def stops(training, step):
        calls.append(step)
        if step == 2:
            raise KeyboardInterrupt
        return batch(training, step)

    batch = learning._batch
    monkeypatch.setattr(learning, "_batch", stops)
    with pytest.raises(KeyboardInterrupt):
        train_finder(training, tmp_path / "torn")
    monkeypatch.setattr(learning, "_batch", batch)
    again = train_finder(training, tmp_path / "torn")
    for one, other in zip(whole.kernels, again.kernels, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    with pytest.raises(InputError, match="another training"):
        train_finder(replace(training, seed=1), tmp_path / "torn")


@pytest.mark.parametrize("way", range(8))
def test_turned_examples_point_at_the_same_atoms(way):
    contrast, answer = example((0, 1))
    edge = contrast.shape[0] - 1
    y, x = np.indices(contrast.shape)
    places = np.stack([x, y], axis=-1) + answer[..., 1:]
    places = places[answer[..., 0] > 0]
    if way & 1:
        places = places * [-1, 1] + [edge, 0]
    if way & 2:
        places = places * [1, -1] + [0, edge]
    if way & 4:
        places = places[:, ::-1]
    _, turned = symmetric(contrast, answer, way)
    found = (np.stack([x, y], axis=-1) + turned[..., 1:])[turned[..., 0] > 0]
    np.testing.assert_allclose(
        np.unique(found.round(2), axis=0), np.unique(places.round(2), axis=0), atol=0.02
    )


def test_peaks_are_where_discs_are():
    # What a perfect network would answer.
    places = np.array([[10.3, 12.8], [17.4, 12.6], [10.0, 20.0]])
    y, x = np.mgrid[:32, :32]
    to = places[:, None, None] - np.stack([x, y], axis=-1)
    nearest = np.linalg.norm(to, axis=-1).argmin(axis=0)
    offsets = np.take_along_axis(to, nearest[None, ..., None], axis=0)[0]
    chance = (np.linalg.norm(offsets, axis=-1) <= 1.5).astype(np.float32)
    found, sure = finding._peaks(chance, offsets.astype(np.float32))
    np.testing.assert_allclose(found[np.lexsort(found.T)], places[np.lexsort(places.T)], atol=1e-5)
    assert (sure == 1.0).all()


def test_the_released_finder_finds_atoms_below_the_pixel():
    atoms = microscopy.sheet("graphene", 20.48, seed=11, silicon=2)
    image = microscopy.simulate(atoms, microscopy.Imaging(dose=1e6), seed=11)
    found = microscopy.find_atoms(image)
    pairs = microscopy.match(found.positions, image.positions, pixel=image.pixel)
    assert pairs.recall > 0.95
    assert pairs.precision > 0.95
    assert pairs.error < 15.0
    again = microscopy.find_atoms(image, tile=48)
    np.testing.assert_allclose(again.positions, found.positions, atol=1e-3)


@pytest.mark.parametrize("name", ["graphene_si_2nm", "Si2C5_0"])
def test_published_atoms_are_found_in_published_images(name):
    images, positions = experiment.micrographs()
    if name not in images:
        pytest.skip(f"{name} is not in the data cache")
    found = {name: microscopy.find_atoms(images[name])}
    row = experiment.agreement(found, positions).loc[name]
    assert row["matched / %"] > 95.0
    assert row["displacement / pm"] < 15.0


def test_a_finder_that_is_not_what_was_released_is_refused(tmp_path):
    path = tmp_path / "finder.npz"
    path.write_bytes(finding.RELEASED.read_bytes() + b"x")
    path.with_suffix(".json").write_text(finding.RELEASED.with_suffix(".json").read_text())
    with pytest.raises(DataError, match="SHA-256"):
        microscopy.load_finder(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"confidence": 1.5}, "confidence"), ({"tile": 4}, "Tiles")],
)
def test_settings_of_the_finder_are_checked(settings, message):
    image = microscopy.Image(noise(40, 40), 0.1)
    with pytest.raises(InputError, match=message):
        microscopy.find_atoms(image, **settings)


def test_pixels_too_wide_to_see_an_atom_are_refused():
    with pytest.raises(InputError, match="scale"):
        microscopy.find_atoms(microscopy.Image(noise(40, 40), 0.5))
    with pytest.raises(InputError, match="narrower"):
        microscopy.find_blobs(microscopy.Image(noise(40, 40), 1.0))


@pytest.mark.parametrize(
    ("kind", "change"), [("double", 3), ("wrong species", 0), ("missed", -3), ("false", 3)]
)
def test_damage_is_what_it_says(kind, change):
    whole = microscopy.sheet("graphene", 20.0, seed=0)
    hurt = microscopy.damaged(whole, kind, 3, seed=0)
    assert len(hurt) - len(whole) == change
    assert (hurt.numbers == 14).sum() == (3 if kind == "wrong species" else 0)
    assert (whole.numbers == 6).all()
    with pytest.raises(InputError, match="cannot be done"):
        microscopy.damaged(whole, "burnt", 1, seed=0)


def test_blocks_are_seen_where_they_are_and_not_elsewhere():
    generator = np.random.default_rng(0)
    centres = np.repeat(generator.normal(size=(3, 20)), 6, axis=0)
    groups = np.repeat([0, 1, 2], 6)
    near = microscopy.cosine_similarity(centres + 0.3 * generator.normal(size=(18, 20)))
    found = microscopy.blocks(near, groups, seed=0, permutations=199)
    assert found.within > found.between
    assert found.p_value == 1 / 200
    mixed = microscopy.blocks(near, generator.permutation(groups), seed=0, permutations=199)
    assert mixed.p_value > 0.02
    with pytest.raises(InputError, match="two groups"):
        microscopy.blocks(near, np.zeros(18, int), seed=0)


def test_blocks_of_a_vector_without_direction_are_undefined():
    """In which block it stands does not matter: the permutations put it into each."""
    vectors = np.vstack([np.zeros(3), np.eye(3)])
    for groups in ([0, 0, 1, 1], [0, 1, 1, 1]):
        found = microscopy.blocks(microscopy.cosine_similarity(vectors), groups, seed=0)
        assert np.isnan(found.p_value) and np.isnan(found.between)
    assert found.within == 0.0  # of a pair of the others
