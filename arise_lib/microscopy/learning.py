"""Training of the finder of atoms, on simulated images alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from arise_lib import storage
from arise_lib.errors import InputError
from arise_lib.microscopy.finder import DILATIONS, PIXEL, RADIUS, Finder, prepared
from arise_lib.microscopy.scenes import grain_boundary, random_packing, sheet
from arise_lib.microscopy.simulate import Imaging, SimulatedImage, simulate

#: Edge of an example in pixels of the network.
EDGE = 64

#: Sheets of the examples besides graphene.
SHEETS = ("BN", "C3N", "MoS2", "MnS2", "PbSe")

#: Doses of the examples: smallest and largest, electrons per Å².
DOSES = 1e3, 1e6

#: So many grain boundaries serve for all examples: to make one takes longer than an image.
_BOUNDARIES = 12

#: Steps between checkpoints.
_EVERY = 50


@dataclass(frozen=True)
class FinderTraining:
    """Hyper-parameters of the training of a finder.

    Attributes
    ----------
    channels : int
        Of every convolution.
    steps, batch_size : int
        Steps of Adam, examples for each.
    examples : int
        Different ones; each is seen turned and mirrored in eight ways.
    learning_rate : float
        At the beginning; it falls to zero along a cosine.
    seed : int
        Of the initial weights and of the order; example i has the seed (`seed`, i).

    Examples
    --------
    >>> FinderTraining(steps=10).channels
    24
    """

    channels: int = 24
    steps: int = 600
    batch_size: int = 8
    examples: int = 400
    learning_rate: float = 3e-3
    seed: int = 0


def example_image(seed: tuple[int, ...]) -> SimulatedImage:
    """Draw a simulated image for training: what is seen and how are both drawn widely.

    Parameters
    ----------
    seed : tuple of int
        Of the draw.

    Returns
    -------
    SimulatedImage
        About 13 Å wide.

    Examples
    --------
    >>> image = example_image((0, 0))
    >>> 12.0 < image.size[0] < 14.0
    True
    """
    generator = np.random.default_rng(seed)
    width = EDGE * PIXEL
    kind = generator.random()
    if kind < 0.6:
        atoms = sheet(
            "graphene", width, int(generator.integers(2**31)),
            silicon=int(generator.choice([0, 0, 1, 3])),
            vacancies=int(generator.choice([0, 1, 4])),
            displacement=generator.uniform(0.0, 0.1),
        )  # fmt: skip
    elif kind < 0.75:
        atoms = _boundary(int(generator.integers(_BOUNDARIES))).copy()
        turn = generator.uniform(0.0, 360.0)
        atoms.rotate(turn, "z", center=(width / 2, width / 2, 0.0))
        atoms.positions[:, :2] += generator.uniform(-4.0, 4.0, 2)
    elif kind < 0.9:
        label = str(generator.choice(SHEETS))
        shaken = generator.uniform(0.0, 0.1)
        atoms = sheet(label, width, int(generator.integers(2**31)), displacement=shaken)
    else:
        density = generator.uniform(0.1, 0.3)
        atoms = random_packing(width + 8.0, density, 1.2, int(generator.integers(2**31)))
        atoms.positions[:, :2] -= 4.0
    if generator.random() < 0.1:
        # A free edge, anywhere and in any direction.
        angle = generator.uniform(0.0, 2.0 * np.pi)
        side = (atoms.positions[:, :2] - width / 2.0) @ [np.cos(angle), np.sin(angle)]
        atoms = atoms[side < generator.uniform(-0.3, 0.4) * width]
    atoms.positions[:, :2] *= generator.uniform(0.96, 1.04)
    pixel = generator.uniform(0.06, 0.16)
    n = int(np.ceil((EDGE - 1) * PIXEL / pixel)) + 1
    imaging = Imaging(
        n, n, pixel,
        dose=float(np.exp(generator.uniform(*np.log(DOSES)))),
        probe=generator.uniform(0.8, 1.5),
        tail=generator.uniform(0.0, 0.3),
        exponent=generator.uniform(1.5, 2.0),
        background=generator.uniform(0.0, 5e-4),
        contamination=float(generator.choice([0.0, 0.0, generator.uniform(0.0, 4.0)])),
        contamination_length=generator.uniform(4.0, 12.0),
        drift=(generator.normal(0.0, 0.3), generator.normal(0.0, 0.3)),
        distortion=generator.uniform(0.0, 0.1),
        jitter=float(generator.choice([0.0, generator.uniform(0.0, 0.15)])),
    )  # fmt: skip
    return simulate(atoms, imaging, int(generator.integers(2**31)))


def example(seed: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw an example: what the network sees, and what it should answer.

    Parameters
    ----------
    seed : tuple of int
        Of the draw.

    Returns
    -------
    contrast : ndarray of float32, shape (64, 64)
        See `arise_lib.microscopy.finder.prepared`.
    answer : ndarray of float32, shape (64, 64, 3)
        1 within 0.3 Å of an atom and 0 elsewhere, and how far the nearest atom is off
        along x and y, in pixels of the network.

    Examples
    --------
    >>> contrast, answer = example((0, 0))
    >>> contrast.shape, answer.shape
    ((64, 64), (64, 64, 3))
    """
    image = example_image(seed)
    contrast = prepared(image)[:EDGE, :EDGE]
    answer = np.zeros((*contrast.shape, 3), dtype=np.float32)
    if len(image.positions):
        atoms = image.positions * (image.pixel / PIXEL)
        y, x = np.mgrid[: contrast.shape[0], : contrast.shape[1]]
        points = np.column_stack([x.ravel(), y.ravel()])
        distance, nearest = cKDTree(atoms).query(points)
        answer[..., 0] = (distance <= RADIUS / PIXEL).reshape(contrast.shape)
        answer[..., 1:] = (atoms[nearest] - points).reshape(*contrast.shape, 2)
    return contrast, answer


