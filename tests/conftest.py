"""Shared set-up: no test downloads, no test touches the user's cache."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings

# Before arise_lib is imported anywhere: it reads the cache folder once.
_CACHE = tempfile.TemporaryDirectory(prefix="arise-tests-")
os.environ["ARISE_CACHE_DIR"] = _CACHE.name
os.environ["ARISE_OFFLINE"] = "1"
# Compiled code is found by the source that it comes from: it outlives a session, as in daily use.
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(__file__).resolve().parents[1] / "build" / "compiled")
)

# The first call of a compiled function takes seconds, hence no deadline; derandomised, a failure
# in one run is a failure in every run.
settings.register_profile("arise", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("arise")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """After all else, name the kernel and the processor that the tests ran on."""
    result = yield
    from arise_lib.compendium import machine

    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(machine.line())
    return result


def pytest_unconfigure() -> None:
    """Remove the cache of this session."""
    _CACHE.cleanup()


@pytest.fixture
def external() -> Callable[[str], Path]:
    """Return a function from a registered name to its path; it skips where the file is not."""
    from arise_lib import storage

    def get(name: str) -> Path:
        assert name in storage.registry().index, f"{name} is not registered"
        if not storage.available(name):
            pytest.skip(
                f"external file {name} is not here: set ARISE_DATA_DIR, or run `arise fetch {name}`"
            )
        return storage.fetch(name)

    return get
