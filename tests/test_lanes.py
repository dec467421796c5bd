"""Vectors of eight numbers: the one module that builds on private parts of numba."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numba import njit
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LANES_MODULE = "arise_lib.descriptor._engine.lanes"


@contextmanager
def private_interface() -> Iterator[ModuleType]:
    """Give `lanes`; what fails inside is told together with the version of numba."""
    try:
        yield import_module(LANES_MODULE)
    except Exception as error:
        versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numba", "llvmlite"))
        pytest.fail(
            f"{LANES_MODULE} does not work with {versions}, on whose private interface it builds: "
            f"{type(error).__name__}: {error}"
        )


X, Y = np.random.default_rng(0).random((2, 8))


def one_rounding(x: float, y: float, z: float) -> float:
    """x * y + z in exact arithmetic, rounded once."""
    return float(Fraction(x) * Fraction(y) + Fraction(z))


EXPECTED: dict[str, Callable[[], np.ndarray]] = {
    "load": lambda: X,
    "store": lambda: X,
    "splat": lambda: np.full(8, X[0]),
    "fma": lambda: np.array([one_rounding(x, y, 0.5) for x, y in zip(X, Y, strict=True)]),
    "square_root": lambda: np.sqrt(X),
    "divide": lambda: X / Y,
    "subtract": lambda: X - Y,
    "multiply": lambda: X * Y,
    "total": lambda: np.full(8, sum_by_halves(X)),
}


def sum_by_halves(x: np.ndarray) -> float:
    return float(x[0]) if len(x) == 1 else sum_by_halves(x[: len(x) // 2] + x[len(x) // 2 :])


def kernel(name: str, lanes: ModuleType) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """A compiled function that does one thing with eight numbers of `a` and of `b`."""
    load, store, splat, total = lanes.load, lanes.store, lanes.splat, lanes.total
    function = getattr(lanes, name)
    if name in ("load", "store"):
        return njit(lambda a, b, out: store(out, 1, load(a, 1)))
    if name == "splat":
        return njit(lambda a, b, out: store(out, 1, splat(a[1])))
    if name == "total":
        return njit(lambda a, b, out: store(out, 1, splat(total(load(a, 1)))))
    if name == "square_root":
        return njit(lambda a, b, out: store(out, 1, function(load(a, 1))))
    if name == "fma":
        return njit(lambda a, b, out: store(out, 1, function(load(a, 1), load(b, 3), splat(0.5))))
    return njit(lambda a, b, out: store(out, 1, function(load(a, 1), load(b, 3))))


@pytest.mark.parametrize("name", EXPECTED)
def test_each_function_against_numpy(name: str) -> None:
    a, b = np.append(np.nan, X), np.append([np.nan] * 3, Y)
    out = np.full(10, -1.0)
    with private_interface() as lanes:
        kernel(name, lanes)(a, b, out)
    assert out[1:9].tolist() == EXPECTED[name]().tolist()
    assert out[[0, 9]].tolist() == [-1.0, -1.0]  # nothing is written beside


def test_every_function_is_compared() -> None:
    with private_interface() as lanes:
        public = {
            name
            for name, value in vars(lanes).items()
            if not name.startswith("_") and type(value).__name__ == "_Intrinsic"
        }
    assert public == set(EXPECTED)


def test_other_arrays_are_refused() -> None:
    from numba.core.errors import TypingError

    with private_interface() as lanes:
        read = kernel("load", lanes)
    for array in (np.zeros(18, dtype=np.float32), np.zeros(36)[::2], np.zeros(18, dtype=int)):
        with pytest.raises(TypingError):
            read(array, np.zeros(11), np.zeros(10))


def test_arrays_begin_at_a_cache_line() -> None:
    with private_interface() as lanes:
        for shape in ((3, 8), (1,), (5, 7, 8)):
            array = lanes.aligned(*shape)
            assert array.shape == shape and array.ctypes.data % 64 == 0 and not array.any()


def test_a_failure_names_the_module_and_numba() -> None:
    message = rf"_engine\.lanes does not work with numba {metadata.version('numba')}, llvmlite"
    with (
        pytest.raises(pytest.fail.Exception, match=message),
        private_interface() as lanes,
    ):
        lanes.load_or_whatever  # noqa: B018


def test_the_version_of_numba_is_bounded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {r.name: r for r in map(Requirement, project["dependencies"])}["numba"].specifier
    installed = metadata.version("numba")
    assert installed in wanted, f"lanes was tried with numba{wanted}, {installed} is installed"
    major, minor, *_ = map(int, installed.split("."))
    assert f"{major}.{minor + 1}.0" not in wanted and f"{major + 1}.0.0" not in wanted


def test_no_other_module_builds_on_private_parts_of_numba() -> None:
    private = ("numba.core", "llvmlite import ir")
    found = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "arise_lib").rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in private)
    ]
    # The vectors of the engine, and the code that is kept: nothing else.
    assert sorted(found) == [
        LANES_MODULE.replace(".", "/") + ".py",
        "arise_lib/storage/compiled.py",
    ]