def symmetric(
    contrast: NDArray[np.float32], answer: NDArray[np.float32], way: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Turn and mirror an example, the offsets in its answer as well.

    Parameters
    ----------
    contrast, answer : ndarray of float32
        From `example`.
    way : int
        0 to 7: bit 0 mirrors x, bit 1 mirrors y, bit 2 exchanges x and y.

    Returns
    -------
    contrast, answer : ndarray of float32
        Of the same shapes.

    Examples
    --------
    >>> import numpy as np
    >>> seen, answer = np.eye(2, dtype=np.float32), np.ones((2, 2, 3), np.float32)
    >>> symmetric(seen, answer, 1)[1][0, 0].tolist()
    [1.0, -1.0, 1.0]
    """
    if way & 1:
        contrast, answer = contrast[:, ::-1], answer[:, ::-1] * np.array([1, -1, 1], np.float32)
    if way & 2:
        contrast, answer = contrast[::-1], answer[::-1] * np.array([1, 1, -1], np.float32)
    if way & 4:
        contrast, answer = contrast.T, answer.swapaxes(0, 1)[..., [0, 2, 1]]
    return contrast, answer


def train_finder(training: FinderTraining, folder: Path, *, verbose: bool = False) -> Finder:
    """Train a finder with Keras; an interrupted training goes on where it stopped.

    Parameters
    ----------
    training : FinderTraining
        Hyper-parameters.
    folder : Path
        For the checkpoint, which holds weights and the state of Adam every 50 steps.
    verbose : bool
        Whether to print the loss.

    Returns
    -------
    Finder
        Trained.

    Raises
    ------
    InputError
        If the checkpoint in the folder is of another training.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     tiny = train_finder(FinderTraining(channels=2, steps=1, batch_size=1), Path(folder))
    >>> tiny.kernels[0].shape
    (3, 3, 1, 2)
    """
    import keras

    keras.utils.set_random_seed(training.seed)
    model = _model(keras, training)
    checkpoint = folder / "finder_checkpoint.npz"
    first, losses = _restored(model, checkpoint, training)
    for step in range(first, training.steps):
        seen, answers = _batch(training, step)
        losses.append(float(model.train_on_batch(seen, answers)))
        if (step + 1) % _EVERY == 0 or step + 1 == training.steps:
            _keep(model, checkpoint, training, step + 1, losses)
            if verbose:
                print(f"step {step + 1}: loss {np.mean(losses[-_EVERY:]):.4f}", flush=True)
    return _arrays(model)


@lru_cache(maxsize=_BOUNDARIES)
def _boundary(number: int) -> Atoms:
    """Make one of the boundaries of the examples."""
    angle = float(np.random.default_rng((5, number)).uniform(8.0, 30.0))
    atoms = grain_boundary(EDGE * PIXEL + 12.0, angle, (5, number))
    atoms.positions[:, :2] -= 6.0
    return atoms


@lru_cache(maxsize=4096)
def _kept_example(seed: int, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw an example once for all the steps that use it."""
    return example((seed, number))


def _batch(training: FinderTraining, step: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Examples of a step, each turned and mirrored at random."""
    generator = np.random.default_rng((training.seed, 1, step))
    first = step * training.batch_size
    seen, answers = [], []
    for number in range(first, first + training.batch_size):
        pair = _kept_example(training.seed, number % training.examples)
        contrast, answer = symmetric(*pair, int(generator.integers(8)))
        seen.append(contrast)
        answers.append(answer)
    return np.stack(seen)[..., None], np.stack(answers)


def _model(keras: Any, training: FinderTraining) -> Any:
    """Build and compile the network; beyond the image everything is zero."""
    layers = [keras.layers.Input((None, None, 1))]
    for dilation in DILATIONS:
        layers.append(
            keras.layers.Conv2D(
                training.channels, 3, padding="same", dilation_rate=dilation, activation="relu"
            )
        )
    layers.append(keras.layers.Conv2D(3, 1))
    model = keras.Sequential(layers)

    def loss(answer: Any, found: Any) -> Any:
        """Cross-entropy of the disc, and squared error of the offset within it."""
        here = answer[..., :1]
        entropy = keras.ops.binary_crossentropy(here, found[..., :1], from_logits=True)
        squares = keras.ops.sum(keras.ops.square(answer[..., 1:] - found[..., 1:]), axis=-1)
        off = keras.ops.sum(here[..., 0] * squares) / (keras.ops.sum(here) + 1.0)
        return keras.ops.mean(entropy) + 0.1 * off

    rate = keras.optimizers.schedules.CosineDecay(training.learning_rate, training.steps)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss)
    return model


def _arrays(model: Any) -> Finder:
    """Take the weights out of the model."""
    weights = [np.asarray(array, dtype=np.float32) for array in model.get_weights()]
    kernels = [*weights[0::2][:-1], weights[-2][0, 0]]
    return Finder(tuple(kernels), tuple(weights[1::2]))


def _keep(model: Any, path: Path, training: FinderTraining, step: int, losses: list[float]) -> None:
    """Write a checkpoint, whole or not at all."""
    arrays = {f"weight_{k}": np.asarray(v) for k, v in enumerate(model.get_weights())}
    state = [np.asarray(variable) for variable in model.optimizer.variables]
    arrays |= {f"state_{k}": value for k, value in enumerate(state)}
    arrays |= {"training": np.array(repr(training)), "step": np.array(step)}
    storage.save_arrays(path, arrays | {"losses": np.array(losses)})


def _restored(model: Any, path: Path, training: FinderTraining) -> tuple[int, list[float]]:
    """Set the model to where its checkpoint left it; say at which step, and the losses so far."""
    if not path.is_file():
        return 0, []
    arrays = storage.load_arrays(path)
    if str(arrays["training"]) != repr(training):
        raise InputError(
            f"{path.name} is of another training ({arrays['training']}): remove it, or name "
            "another folder."
        )
    model.set_weights([arrays[f"weight_{k}"] for k in range(len(model.get_weights()))])
    model.optimizer.build(model.trainable_variables)
    for k, variable in enumerate(model.optimizer.variables):
        variable.assign(arrays[f"state_{k}"])
    return int(arrays["step"]), arrays["losses"].tolist()
