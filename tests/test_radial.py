"""A third set of radial functions needs one class: here it is, and nothing else knows it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given
from strategies import structures

from arise_lib.descriptor import (
    RADIAL_BASES,
    PowerSpectrumLayout,
    RadialBasis,
    SoapSettings,
    describe,
    describe_by_definition,
    describe_settings,
    training_grid,
)
from arise_lib.descriptor.radial.basis import REGISTRY
from arise_lib.errors import InputError
from arise_lib.storage.fingerprints import PACKAGE, fingerprint, follow


@pytest.fixture(scope="module", autouse=True)
def polynomials() -> Iterator[None]:
    """Chebyshev polynomials in r that fade with a polynomial and end beyond the cut-off."""

    class Polynomials(RadialBasis):
        name = "polynomials"

        def functions(self, r: np.ndarray, settings: SoapSettings) -> np.ndarray:
            x = 2.0 * r / (settings.cutoff + self.padding(settings)) - 1.0
            values = np.cos(np.arange(settings.n_max)[:, None] * np.arccos(np.clip(x, -1, 1)))
            degree = np.arange(settings.l_max + 1)[:, None, None]
            return values * np.exp(-degree * settings.sigma * r)

        def fade(self, r: np.ndarray, settings: SoapSettings) -> np.ndarray:
            inner, outer = self.kinks(settings)
            t = np.clip((r - inner) / (outer - inner), 0.0, 1.0)
            return (1 - t) ** 2 * (1 + 2 * t)

        def layout(self, n_max: int, l_max: int) -> PowerSpectrumLayout:
            # An order unlike the others': n' fastest, both (n, n') and (n', n), odd factors.
            n, degree, k = np.indices((n_max, l_max + 1, n_max)).reshape(3, -1)
            return PowerSpectrumLayout(n, k, degree, 1.0 / (1.0 + degree + n))

        def padding(self, settings: SoapSettings) -> float:
            return 2 * settings.sigma

        def kinks(self, settings: SoapSettings) -> tuple[float, ...]:
            return settings.cutoff - settings.fade, settings.cutoff + self.padding(settings)

        def check(self, settings: SoapSettings) -> None:
            if settings.n_max > 12:
                raise InputError(f"n_max = {settings.n_max}: polynomials need n_max <= 12.")

    yield
    del REGISTRY["polynomials"]


def deviation(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@given(atoms=structures())
def test_engine_equals_the_definition(atoms: Atoms) -> None:
    settings = SoapSettings("polynomials", n_max=5, l_max=4)
    assert settings.n_features == 5 * 5 * 5
    assert deviation(describe(atoms, settings), describe_by_definition(atoms, settings)) < 1e-6


def test_engine_serves_all_settings_at_once() -> None:
    grid = training_grid("polynomials")
    atoms = Atoms("Cu2Zn2O", np.array([[0, 0, 0], [2, 0, 0.3], [0, 2.2, 0], [1, 1, 2], [3, 2, 1]]))
    found = describe_settings(atoms, grid)
    for k in (0, 49, 98):
        assert deviation(found[k], describe_by_definition(atoms, grid[k])) < 1e-6


def test_settings_know_the_new_functions() -> None:
    settings = SoapSettings("polynomials", cutoff=3.0, extrinsic=1.05)
    assert settings.reach == pytest.approx(1.05 * 3.2)
    assert SoapSettings(**asdict(settings)) == settings
    assert asdict(settings)["radial"] == "polynomials"  # as it stands in the file of a network
    with pytest.raises(InputError, match="n_max = 13: polynomials need"):
        replace(settings, n_max=13)


def test_atom_beyond_the_padding_is_not_seen() -> None:
    def line(last: float) -> Atoms:
        return Atoms("Cu4", [[0, 0, 0], [1, 0, 0], [0, last, 0], [1, last, 0]])

    settings = SoapSettings("polynomials", cutoff=3.0)
    alone = describe(line(50.0), settings)
    assert np.array_equal(describe(line(3.21), settings), alone)
    assert deviation(describe(line(3.1), settings), alone) > 1e-6


def test_a_name_stands_for_one_class() -> None:
    with pytest.raises(InputError, match=r"Other is named 'quip', as QuipGaussians is"):
        type("Other", (RadialBasis,), {"name": "quip"})
    assert RADIAL_BASES["quip"].__name__ == "QuipGaussians"


def test_a_class_with_something_missing_is_refused() -> None:
    type("Half", (RadialBasis,), {"name": "half", "fade": lambda self, r, settings: r})
    try:
        with pytest.raises(TypeError, match=r"Can't instantiate .*functions.*layout"):
            SoapSettings("half")
    finally:
        del REGISTRY["half"]


def test_unknown_names_are_refused_with_all_known_ones() -> None:
    with pytest.raises(InputError, match=r"'bessel'; choose one of .*'quip'.*'polynomials'"):
        SoapSettings("bessel")
    assert describe(bulk("Cu")).shape == (316,)


# --- stored results ----------------------------------------------------------------------------


def test_stored_results_depend_on_every_file_of_radial_functions(tmp_path: Path) -> None:
    homes = {cls.__module__ for cls in RADIAL_BASES.values() if cls.__module__ != __name__}
    assert len(homes) >= 2 and homes <= follow("arise_lib.descriptor.settings")
    package = tmp_path / "arise_lib"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    user = "arise_lib.training.datasets"
    before = fingerprint(user, package=package)
    radial = package / "descriptor" / "radial"
    for name in ("quip.py", "gto.py"):
        text = (radial / name).read_text(encoding="utf-8")
        (radial / name).write_text(text + "\nCHANGED = True\n", encoding="utf-8")
        after = fingerprint(user, package=package)
        assert after != before
        before = after
    (radial / "third.py").write_text("VALUE = 1\n", encoding="utf-8")
    with (radial / "__init__.py").open("a", encoding="utf-8") as face:
        face.write("\nfrom arise_lib.descriptor.radial.third import VALUE\n")
    assert "arise_lib.descriptor.radial.third" in follow(user, package)
