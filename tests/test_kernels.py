"""The tests of equality under the kernels of OpenBLAS and the targets of numba.

Which machine code multiplies matrices is decided when BLAS is loaded, which one numba writes when
it compiles: each case is a process of its own. The rest of the suite runs under this machine's own.
Compiling anew for one of numba's targets what the passes need takes some seconds, the descriptor
engine half a minute; numba keeps both for later runs, a folder holds all targets side by side.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from tolerances import ARITHMETIC, OTHER_MACHINE

from arise_lib import bayes, network
from arise_lib.descriptor import SoapSettings, describe

TESTS = Path(__file__).parent

#: Intel since 2013 and AMD; AMD since 2017; Intel with AVX-512; anything since 2008.
KERNELS = ("Haswell", "Zen", "SkylakeX", "Nehalem")

X86 = platform.machine().lower() in ("x86_64", "amd64")

TARGETS = (
    "generic",
    pytest.param("haswell", marks=pytest.mark.skipif(not X86, reason="not an x86 processor")),
)

#: How a process ends that meets an instruction which the processor does not have.
ILLEGAL = (-getattr(signal, "SIGILL", 4), 0xC000001D)

PROBE = """
import numpy, threadpoolctl
inputs = numpy.ones((64, 64), dtype=numpy.float32)
assert (inputs @ inputs == 64).all()
print(*(pool.get("architecture") for pool in threadpoolctl.threadpool_info()
        if pool["internal_api"] == "openblas"))
"""


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run this interpreter with other environment variables."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=TESTS.parent,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=600,
    )


def assert_equality_holds(names: tuple[str, ...], *options: str, **variables: str) -> None:
    """Run the tests of equality of some files in another process."""
    files = [str(TESTS / f"test_{name}.py") for name in names]
    plain = ("-q", "-m", "equality", "-p", "no:cacheprovider", "--tb=short")
    done = run("-m", "pytest", *plain, *options, *files, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.fixture(scope="module", params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> str:
    """A kernel that this processor runs and this BLAS has."""
    name: str = request.param
    found = run("-c", PROBE, OPENBLAS_CORETYPE=name)
    if found.returncode in ILLEGAL:
        pytest.skip(f"this processor cannot run OpenBLAS's kernel {name}")
    assert found.returncode == 0, found.stderr
    taken = found.stdout.strip()
    if taken.lower() != name.lower():
        pytest.skip(f"this BLAS has no kernel {name} here: it takes {taken or 'none by name'}")
    return name


def test_equality_under_a_kernel_of_openblas(kernel: str) -> None:
    files = ("places", "bayes", "strided", "recognition")
    assert_equality_holds(files, OPENBLAS_CORETYPE=kernel)


def test_a_kernel_of_openblas_agrees_with_this_machines_own(kernel: str, tmp_path: Path) -> None:
    names = ("probabilities", "mutual_information", "predictive_entropy")
    model = network.load()
    width = len(model.kernels[0])
    rows = np.random.default_rng(0).random((40, width), dtype=np.float32)
    own = bayes.predict(model, rows, n_passes=100)
    path = tmp_path / "posterior.npz"
    code = (
        "import sys, numpy; from arise_lib import bayes, network;"
        f"rows = numpy.random.default_rng(0).random((40, {width}), dtype=numpy.float32);"
        "found = bayes.predict(network.load(), rows, n_passes=100);"
        f"numpy.savez(sys.argv[1], **{{name: getattr(found, name) for name in {names}}})"
    )
    done = run("-c", code, str(path), OPENBLAS_CORETYPE=kernel)
    assert done.returncode == 0, done.stderr
    with np.load(path) as found:
        for name in names:
            np.testing.assert_allclose(
                found[name], getattr(own, name), rtol=0, atol=OTHER_MACHINE, err_msg=name
            )


@pytest.mark.parametrize("target", TARGETS)
def test_equality_under_a_target_of_numba(target: str) -> None:
    few = "order or batches or cores or representations"
    variables = {"NUMBA_CPU_NAME": target, "NUMBA_CPU_FEATURES": ""}
    assert_equality_holds(("bayes",), "-k", few, **variables)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_descriptors_under_a_target_of_numba(target: str, tmp_path: Path) -> None:
    path = tmp_path / "descriptor.npy"
    code = (
        "import sys, numpy, ase.build; from arise_lib.descriptor import SoapSettings, describe;"
        "atoms = ase.build.bulk('NaCl', 'rocksalt', a=5.64, cubic=True).repeat(3);"
        "numpy.save(sys.argv[1], describe(atoms, SoapSettings()))"
    )
    done = run("-c", code, str(path), NUMBA_CPU_NAME=target, NUMBA_CPU_FEATURES="")
    assert done.returncode == 0, done.stderr
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat(3)
    np.testing.assert_allclose(
        np.load(path), describe(atoms, SoapSettings()), rtol=ARITHMETIC, atol=ARITHMETIC
    )
