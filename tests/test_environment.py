"""pyproject.toml (ranges), requirements.lock (pins) and environment.yml (conda) say the same."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
LOCKED_EXTRAS = ("test", "baselines", "bench", "dask")

PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "linux-x86_64": ("linux", "Linux", "posix", "x86_64"),
    "linux-aarch64": ("linux", "Linux", "posix", "aarch64"),
    "macos-arm64": ("darwin", "Darwin", "posix", "arm64"),
    "windows-amd64": ("win32", "Windows", "nt", "AMD64"),
}


def environment(python: str, platform: str) -> dict[str, str]:
    """Values of the environment markers on a machine other than this one."""
    sys_platform, platform_system, os_name, machine = PLATFORMS[platform]
    return {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "implementation_version": f"{python}.1",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": sys_platform,
        "platform_system": platform_system,
        "os_name": os_name,
        "platform_machine": machine,
        "extra": "",
    }


ENVIRONMENTS = {f"{p}-py{v}": environment(v, p) for p in PLATFORMS for v in PYTHONS}


@dataclass(frozen=True)
class Pin:
    """One entry of the lock file."""

    name: str
    version: Version
    marker: Marker | None
    hashes: tuple[str, ...]

    def applies(self, env: dict[str, str]) -> bool:
        return self.marker is None or self.marker.evaluate(env)


def read_lock(text: str) -> list[Pin]:
    """Parse a lock file; an entry that is not `name==version` is an error."""
    pins = []
    for entry in re.sub(r"\\\n", " ", text).splitlines():
        if not entry.strip() or entry.lstrip().startswith("#"):
            continue
        requirement, *options = re.split(r"\s+--hash=", entry)
        parsed = Requirement(requirement)
        pinned = re.fullmatch(r"==([^,*]+)", str(parsed.specifier))
        assert pinned, f"not pinned to one version: {requirement}"
        pins.append(
            Pin(
                canonicalize_name(parsed.name),
                Version(pinned[1]),
                parsed.marker,
                tuple(option.strip() for option in options),
            )
        )
    return pins


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pins() -> list[Pin]:
    return read_lock(LOCK.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def direct(project: dict[str, Any]) -> list[Requirement]:
    """Everything that the project names itself and the lock must hold."""
    extras = project["project"]["optional-dependencies"]
    texts = [
        *project["project"]["dependencies"],
        *(text for extra in LOCKED_EXTRAS for text in extras[extra]),
        *project["dependency-groups"]["build"],
        *project["build-system"]["requires"],
    ]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("env", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_lock_holds_every_direct_dependency_inside_its_range(
    env: dict[str, str], direct: list[Requirement], pins: list[Pin]
) -> None:
    applicable = {pin.name: pin.version for pin in pins if pin.applies(env)}
    for requirement in direct:
        if requirement.marker is not None and not requirement.marker.evaluate(env):
            continue
        name = canonicalize_name(requirement.name)
        assert name in applicable, f"{name} is not in requirements.lock"
        assert requirement.specifier.contains(applicable[name]), (
            f"{name} {applicable[name]} is locked, pyproject.toml allows {requirement.specifier}"
        )


@pytest.mark.parametrize("env", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_lock_has_one_version_per_package(env: dict[str, str], pins: list[Pin]) -> None:
    names = [pin.name for pin in pins if pin.applies(env)]
    assert len(names) == len(set(names))


def test_one_tensorflow_everywhere(pins: list[Pin]) -> None:
    for label, env in ENVIRONMENTS.items():
        names = [pin.name for pin in pins if pin.applies(env)]
        found = [name for name in names if name in {"tensorflow", "tensorflow-cpu"}]
        assert len(found) == 1, f"{label}: {found}"


def test_every_entry_is_hashed(pins: list[Pin]) -> None:
    assert len(pins) > 100
    for pin in pins:
        assert pin.hashes, f"{pin.name} has no hash"
        for value in pin.hashes:
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", value), f"{pin.name}: {value}"


def test_lock_names_no_host_and_no_path() -> None:
    for number, line in enumerate(LOCK.read_text(encoding="utf-8").splitlines(), start=1):
        assert not re.search(r"://|/|--(extra-)?index|--find-links|--trusted-host|@ ", line), (
            f"line {number}: {line}"
        )


def test_unpinned_entry_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"not pinned to one version: numpy>=2"):
        read_lock("numpy>=2 \\\n    --hash=sha256:00\n")


def test_every_direct_dependency_has_a_lower_bound(direct: list[Requirement]) -> None:
    for requirement in direct:
        operators = {specifier.operator for specifier in requirement.specifier}
        assert ">=" in operators, f"{requirement} has no lower bound"
        assert operators <= {">=", "<"}, f"{requirement} is not a range"


#: Imports whose name is not that of their package, for where the package is not installed.
OPTIONAL_IMPORTS = {"freud": "freud-analysis", "quippy": "quippy-ase"}


def test_every_import_of_the_library_is_declared(project: dict[str, Any]) -> None:
    """A package that only comes along with another may be gone after its next release."""
    providers = packages_distributions()
    extras = project["project"]["optional-dependencies"]
    optional = {
        canonicalize_name(Requirement(text).name)
        for text in (*extras["baselines"], *extras["bench"])
    }
    declared = {
        canonicalize_name(Requirement(text).name) for text in project["project"]["dependencies"]
    }
    for path in sorted((ROOT / "arise_lib").rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(module):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            else:
                continue
            for top in {module.split(".")[0] for module in modules}:
                if top in sys.stdlib_module_names or top == "arise_lib":
                    continue
                found = providers.get(top, [OPTIONAL_IMPORTS.get(top, top)])
                names = {canonicalize_name(name) for name in found}
                # What may be absent is imported by the function that needs it, not by a module.
                if names & optional and node not in module.body:
                    continue
                assert names & declared, f"{path.name} imports {top}, which is not declared"


def test_python_versions(project: dict[str, Any]) -> None:
    allowed = SpecifierSet(project["project"]["requires-python"])
    classifiers = project["project"]["classifiers"]
    named = [c.rsplit(" ", 1)[1] for c in classifiers if "Python :: 3." in c]
    assert named == list(PYTHONS)
    inside = [f"3.{minor}" for minor in range(8, 20) if allowed.contains(f"3.{minor}.0")]
    assert inside == list(PYTHONS)


def test_makefile_accepts_the_same_python_versions(project: dict[str, Any]) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    bounds = re.search(r"\(3, (\d+)\) <= v < \(3, (\d+)\)", text)
    assert bounds is not None
    expected = f">=3.{bounds[1]},<3.{bounds[2]}"
    assert SpecifierSet(project["project"]["requires-python"]) == SpecifierSet(expected)


def test_makefile_locks_the_tested_extras() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert tuple(re.findall(r"--extra (\S+)", text)) == LOCKED_EXTRAS


def test_conda_environment_installs_the_lock(project: dict[str, Any]) -> None:
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *packages, pip_section = conda["dependencies"]
    # Versions of packages are stated in one place only: conda brings Python and pip.
    assert [re.split("[=<>]", package)[0] for package in packages] == ["python", "pip"]
    assert pip_section == {"pip": [f"-r {LOCK.name}"]}
    python = packages[0].removeprefix("python=")
    assert python in PYTHONS
    assert SpecifierSet(project["project"]["requires-python"]).contains(f"{python}.0")
