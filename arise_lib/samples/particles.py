"""Iron-platinum nanoparticles whose every atom carries its truth: domains, order, composition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from arise_lib.errors import InputError
from arise_lib.samples.alloys import FEPT_CONSTANT, FEPT_PHASES, TOMOGRAPHY_ERROR, WRONG_SPECIES
from arise_lib.typing import Seed

#: Share of the domains of each phase.
DOMAINS = {"L1_2": 0.5, "L1_0": 0.25, "fcc": 0.25}

#: Mean share of iron in each phase.
IRON = {"L1_2": 0.25, "L1_0": 0.5, "fcc": 0.3}

#: Relative fall of the share of iron from the centre to the surface.
GRADIENT = 0.2

#: The outermost layer, in lattice constants, in which only half of the sites are occupied.
ROUGH = 0.5

#: Degrees by which a frame of a series is turned at random, at least and at most.
TURNS = (3.0, 10.0)

#: Share of the sites that iron takes where the order is perfect.
_IRON_SITES = {"L1_2": 0.25, "L1_0": 0.5, "fcc": 1.0}

_FE, _PT = atomic_numbers["Fe"], atomic_numbers["Pt"]


@dataclass(frozen=True, eq=False)
class Particle:
    """A simulated particle and its truth.

    Attributes
    ----------
    atoms : ase.Atoms
        What tomography would give: a free cluster.
    phase : ndarray of str, shape (n_atoms,)
        "L1_2", "L1_0" or "fcc": that of the atom's domain.
    domain : ndarray of int, shape (n_atoms,)
        Number of the domain.
    order : ndarray of float, shape (n_atoms,)
        Long-range order S of the domain at that place: by how much the probability of iron
        on its own sites exceeds that on the others.
    sites : ndarray of shape (n_atoms, 3)
        Where the atom truly is, in Å.
    numbers : ndarray of int, shape (n_atoms,)
        Its true atomic number.
    turn : ndarray of shape (3, 3)
        Its columns are the cubic axes.

    Examples
    --------
    >>> particle = fept_particle(0, n_atoms=2000)
    >>> sorted(set(particle.phase.tolist()))
    ['L1_0', 'L1_2', 'fcc']
    """

    atoms: Atoms
    phase: NDArray[np.str_]
    domain: NDArray[np.int64]
    order: NDArray[np.float64]
    sites: NDArray[np.float64]
    numbers: NDArray[np.int64]
    turn: NDArray[np.float64]


def fept_particle(
    seed: Seed,
    *,
    n_atoms: int = 23_000,
    n_domains: int = 16,
    order: float = 0.8,
    domains: Mapping[str, float] = DOMAINS,
    iron: Mapping[str, float] = IRON,
    error: float = TOMOGRAPHY_ERROR,
    wrong: float = WRONG_SPECIES,
) -> Particle:
    """Simulate an iron-platinum particle with domains of three phases on one lattice.

    Parameters
    ----------
    seed : int or sequence of int
        Of domains, occupation and errors. With the same seed and another `order` the
        domains are the same, and an atom only changes its species where the order asks
        for it.
    n_atoms : int
        Size, about.
    n_domains : int
        Domains that share the ball, each nearest to its own centre.
    order : float
        Order of the ordered domains, from 0 to 1, relative to the largest that their
        composition allows.
    domains : mapping of str to float
        Share of the domains of each phase, from 0 to 1.
    iron : mapping of str to float
        Mean share of iron in each phase, from 0 to 1; it falls by `GRADIENT` from the centre
        to the surface.
    error : float
        Positional error in Å per atom, 1 / sqrt(3) of it per coordinate.
    wrong : float
        Share of the atoms that are taken for the other species.

    Returns
    -------
    Particle
        Cubic axes along x, y, z; centred on the origin.

    Raises
    ------
    InputError
        If a phase is unknown, a share or the order is not from 0 to 1, or there is no atom
        or no domain.

    Examples
    --------
    >>> particle = fept_particle(1, n_atoms=3000, order=1.0)
    >>> 2500 < len(particle.atoms) < 3500
    True
    >>> float(particle.order[particle.phase == "fcc"].max())
    0.0
    """
    _check(n_atoms, n_domains, order, domains, iron, wrong)
    generator = np.random.default_rng(seed)
    halves, radius = _ball(n_atoms, generator)
    places = 0.5 * FEPT_CONSTANT * halves.astype(np.float64)
    distance = np.linalg.norm(places, axis=1) / radius
    centres = _spread_points(n_domains, 0.8 * radius, generator)
    domain = cdist(places, centres).argmin(axis=1)
    kinds = _assigned(domains, n_domains, generator)
    variants = generator.integers(0, 12, n_domains)
    phase = kinds[domain]
    share = np.array([iron[kind] for kind in kinds])[domain] * (1.0 + GRADIENT * (0.5 - distance))
    own = _own_sites(halves, phase, variants[domain])
    of_own = np.array([_IRON_SITES[kind] for kind in kinds])[domain]
    # No probability may leave 0 to 1.
    room = np.minimum((1.0 - share) / np.maximum(1.0 - of_own, 1e-12), share / of_own)
    long_range: NDArray[np.float64] = np.where(phase == "fcc", 0.0, order * np.minimum(room, 1.0))
    chance = share + np.where(own, 1.0 - of_own, -of_own) * long_range
    is_iron = generator.random(len(places)) < chance
    numbers = np.where(is_iron, _FE, _PT)
    seen = np.where(generator.random(len(places)) < wrong, _FE + _PT - numbers, numbers)
    moved = places + generator.normal(0.0, error / np.sqrt(3.0), size=places.shape)
    return Particle(Atoms(seen, moved), phase, domain, long_range, places, numbers, np.eye(3))


def annealing_series(
    seed: int, orders: Sequence[float] = (0.3, 0.6, 0.9), *, n_atoms: int = 5_000
) -> list[Particle]:
    """Simulate one particle while it anneals: the same domains, their order growing.

    Parameters
    ----------
    seed : int
        Of the particle; frame i is turned with the seed (`seed`, i).
    orders : sequence of float
        Relative order in each frame, see `fept_particle`.
    n_atoms : int
        Size, about.

    Returns
    -------
    list of Particle
        Every frame is turned about a random axis by an angle within `TURNS`, except for the
        first, and has its own positional errors: it has to be aligned, as in an experiment.

    Examples
    --------
    >>> series = annealing_series(0, n_atoms=1500)
    >>> bool(series[0].order.mean() < series[1].order.mean() < series[2].order.mean())
    True
    >>> len({len(particle.atoms) for particle in series})
    1
    """
    frames = []
    for i, order in enumerate(orders):
        still = fept_particle(seed, n_atoms=n_atoms, order=order, error=0.0)
        generator = np.random.default_rng((seed, i))
        axis = Rotation.random(rng=generator).as_matrix()[0]
        angle = np.radians(generator.uniform(*TURNS)) if i else 0.0
        turn = Rotation.from_rotvec(angle * axis).as_matrix()
        places = still.sites @ turn.T
        error = generator.normal(0.0, TOMOGRAPHY_ERROR / np.sqrt(3.0), places.shape)
        atoms = Atoms(still.atoms.numbers, places + error)
        frames.append(
            Particle(atoms, still.phase, still.domain, still.order, places, still.numbers, turn)
        )
    return frames


def _check(
    n_atoms: int,
    n_domains: int,
    order: float,
    domains: Mapping[str, float],
    iron: Mapping[str, float],
    wrong: float,
) -> None:
    unknown = sorted((set(domains) | set(iron)) - set(FEPT_PHASES))
    missing = sorted(set(domains) - set(iron))
    if unknown or missing:
        raise InputError(
            f"Phases {unknown or missing}: there are {', '.join(FEPT_PHASES)}, and each needs a "
            "share of iron."
        )
    values = [order, wrong, *domains.values(), *iron.values()]
    if not all(0.0 <= value <= 1.0 for value in values) or sum(domains.values()) <= 0:
        raise InputError(f"Order and shares must be from 0 to 1, not {values}.")
    if n_atoms < 1 or n_domains < 1:
        raise InputError(f"{n_atoms} atoms in {n_domains} domains; give at least one of each.")


def _ball(n_atoms: int, generator: np.random.Generator) -> tuple[NDArray[np.int64], float]:
    """Sites of a ball with a rough surface, in halves of the constant; its radius in Å."""
    core = FEPT_CONSTANT * (3.0 * n_atoms / (16.0 * np.pi)) ** (1.0 / 3.0)
    # The rough layer lies half inside and half outside of the ball that holds n_atoms.
    radius = core + 0.5 * ROUGH * FEPT_CONSTANT
    reach = int(np.ceil(2.0 * radius / FEPT_CONSTANT))
    axis = np.arange(-reach, reach + 1)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[grid.sum(axis=1) % 2 == 0]
    distance = 0.5 * FEPT_CONSTANT * np.linalg.norm(grid, axis=1)
    kept = generator.random(len(grid)) < 0.5
    return grid[
        (distance <= radius - ROUGH * FEPT_CONSTANT) | (kept & (distance <= radius))
    ], radius


def _spread_points(
    n_points: int, radius: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Points in a ball, each the farthest of 30 random ones from those before it."""
    points = np.empty((0, 3))
    for _ in range(n_points):
        tried = generator.normal(size=(30, 3))
        tried /= np.linalg.norm(tried, axis=1)[:, None]
        tried *= radius * generator.random((30, 1)) ** (1.0 / 3.0)
        gaps = cdist(tried, points).min(axis=1) if len(points) else np.ones(30)
        points = np.vstack([points, tried[np.argmax(gaps)]])
    return points


def _assigned(
    shares: Mapping[str, float], n_domains: int, generator: np.random.Generator
) -> NDArray[np.str_]:
    """Phases of the domains in random order, their numbers as near to the shares as they can be."""
    wanted = np.array(list(shares.values())) / sum(shares.values()) * n_domains
    counts = np.floor(wanted).astype(int)
    rest = np.argsort(-(wanted - counts), kind="stable")[: n_domains - counts.sum()]
    counts[rest] += 1
    return generator.permutation(np.repeat(list(shares), counts))


def _own_sites(
    halves: NDArray[np.int64], phase: NDArray[np.str_], variant: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which sites are those of iron: one of four sublattices, or every other plane."""
    odd = halves % 2
    # Of the parities of three coordinates, whose sum is even, two name the sublattice.
    in_l12 = 2 * odd[:, 0] + odd[:, 1] == variant % 4
    in_l10 = odd[np.arange(len(odd)), variant % 3] == variant // 3 % 2
    return np.where(phase == "L1_2", in_l12, in_l10)
