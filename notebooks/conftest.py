"""How nbval runs the notebooks: ``pytest --nbval notebooks``.

The kernel is that of the interpreter which runs pytest, nothing is downloaded, and cells that
depend on external data are run, but not compared, where those data are absent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator

import pytest

from arise_lib import storage
from arise_lib.compendium import machine
from arise_lib.storage import paths

sys.path.append(str(paths.ROOT / "tests"))
from notebook_rules import external_names


def _nbval(config: pytest.Config) -> bool:
    return bool(config.getoption("nbval", False) or config.getoption("nbval_lax", False))


def pytest_configure(config: pytest.Config) -> None:
    """Set nbval's options, which the kernels' environment is part of."""
    if not _nbval(config):
        return
    os.environ["ARISE_OFFLINE"] = "1"
    os.environ["TQDM_DISABLE"] = "1"
    if not config.option.nbval_kernel_name:
        config.option.nbval_current_env = True
    if config.option.nbval_sanitize_with is None:
        config.option.nbval_sanitize_with = str(paths.ROOT / "tests" / "nbval_sanitize.cfg")
    config.option.nbval_kernel_startup_timeout = 180.0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Switch the comparison off for cells whose external data are absent."""
    if not _nbval(config):
        return
    from nbval.plugin import IPyNbCell

    cells = [item for item in items if isinstance(item, IPyNbCell)]
    known = [str(name) for name in storage.registry().index] if cells else []
    absent = {name for name in known if not storage.available(name)}
    left_out = []
    for cell in cells:
        # The default of 5 s is short for a large picture on a busy machine.
        cell.output_timeout = 60
        needed = external_names(cell.parent.nb, cell.cell_num, known)
        if absent & set(needed):
            cell.options["check"] = False
            left_out.append(f"{cell.parent.path.name} {cell.name}")
    config.stash[LEFT_OUT] = left_out


LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the cells that were run, but not compared."""
    left_out = terminalreporter.config.stash.get(LEFT_OUT, [])
    if left_out:
        terminalreporter.write_sep("-", "external data absent: run, but not compared")
        terminalreporter.write_line(", ".join(left_out))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """After all else, name the kernel and the processor that the tests ran on."""
    result = yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(machine.line())
    return result
