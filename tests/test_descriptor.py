from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise, product
from math import sqrt

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from golden.make_quip import GOLDEN, class_structures, special_cases
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.spatial.transform import Rotation
from scipy.special import eval_legendre, spherical_in
from strategies import clusters, periodic_structures, rotations, structures
from threadpoolctl import threadpool_limits

from arise_lib import storage
from arise_lib.descriptor import (
    RADIAL_BASES,
    SoapSettings,
    describe,
    describe_by_definition,
    describe_settings,
    describe_with_dscribe,
    describe_with_quip,
    reference,
    training_grid,
)
from arise_lib.descriptor._engine.grid import NODES, TOLERANCE, common_edges, lagrange, radial_table
from arise_lib.descriptor._engine.harmonics import (
    fill_harmonics,
    harmonic_columns,
    normalisation,
    recurrence,
)
from arise_lib.descriptor._engine.lanes import LANES
from arise_lib.descriptor._engine.spectrum import add_power_spectra, slots
from arise_lib.descriptor.definition import (
    expansion_coefficients,
    mean_over_pairs,
    power_spectrum,
    real_harmonics,
    scaled_pairs,
)
from arise_lib.descriptor.radial.quip import _gaussian_overlap
from arise_lib.descriptor.settings import PAIR_WEIGHTS
from arise_lib.errors import InputError
from arise_lib.structures import prototypes
from arise_lib.structures.scale import nearest_neighbour_distances

QUIP, GTO = SoapSettings(radial="quip"), SoapSettings(radial="gto")
EVERY = [SoapSettings(radial=name) for name in RADIAL_BASES]
EACH = pytest.mark.parametrize("settings", EVERY, ids=list(RADIAL_BASES))
NAMES = pytest.mark.parametrize("radial", list(RADIAL_BASES))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """DScribe inverts tiny matrices, at which the threads of a busy machine wait for each other."""
    with threadpool_limits(limits=1):
        yield


EXACT = 1e-9  # invariances
SAME = 1e-7  # the definition against other codes
TWICE = 2e-6  # the engine on two grids: each interpolates within 1e-6
CLOSE = 1e-5  # the engine against other codes, from which it differs by its interpolation


def deviation(found: np.ndarray, expected: np.ndarray) -> float:
    """Relative L2 norm of the difference, the largest over rows."""
    assert found.shape == expected.shape
    error = np.linalg.norm(found - expected, axis=-1) / np.linalg.norm(expected, axis=-1)
    return float(np.max(error))


def by_degree(vector: np.ndarray, settings: SoapSettings) -> np.ndarray:
    """Power spectrum as (pairs of radial functions, l_max + 1), without entries that are zero."""
    layout = settings.layout
    kept = layout.factor > 0
    return np.stack(
        [vector[kept & (layout.degree == degree)] for degree in range(settings.l_max + 1)], axis=1
    )


def faded(r: list[float] | np.ndarray, settings: SoapSettings) -> np.ndarray:
    return settings.basis.faded(np.asarray(r), settings)


def fade(r: np.ndarray, settings: SoapSettings) -> np.ndarray:
    return settings.basis.fade(r, settings)


def kinks(settings: SoapSettings) -> tuple[float, ...]:
    return settings.basis.kinks(settings)


def random_box(seed: int, species: str, *, pbc: bool | tuple[bool, bool, bool]) -> Atoms:
    """Forty atoms on a distorted grid, species at random."""
    rng = np.random.default_rng(seed)
    sites = np.array(list(product(range(5), range(4), range(2)))) + rng.uniform(
        -0.25, 0.25, (40, 3)
    )
    symbols = rng.choice(species.split(), size=40).tolist()
    return Atoms(symbols, positions=2.7 * sites, cell=2.7 * np.array([5.0, 4.0, 2.0]), pbc=pbc)


# --- settings --------------------------------------------------------------------------------


def test_settings_of_the_paper() -> None:
    # Paper, Methods: R_C = 4.0 dNN, sigma = 0.1 dNN, n_max = 9, l_max = 6.
    assert SoapSettings() == SoapSettings("quip", 4.0, 0.1, 9, 6, 1.0, 0.5)
    assert (QUIP.n_features, GTO.n_features) == (316, 315)
    with pytest.raises(FrozenInstanceError):
        QUIP.cutoff = 5.0  # type: ignore[misc]


@NAMES
def test_training_grid(radial: str) -> None:
    grid = training_grid(radial)
    assert len(set(grid)) == len(grid) == 99
    assert {s.cutoff for s in grid} == {3.0, 3.2, 3.4, 3.6, 3.8, 4.0, 4.2, 4.4, 4.6, 4.8, 5.0}
    assert {s.sigma for s in grid} == {0.08, 0.10, 0.12}
    assert {s.extrinsic for s in grid} == {0.95, 1.0, 1.05}
    assert {(s.radial, s.n_max, s.l_max, s.fade) for s in grid} == {(radial, 9, 6, 0.5)}
    assert SoapSettings(radial=radial) in grid


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"radial": "polynomial"}, r"'polynomial'; choose one of \(.*'quip'"),
        ({"radial": ["quip"]}, r"\['quip'\]; choose one of"),
        ({"pair_weights": "atoms"}, r"'atoms'; choose one of \('equal', 'abundance'\)"),
        ({"n_max": 0}, "n_max = 0 and l_max = 6: allowed are"),
        ({"l_max": -1}, "l_max = -1: allowed are"),
        ({"l_max": 11}, "l_max = 11: allowed are"),
        ({"sigma": 0.0}, "sigma = 0.0, .* must be positive"),
        ({"extrinsic": -1.0}, "extrinsic = -1.0, .* must be positive"),
        ({"fade": 4.0}, "fade = 4.0, .* fade smaller than the cutoff"),
        ({"sigma": float("nan")}, "sigma = nan, .* must be positive"),
        ({"radial": "gto", "cutoff": 1.0}, "cutoff = 1.0: .* need a cutoff above 1"),
        ({"radial": "gto", "n_max": 17}, "n_max = 17: .* linearly dependent"),
        ({"n_max": 20, "sigma": 5.0}, "n_max = 20, sigma = 5.0: .* linearly dependent"),
    ],
)
def test_settings_refused(changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SoapSettings(**changes)


def test_reach() -> None:
    assert replace(QUIP, extrinsic=1.05).reach == pytest.approx(1.05 * 4.0)
    # DScribe pads by the distance at which a Gaussian has fallen to 0.001: 0.37 for sigma = 0.1.
    assert GTO.reach == pytest.approx(4.37, abs=0.002)
    padding = GTO.basis.padding(GTO)
    assert np.exp(-0.5 * (padding / GTO.sigma) ** 2) == pytest.approx(1e-3)


# --- harmonics -------------------------------------------------------------------------------


@pytest.mark.parametrize("even_only", [False, True])
def test_harmonics_equal_scipy(even_only: bool) -> None:
    l_max = 10
    rng = np.random.default_rng(0)
    unit = rng.normal(size=(66, 3))
    unit = np.concatenate([unit / np.linalg.norm(unit, axis=1)[:, None], np.eye(3), -np.eye(3)])
    columns = harmonic_columns(l_max, even_only)
    out = np.full((columns.max() + 1, len(unit)), np.nan)
    fill_harmonics(np.ascontiguousarray(unit.T), columns, recurrence(l_max), out)
    degrees = range(0, l_max + 1, 2 if even_only else 1)
    assert len(out) == sum(2 * degree + 1 for degree in degrees)
    expected = real_harmonics(l_max, unit)
    for degree in degrees:
        for m in range(-degree, degree + 1):
            found = normalisation(degree)[degree + m] * out[columns[degree, l_max + m]]
            assert found == pytest.approx(expected[degree**2 + degree + m], abs=1e-12)


def test_real_harmonics_are_orthonormal_and_turn_as_vectors() -> None:
    nodes, weights = np.polynomial.legendre.leggauss(12)
    phi = 2 * np.pi * np.arange(24) / 24
    rho = np.sqrt(1 - nodes**2)
    unit = np.stack(
        [np.outer(rho, np.cos(phi)), np.outer(rho, np.sin(phi)), np.outer(nodes, np.ones(24))], -1
    ).reshape(-1, 3)
    y = real_harmonics(10, unit)
    products = (y * np.repeat(weights, 24) * 2 * np.pi / 24) @ y.T
    assert products == pytest.approx(np.eye(121), abs=1e-12)
    assert pytest.approx(np.sqrt(3 / (4 * np.pi)) * unit[:, [1, 2, 0]], abs=1e-12) == y[1:4].T


# --- radial functions ------------------------------------------------------------------------


def test_fade_of_quip_is_a_cosine() -> None:
    r = np.array([0.0, 3.0, 3.5, 3.625, 3.75, 3.875, 4.0, 4.1])
    expected = [1, 1, 1, (1 + sqrt(0.5)) / 2, 0.5, (1 - sqrt(0.5)) / 2, 0, 0]
    assert fade(r, QUIP) == pytest.approx(expected, abs=1e-15)


def test_fade_of_dscribe_falls_in_the_same_shell() -> None:
    r = np.linspace(0.0, 5.0, 50_001)
    weight = fade(r, GTO)
    assert np.all(np.diff(weight) <= 0)
    assert weight[r <= 3.25].min() > 1 - 1e-5
    assert np.interp(0.5, weight[::-1], r[::-1]) == pytest.approx(3.75, abs=1e-3)
    ten_to_ninety = np.interp([0.1, 0.9], weight[::-1], r[::-1])
    assert -np.diff(ten_to_ninety)[0] == pytest.approx(0.35 * GTO.fade, abs=2e-3)
    # What is left at DScribe's hard step is no more than a rounding error in single precision.
    assert weight[r <= 4.0 + GTO.basis.padding(GTO)][-1] < 1e-6
    assert np.all(weight[r > 4.0 + GTO.basis.padding(GTO)] == 0)


def test_kinks_are_where_the_fade_is_not_smooth() -> None:
    assert kinks(QUIP) == (3.5, 4.0)
    assert kinks(GTO) == pytest.approx((4.0 + GTO.basis.padding(GTO),))


def test_quip_overlap_is_the_integral_that_it_stands_for() -> None:
    centre, alpha = np.array([0.0, 0.6, 1.1, 4.0]), 3.0
    found = _gaussian_overlap(centre, alpha)
    for i, j in product(range(4), repeat=2):
        a, b = centre[i], centre[j]
        integral = quad(
            lambda r, a=a, b=b: r**2 * np.exp(-alpha * ((r - a) ** 2 + (r - b) ** 2)),
            0, 12, epsabs=1e-14, limit=200, points=[a, b],
        )[0]  # fmt: skip
        assert found[i, j] == pytest.approx(integral, rel=1e-9, abs=1e-13)


def test_quip_radial_functions_from_their_definition() -> None:
    """QUIP: basis of Gaussians at r_b, orthonormalised by the Cholesky factor of S.

    The angular integral of a smeared atom is taken numerically here; no Bessel function is used.
    """
    settings = replace(QUIP, sigma=0.25)
    alpha, n_max = 0.5 / settings.sigma**2, settings.n_max
    r_b = np.arange(n_max) * (4.0 + settings.sigma * sqrt(20 * np.log(10))) / n_max
    c = np.exp(-alpha * (r_b[:, None] - r_b) ** 2)
    transform = np.linalg.solve(c, np.linalg.cholesky(_gaussian_overlap(r_b, alpha))).T
    nodes, weights = np.polynomial.legendre.leggauss(200)
    for r in (0.0, 0.3, 1.0, 2.2, 3.4):
        found = faded(np.array([r]), settings)[:, :, 0]
        for degree in range(settings.l_max + 1):
            square = r**2 + r_b[:, None] ** 2 - 2 * r * r_b[:, None] * nodes
            shape = 0.5 * np.exp(-alpha * square) @ (weights * eval_legendre(degree, nodes))
            assert found[degree] == pytest.approx(transform @ shape, rel=1e-7, abs=1e-9)


def test_quip_radial_functions_do_not_overflow() -> None:
    sharp = replace(QUIP, cutoff=5.0, sigma=0.02)  # i_l(12,500) is far beyond double precision
    assert np.isfinite(faded(np.linspace(0, 5, 101), sharp)).all()


@pytest.mark.parametrize("cutoff", [3.0, 4.0, 5.0])
def test_gto_basis_is_that_of_dscribe(cutoff: float) -> None:
    from dscribe.descriptors import SOAP

    settings = replace(GTO, cutoff=cutoff)
    soap = SOAP(species=["H"], r_cut=cutoff, sigma=0.1, n_max=9, l_max=6, rbf="gto")
    r = np.linspace(0.0, 4.0, 41)
    eta = 0.5 / settings.sigma**2
    found = faded(r, settings)
    for degree in range(7):
        alpha = soap._alphas[degree][:, None]
        primitive = (
            np.pi**1.5 * eta**degree * (alpha + eta) ** -(degree + 1.5) * r**degree
            * np.exp(-eta * alpha * r**2 / (alpha + eta))
        )  # fmt: skip
        expected = soap._betas[degree] @ primitive * fade(r, settings)
        # The basis is nearly linearly dependent, its transformation as accurate as that allows.
        assert found[degree] == pytest.approx(expected, abs=1e-6 * np.abs(expected).max())


def test_gto_radial_functions_are_overlaps_of_a_smeared_atom() -> None:
    """Project exp(-eta |R - r|^2) on orthonormal radial functions, by numerical integration."""
    from dscribe.descriptors import SOAP

    settings = replace(GTO, n_max=3, sigma=0.4)
    soap = SOAP(species=["H"], r_cut=4.0, sigma=0.4, n_max=3, l_max=6, rbf="gto")
    eta = 0.5 / settings.sigma**2
    R = np.linspace(1e-9, 12.0, 12_001)
    for degree in range(7):
        alpha, beta = soap._alphas[degree], soap._betas[degree]
        g = beta @ (R**degree * np.exp(-alpha[:, None] * R**2))
        assert np.trapezoid(R**2 * g[:, None] * g, R) == pytest.approx(np.eye(3), abs=1e-6)
        for r in (0.4, 1.0, 2.6):
            # exp(-eta |R - r|^2) = 4 pi exp(-eta (R^2 + r^2)) sum_lm i_l(2 eta R r) Y_lm Y_lm
            x = 2 * eta * R * r
            bessel = spherical_in(degree, np.minimum(x, 700)) * np.exp(-eta * (R**2 + r**2))
            overlap = 4 * np.pi * np.trapezoid(R**2 * g * np.where(x < 700, bessel, 0), R)
            found = faded(np.array([r]), settings)[degree, :, 0]
            assert found == pytest.approx(overlap, rel=1e-5, abs=1e-8)


# --- power spectrum --------------------------------------------------------------------------


def test_order_of_the_power_spectrum_of_each_package() -> None:
    def p(n: int, k: int, degree: int) -> float:
        m = slice(degree**2, (degree + 1) ** 2)
        return float(c[n, m] @ c[k, m])

    n_max, l_max = 4, 3
    c = np.random.default_rng(0).normal(size=(n_max, (l_max + 1) ** 2))
    dscribe = [
        p(n, k, degree) * np.pi * sqrt(8 / (2 * degree + 1))
        for degree in range(l_max + 1)
        for n in range(n_max)
        for k in range(n, n_max)
    ]
    quip = [
        p(n, k, degree) * (1 if n == k else sqrt(2)) / sqrt(2 * degree + 1)
        for n in range(n_max)
        for k in range(n + 1)
        for degree in range(l_max + 1)
    ]
    for radial, expected in (("gto", dscribe), ("quip", [*quip, 0.0])):
        settings = SoapSettings(radial, n_max=n_max, l_max=l_max)
        assert settings.n_features == len(expected)
        assert power_spectrum(c, settings) == pytest.approx(expected, rel=1e-12)


def test_nobody_changes_the_layout() -> None:
    with pytest.raises(ValueError, match="read-only"):
        QUIP.layout.factor[0] = 2.0


@EACH
@pytest.mark.parametrize(("n_max", "l_max"), [(1, 0), (4, 3), (9, 6), (11, 2)])
@pytest.mark.parametrize("even_only", [False, True])
def test_power_spectra_of_several_sums(
    settings: SoapSettings, n_max: int, l_max: int, even_only: bool
) -> None:
    chosen = replace(settings, n_max=n_max, l_max=l_max)
    c = np.zeros((2, 3, (l_max + 1) ** 2, slots(n_max)))
    c[..., :n_max] = np.random.default_rng(0).normal(size=(*c.shape[:3], n_max))
    if even_only:
        for degree in range(1, l_max + 1, 2):
            c[:, :, degree**2 : (degree + 1) ** 2] = 0
    c[1, 2] = 0  # no pair within this cut-off: nothing to add
    found = np.ones((3, chosen.n_features))
    add_power_spectra(c, [1, 2], chosen, even_only, found)
    for k in range(3):
        expected = np.ones(chosen.n_features)
        for s in range(2 if k < 2 else 1):
            vector = power_spectrum(c[s, k, :, :n_max].T, chosen)
            expected += (s + 1) * vector / np.linalg.norm(vector)
        assert found[k] == pytest.approx(expected, rel=1e-12)


# --- the radial grid -------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [*[(s,) for s in EVERY], training_grid("gto")[::14]])
def test_grid_interpolates_within_its_tolerance(settings: tuple[SoapSettings, ...]) -> None:
    table = radial_table(settings)
    edges = table.grid.edges
    r = np.random.default_rng(0).uniform(0.0, edges[-1], 3000)
    e = np.searchsorted(edges, r, side="right") - 1
    weights = lagrange((r - edges[e]) / np.diff(edges)[e])
    n_max = settings[0].n_max
    for k, s in enumerate(settings):
        exact = faded(r / s.extrinsic, s)
        values = table.functions[:, k * n_max : (k + 1) * n_max, e]
        error = np.abs(np.einsum("lnpj,pj->lnp", values, weights) - exact)
        # The places of the largest error are known for a polynomial of degree 8 only.
        assert error.max() < 10 * TOLERANCE * np.abs(exact[..., r > s.extrinsic]).max()
        assert not table.functions[:, k * n_max, table.stop[k * n_max] :].any()


def test_neighbouring_elements_agree_and_end_at_kinks() -> None:
    grid = training_grid("quip")[::7]
    table = radial_table(grid)
    assert np.array_equal(table.functions[:, :, 1:, 0], table.functions[:, :, :-1, -1])
    for s in grid:
        for kink in kinks(s):
            assert np.abs(table.grid.edges - s.extrinsic * kink).min() < 1e-9


def test_lagrange_polynomials() -> None:
    assert lagrange(NODES) == pytest.approx(np.eye(LANES), abs=1e-12)
    t = np.linspace(0, 1, 31)
    for power in range(LANES):
        assert lagrange(t) @ NODES**power == pytest.approx(t**power, abs=1e-12)


def test_common_edges_serve_both_scales() -> None:
    grid = radial_table((QUIP,)).grid
    assert np.array_equal(common_edges(grid.edges, grid.borders, np.array([2.0])), 2.0 * grid.edges)
    lengths = np.array([2.0, 3.1])
    found = common_edges(grid.edges, grid.borders, lengths)
    assert (np.diff(found) > 0).all() and found[-1] == pytest.approx(3.1 * grid.edges[-1])
    for length in lengths:
        for border in grid.borders:
            assert np.abs(found - length * border).min() < 1e-9
    for left, right in pairwise(found):
        scale = 2.0 if right <= 2.0 * grid.edges[-1] * (1 + 1e-12) else 3.1
        assert right - left <= scale * np.diff(grid.edges).max() * (1 + 1e-12)


# --- the definition --------------------------------------------------------------------------


@EACH
@given(
    atoms=structures(),
    extrinsic=st.sampled_from([0.95, 1.0, 1.05]),
    pair_weights=st.sampled_from(PAIR_WEIGHTS),
)
def test_engine_equals_the_definition(
    settings: SoapSettings, atoms: Atoms, extrinsic: float, pair_weights: str
) -> None:
    chosen = replace(settings, extrinsic=extrinsic, pair_weights=pair_weights)
    assert deviation(describe(atoms, chosen), describe_by_definition(atoms, chosen)) < 1e-6


@pytest.mark.parametrize(("n_max", "l_max"), [(1, 0), (3, 1), (12, 10)])
def test_other_sizes(n_max: int, l_max: int) -> None:
    atoms = random_box(0, "Cu Zn", pbc=False)
    for settings in EVERY:
        chosen = replace(settings, n_max=n_max, l_max=l_max)
        assert deviation(describe(atoms, chosen), describe_by_definition(atoms, chosen)) < 1e-6


def test_coefficients_are_averaged_over_the_centres() -> None:
    settings = SoapSettings(n_max=3, l_max=2)
    one = Atoms("CO", [[0, 0, 0], [0, 0, 1]])
    far = Atoms("C", [[0, 30, 0]])  # a second centre, which sees nobody
    alone, shared = (
        expansion_coefficients(atoms, "C", "O", settings) for atoms in (one, one + far)
    )
    assert shared == pytest.approx(alone / 2, abs=1e-15)
    assert expansion_coefficients(one, "C", "C", settings) == pytest.approx(0, abs=0)


def test_pairs_come_in_units_of_their_scale() -> None:
    atoms = random_box(5, "Cu Zn", pbc=(True, True, False))
    scales = nearest_neighbour_distances(atoms)
    found = {(a, b): pair for a, b, pair in scaled_pairs(atoms, 1.05)}
    assert found.keys() == scales.keys()
    for (a, b), pair in found.items():
        assert set(pair.symbols) == {a, b} and pair.pbc.tolist() == [True, True, False]
        assert nearest_neighbour_distances(pair)[a, b] == pytest.approx(1 / 1.05, rel=1e-12)
        assert pair.cell.array == pytest.approx(atoms.cell.array / (1.05 * scales[a, b]))


def test_a_pair_that_sees_nobody_counts_as_zero() -> None:
    spectra = {("C", "O"): np.array([0.0, 2.0]), ("O", "C"): np.zeros(2)}
    assert mean_over_pairs(spectra, Atoms("CO"), SoapSettings()).tolist() == [0.0, 0.25]


@EACH
def test_impurities_count_by_their_abundance(settings: SoapSettings) -> None:
    """One foreign atom among N is two pairs of weight N - 1 and one without a vector."""
    pure = Atoms("Cu", cell=[2.5] * 3, pbc=True).repeat(4)
    doped = pure.copy()
    doped.symbols[0] = "Ag"
    by_abundance = replace(settings, pair_weights="abundance")
    assert describe(pure, by_abundance) == pytest.approx(describe(pure, settings), abs=1e-12)
    far = [np.linalg.norm(describe(doped, s) - describe(pure, s)) for s in (settings, by_abundance)]
    assert far[1] < 0.1 * far[0]


@EACH
def test_two_atoms_in_closed_form(settings: SoapSettings) -> None:
    # c_nlm = g_nl(1) [Y_lm(u) + Y_lm(-u)]: odd l cancel; sum_m Y_lm^2 = (2 l + 1) / 4 pi.
    atoms = Atoms("Cu2", [[0.3, 0.1, 0.2], [1.2, -0.7, 2.2]])
    g = faded(np.array([1.0]), settings)[:, :, 0]
    degree = np.arange(settings.l_max + 1)
    lone = np.sqrt((2 * degree + 1) / (4 * np.pi)) * (degree % 2 == 0)
    c = np.zeros((settings.n_max, (settings.l_max + 1) ** 2))
    c[:, degree**2] = 2 * (g * lone[:, None]).T  # all of it in one m: a choice of axes
    expected = power_spectrum(c, settings)
    assert deviation(describe(atoms, settings), expected / np.linalg.norm(expected)) < 1e-6


@EACH
def test_heteronuclear_pair_keeps_odd_degrees(settings: SoapSettings) -> None:
    atoms = Atoms("CO", [[0, 0, 0], [0, 0, 1.13]])
    parts = by_degree(describe(atoms, settings), settings)
    assert (np.abs(parts).max(axis=0) > 1e-3).all()
    # (C, C) and (O, O) have no pair and give zero; (C, O) and (O, C) are equal and of length 1.
    assert np.linalg.norm(parts) == pytest.approx(0.5, rel=1e-12)


@EACH
@given(atoms=clusters(species=("Cu",)))
def test_one_species_has_unit_length_and_no_odd_degree(
    settings: SoapSettings, atoms: Atoms
) -> None:
    vector = describe(atoms, settings)
    assert vector.shape == (settings.n_features,)
    assert np.linalg.norm(vector) == pytest.approx(1.0, rel=1e-12)
    assert np.all(by_degree(vector, settings)[:, 1::2] == 0)


@given(structures())
def test_last_entry_of_quip_is_zero(atoms: Atoms) -> None:
    assert describe(atoms, QUIP)[-1] == 0


@EACH
def test_average_is_the_inner_one(settings: SoapSettings) -> None:
    # Each atom of diamond has odd-l power; with coefficients averaged first there is none.
    diamond = bulk("C", "diamond", a=3.57)
    assert np.abs(by_degree(describe(diamond, settings), settings)[:, 3]).max() == 0
    zincblende = bulk("ZnS", "zincblende", a=5.41)
    assert np.abs(by_degree(describe(zincblende, settings), settings)[:, 3]).max() > 1e-4


@EACH
def test_single_atom_of_a_species_gives_a_zero_vector(settings: SoapSettings) -> None:
    atoms = Atoms("OCO", [[-1.16, 0, 0], [0, 0, 0], [1.16, 0, 0]])
    oxygen = describe(atoms[[0, 2]], settings)  # (O, O) alone: length 1
    # (C, O): two neighbours at one distance; (O, C) is the same sum seen from the other side.
    mixed = faded(np.array([1.0]), settings)[:, :, 0]
    degree = np.arange(settings.l_max + 1)
    c = np.zeros((settings.n_max, (settings.l_max + 1) ** 2))
    c[:, degree**2] = (mixed * (np.sqrt(2 * degree + 1) * (degree % 2 == 0))[:, None]).T
    carbon_oxygen = power_spectrum(c, settings)
    expected = (oxygen + 2 * carbon_oxygen / np.linalg.norm(carbon_oxygen)) / 4
    assert deviation(describe(atoms, settings), expected) < 1e-6


@EACH
def test_one_atom_in_a_periodic_cell(settings: SoapSettings) -> None:
    cell = bulk("Cu", "fcc", a=3.6)
    cubic = bulk("Cu", "fcc", a=3.6, cubic=True)
    assert len(cell) == 1
    assert deviation(describe(cell, settings), describe(cubic, settings)) < EXACT


# --- invariances -----------------------------------------------------------------------------


@EACH
@given(atoms=structures(), rotation=rotations())
def test_rotation(settings: SoapSettings, atoms: Atoms, rotation: Rotation) -> None:
    rotated = atoms.copy()
    rotated.positions = rotation.apply(atoms.positions)
    rotated.cell = rotation.apply(atoms.cell.array)
    assert deviation(describe(rotated, settings), describe(atoms, settings)) < EXACT


@EACH
@given(atoms=structures())
def test_mirror_image(settings: SoapSettings, atoms: Atoms) -> None:
    # An inversion changes the signs of odd l, which a power spectrum does not see.
    mirrored = atoms.copy()
    mirrored.positions[:, 0] *= -1
    mirrored.cell = atoms.cell.array * [-1, 1, 1]
    assert deviation(describe(mirrored, settings), describe(atoms, settings)) < EXACT


@EACH
@given(atoms=structures(), step=st.tuples(*[st.floats(-50, 50)] * 3))
def test_translation(
    settings: SoapSettings, atoms: Atoms, step: tuple[float, float, float]
) -> None:
    moved = atoms.copy()
    moved.positions += step
    assert deviation(describe(moved, settings), describe(atoms, settings)) < EXACT


@EACH
@given(atoms=structures(), random=st.randoms())
def test_permutation(settings: SoapSettings, atoms: Atoms, random: object) -> None:
    order = list(range(len(atoms)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert deviation(describe(atoms[order], settings), describe(atoms, settings)) < EXACT


@EACH
@given(atoms=structures(), factor=st.floats(1e-3, 1e3))
def test_isotropic_scale(settings: SoapSettings, atoms: Atoms, factor: float) -> None:
    scaled = atoms.copy()
    scaled.positions *= factor
    scaled.cell = atoms.cell.array * factor
    assert deviation(describe(scaled, settings), describe(atoms, settings)) < EXACT


@EACH
@given(atoms=structures(), names=st.permutations(["H", "Cu", "Ni", "O", "C", "N", "Zr"]))
def test_relabelling_of_species(settings: SoapSettings, atoms: Atoms, names: list[str]) -> None:
    relabelled = atoms.copy()
    new = dict(zip(sorted(set(atoms.symbols)), names, strict=False))
    relabelled.symbols = [new[symbol] for symbol in atoms.symbols]
    assert deviation(describe(relabelled, settings), describe(atoms, settings)) < EXACT


@EACH
@given(atoms=periodic_structures(), n=st.tuples(*[st.integers(1, 3)] * 3))
def test_supercell(settings: SoapSettings, atoms: Atoms, n: tuple[int, int, int]) -> None:
    repeated = atoms.repeat(
        [k if periodic else 1 for k, periodic in zip(n, atoms.pbc, strict=True)]
    )
    assert deviation(describe(repeated, settings), describe(atoms, settings)) < EXACT


@EACH
@given(atoms=periodic_structures(), data=st.data())
def test_images_of_atoms(settings: SoapSettings, atoms: Atoms, data: st.DataObject) -> None:
    shift = st.tuples(*[st.integers(-2, 2)] * 3)
    shifts = data.draw(st.lists(shift, min_size=len(atoms), max_size=len(atoms)))
    moved = atoms.copy()
    moved.positions += (np.array(shifts) * atoms.pbc) @ atoms.cell.array
    assert deviation(describe(moved, settings), describe(atoms, settings)) < EXACT


@EACH
@given(atoms=periodic_structures(), k=st.integers(-2, 2))
def test_choice_of_cell_vectors(settings: SoapSettings, atoms: Atoms, k: int) -> None:
    skewed = atoms.copy()
    skewed.set_cell([atoms.cell[0], atoms.cell[1] + k * atoms.cell[0], atoms.cell[2]])
    assert deviation(describe(skewed, settings), describe(atoms, settings)) < EXACT


@EACH
def test_vacuum_of_a_sheet_does_not_matter(settings: SoapSettings) -> None:
    for sheet in (graphene(vacuum=8.0), prototypes.build("MoS2")):
        assert sheet.pbc.tolist() == [True, True, False]
        expected = describe(sheet, settings)
        for height in (90.0, 1.0, 0.0):  # less than the sheet's thickness, and no vector at all
            sheet.cell[2] = [0.0, 0.0, height]
            assert deviation(describe(sheet, settings), expected) < EXACT


@EACH
@given(atoms=structures())
def test_input_is_unchanged(settings: SoapSettings, atoms: Atoms) -> None:
    atoms.info["note"] = "kept"
    before = atoms.copy()
    describe(atoms, settings)
    assert atoms == before and atoms.info == before.info
    assert np.array_equal(atoms.positions, before.positions)


@EACH
def test_same_input_same_bytes(settings: SoapSettings) -> None:
    atoms = random_box(1, "Cu Zn", pbc=True)
    assert describe(atoms, settings).tobytes() == describe(atoms, settings).tobytes()


# --- the cut-off -----------------------------------------------------------------------------


@EACH
def test_atom_beyond_the_reach_changes_nothing(settings: SoapSettings) -> None:
    # The straggler is alone as it is, so that one more like it leaves dNN where it is.
    flock = 2.5 * np.array(list(product(range(3), repeat=3)))
    straggler = np.array([[5.0 + 12.0, 0.0, 0.0]])
    atoms = Atoms("Cu28", np.concatenate([flock, straggler]))
    more = atoms + Atoms("Cu", [[0.0, 5.0 + 12.0, 0.0]])
    scale = nearest_neighbour_distances(atoms)["Cu", "Cu"]
    assert nearest_neighbour_distances(more)["Cu", "Cu"] == scale
    assert settings.reach * scale < 12.0
    assert np.array_equal(describe(more, settings), describe(atoms, settings))


def dumbbells(*distances: float) -> Atoms:
    """Dumbbells of length 1 at given distances along y and z: dNN is exactly 1."""
    corners = [(0.0, 0.0)]
    for k, distance in enumerate(distances):
        corners.append((distance, 0.0) if k % 2 == 0 else (0.0, distance))
    return Atoms("Cu" * (2 * len(corners)), [[x, y, z] for y, z in corners for x in (0.0, 1.0)])


@EACH
def test_neighbour_that_crosses_the_cutoff(settings: SoapSettings) -> None:
    for edge in kinks(settings):
        inside, at, outside = (
            describe(dumbbells(edge * factor), settings) for factor in (1 - 1e-9, 1.0, 1 + 1e-9)
        )
        # DScribe's step at the end of its padding is 6e-7 of a neighbour inside.
        assert deviation(inside, at) < 1e-6
        assert deviation(outside, at) < 1e-6
    steps = np.linspace(settings.cutoff - 0.6, settings.cutoff + 0.5, 111)
    vectors = [describe(dumbbells(r), settings) for r in steps]
    jumps = np.linalg.norm(np.diff(vectors, axis=0), axis=1)
    assert 1e-3 < jumps.max() < 0.1  # a hundredth of dNN a step: no jump, yet it does fade


@pytest.mark.parametrize("cutoff", [3.0, 4.0, 5.0])
def test_atoms_at_the_cutoff_against_dscribe(cutoff: float) -> None:
    settings = replace(GTO, cutoff=cutoff)
    edge = kinks(settings)[0]
    for atoms in (
        dumbbells(cutoff, cutoff - settings.fade),
        dumbbells(edge, cutoff - 0.5 * settings.fade),
        bulk("Po", "sc", a=1.0),  # neighbours at exactly 3, 4 and 5 dNN
    ):
        assert deviation(describe(atoms, settings), describe_with_dscribe(atoms, settings)) < CLOSE


@pytest.mark.parametrize("cutoff", [3.0, 4.0, 5.0])
def test_atoms_at_the_cutoff_against_quip(cutoff: float) -> None:
    pytest.importorskip("quippy", reason="quippy-ase is not installed; golden values are compared")
    settings = replace(QUIP, cutoff=cutoff)
    for atoms in (dumbbells(cutoff, cutoff - settings.fade), bulk("Po", "sc", a=1.0)):
        assert deviation(describe(atoms, settings), describe_with_quip(atoms, settings)) < CLOSE


# --- other codes -----------------------------------------------------------------------------

CLASS_STRUCTURES = class_structures()


def test_every_class_is_compared() -> None:
    cells = [name for name in CLASS_STRUCTURES if name.startswith("cell ")]
    clusters_ = {name.removeprefix("cluster ") for name in CLASS_STRUCTURES} - set(cells)
    assert (len(cells), clusters_) == (96, set(prototypes.LABELS))


@pytest.mark.parametrize("name", CLASS_STRUCTURES)
def test_classes_against_dscribe(name: str) -> None:
    atoms = CLASS_STRUCTURES[name]
    assert deviation(describe(atoms, GTO), describe_with_dscribe(atoms, GTO)) < CLOSE


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    return storage.load_arrays(GOLDEN)


def test_classes_against_stored_quip(golden: dict[str, np.ndarray]) -> None:
    assert str(golden["prototypes"]) == prototypes.fingerprint(), (
        "the prototypes have changed: run python tests/golden/make_quip.py"
    )
    assert golden["class_names"].tolist() == list(CLASS_STRUCTURES)
    for name, vector in zip(CLASS_STRUCTURES, golden["class_vectors"], strict=True):
        assert deviation(describe(CLASS_STRUCTURES[name]), vector) < CLOSE, name


@pytest.mark.parametrize(("index", "name"), list(enumerate(special_cases())))
def test_special_cases_against_stored_quip(
    golden: dict[str, np.ndarray], index: int, name: str
) -> None:
    case = {key: golden[f"case_{index}_{key}"] for key in ("numbers", "positions", "cell", "pbc")}
    cutoff, sigma, extrinsic = map(float, golden[f"case_{index}_settings"])
    settings = replace(QUIP, cutoff=cutoff, sigma=sigma, extrinsic=extrinsic)
    assert golden["case_names"][index] == name
    vector = golden[f"case_{index}_vector"]
    assert deviation(describe(Atoms(**case), settings), vector) < CLOSE
    assert deviation(describe_by_definition(Atoms(**case), settings), vector) < SAME


@pytest.mark.parametrize("name", list(CLASS_STRUCTURES)[::8])
def test_some_classes_against_quip(name: str) -> None:
    pytest.importorskip("quippy", reason="quippy-ase is not installed; golden values are compared")
    atoms = CLASS_STRUCTURES[name]
    assert deviation(describe(atoms, QUIP), describe_with_quip(atoms, QUIP)) < CLOSE


BOXES = pytest.mark.parametrize(
    ("seed", "species", "pbc"),
    [
        (0, "Fe Pt", False),
        (1, "Fe Pt", True),
        (2, "Cu Zn Sn S", False),
        (3, "Cu Zn Sn S", True),
        (4, "Fe Fe Fe Fe Fe Pt", True),  # a sparse species has a dNN of its own
        (5, "Mo S", (True, True, False)),
        (6, "C", (True, False, False)),
    ],
)


@BOXES
def test_random_boxes_against_dscribe(seed: int, species: str, pbc: bool) -> None:
    atoms = random_box(seed, species, pbc=pbc)
    reference = describe_with_dscribe(atoms, GTO)
    assert deviation(describe(atoms, GTO), reference) < CLOSE
    assert deviation(describe_by_definition(atoms, GTO), reference) < SAME


@BOXES
def test_random_boxes_against_quip(seed: int, species: str, pbc: bool) -> None:
    pytest.importorskip("quippy", reason="quippy-ase is not installed; golden values are compared")
    atoms = random_box(seed, species, pbc=pbc)
    for settings in (QUIP, replace(QUIP, fade=1.0)):
        reference = describe_with_quip(atoms, settings)
        assert deviation(describe(atoms, settings), reference) < CLOSE
        assert deviation(describe_by_definition(atoms, settings), reference) < SAME


def test_images_of_atoms_in_dscribe() -> None:
    # DScribe itself misses neighbours where atoms of one cell are more than a cell apart.
    atoms = bulk("NaCl", "rocksalt", a=5.6)
    moved = atoms.copy()
    moved.positions[0] += 2 * atoms.cell[1]
    assert deviation(describe_with_dscribe(moved, GTO), describe_with_dscribe(atoms, GTO)) < EXACT
    assert not np.allclose(moved.positions[0], atoms.positions[0])  # nor is the input changed


def test_other_codes_know_their_own_functions_only() -> None:
    with pytest.raises(InputError, match="'gto' radial functions only, not 'quip'"):
        describe_with_dscribe(bulk("Cu"), QUIP)
    with pytest.raises(InputError, match="'quip' radial functions only, not 'gto'"):
        describe_with_quip(bulk("Cu"), GTO)


def test_quip_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"quippy-ase, which is not installed: pip install"):
        describe_with_quip(bulk("Cu"), QUIP)


# --- several settings at once ----------------------------------------------------------------

#: Free and periodic; small and of one species, since other codes take each setting and pair anew.
SMALL = {
    "cluster": Atoms(
        "Cu9",
        positions=2.6 * np.array(list(product(range(3), range(3), range(1))))
        + np.random.default_rng(3).uniform(-0.4, 0.4, (9, 3)),
    ),
    "sheet": graphene(vacuum=5.0),
    "crystal": bulk("Po", "sc", a=3.3),
}


@pytest.mark.parametrize("name", SMALL)
def test_all_99_settings_against_dscribe(name: str) -> None:
    grid = training_grid("gto")
    found = describe_settings(SMALL[name], grid)
    expected = np.array([describe_with_dscribe(SMALL[name], settings) for settings in grid])
    assert deviation(found, expected) < CLOSE


@pytest.mark.parametrize("name", SMALL)
def test_all_99_settings_against_quip(name: str) -> None:
    pytest.importorskip("quippy", reason="quippy-ase is not installed; golden values are compared")
    grid = training_grid("quip")
    found = describe_settings(SMALL[name], grid)
    expected = np.array([describe_with_quip(SMALL[name], settings) for settings in grid])
    assert deviation(found, expected) < CLOSE


@pytest.mark.parametrize("seed", [0, 1])
def test_settings_of_two_species_against_dscribe(seed: int) -> None:
    atoms = random_box(seed, "Cu Zn", pbc=False)[:12]
    grid = training_grid("gto")[5 * seed :: 10]  # all cut-offs; sigmas and factors in turn
    expected = np.array([describe_with_dscribe(atoms, settings) for settings in grid])
    assert deviation(describe_settings(atoms, grid), expected) < CLOSE


@NAMES
def test_settings_one_by_one_and_all_at_once(radial: str) -> None:
    grid = training_grid(radial)
    structures_ = [CLASS_STRUCTURES[f"cluster {label}"] for label in prototypes.LABELS[::12]]
    together = np.array([describe_settings(atoms, grid) for atoms in structures_])
    assert together.shape == (len(structures_), 99, grid[0].n_features)
    for k in (0, 49, 98):
        alone = np.array([describe(atoms, grid[k]) for atoms in structures_])
        assert deviation(alone, together[:, k]) < TWICE
    few = describe_settings(structures_[0], [grid[k] for k in (98, 0, 49)])
    assert deviation(few, together[0, [98, 0, 49]]) < TWICE


def test_settings_that_differ_in_kind() -> None:
    kinds = (
        GTO,
        replace(QUIP, n_max=8),
        replace(QUIP, l_max=5),
        replace(QUIP, pair_weights="abundance"),
    )
    for other in kinds:
        with pytest.raises(
            InputError, match="must share radial functions, n_max, l_max and pair_weights"
        ):
            describe_settings(bulk("Cu"), [QUIP, other])


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize("pbc", [False, True])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_positions_that_are_not_finite(bad: float, pbc: bool) -> None:
    atoms = Atoms("Cu3", np.eye(3) * 2.5, cell=[6, 6, 6], pbc=pbc)
    atoms.positions[1, 2] = bad
    with pytest.raises(InputError, match=r"not finite, first of atom 1: .* correct or remove"):
        describe(atoms)


def test_empty_structure() -> None:
    with pytest.raises(InputError, match="holds no atom; at least one"):
        describe(Atoms())


def test_cells_that_are_none() -> None:
    flat = Atoms("Cu2", [[0, 0, 0], [2, 0, 0]], cell=[[4, 0, 0], [8, 0, 0], [0, 0, 4]], pbc=True)
    with pytest.raises(InputError, match=r"zero or linearly dependent: .* correct the cell"):
        describe(flat)
    flat.cell[1, 1] = np.nan
    with pytest.raises(InputError, match="the cell is not finite; correct it"):
        describe(flat)


@pytest.mark.parametrize("far", ["positions", "cell"])
def test_coordinates_whose_squares_overflow(far: str) -> None:
    pair = Atoms("Cu3", [[0, 0, 0], [2, 0, 0], [0, 2, 0]], cell=[9, 9, 9])
    getattr(pair, far)[2, 2] = 1e200
    with pytest.raises(InputError, match=r"reach 1e\+200 Å, at most 1e\+150 are allowed; correct"):
        describe(pair)


def test_one_atom_without_periodicity() -> None:
    for function in (describe, describe_by_definition):
        with pytest.raises(InputError, match=r"No atom of the 1 has a neighbour; .* periodic cell"):
            function(Atoms("Cu"))


@pytest.mark.parametrize("symbols", ["Cu2", "CuNi"])
def test_coincident_atoms(symbols: str) -> None:
    with pytest.raises(InputError, match="stand at the same place; remove one"):
        describe(Atoms(symbols, [[1, 2, 3], [1, 2, 3]]))
