"""Runs that are ended from outside, with real processes: nothing is left behind, nothing hangs.

The notebooks are tiny; what ends them is not: signals to the runner, kills of runner and kernel.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat import v4

from arise_lib.storage import jsonl, paths

#: Processes that a pool starts.
N_WORKERS = os.cpu_count() or 1


@pytest.fixture(autouse=True)
def hang_up_ends() -> Iterator[None]:
    """Children inherit whether SIGHUP is ignored, as it is where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


class Run:
    """A process with all that it starts; its output goes through a pipe."""

    def __init__(self, code: str, folder: Path) -> None:
        script = folder / "script.py"
        script.write_text(textwrap.dedent(code))
        python_path = os.pathsep.join([str(paths.ROOT), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": python_path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A process group of its own, to send it what a terminal sends.
            start_new_session=True,
        )
        self.family: dict[int, psutil.Process] = {}

    def descendants(self) -> list[psutil.Process]:
        """Processes started so far, and by those; remembered, as a kill makes them orphans."""
        try:
            found = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            found = []
        self.family |= {process.pid: process for process in found}
        return list(self.family.values())

    def wait_for(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.descendants()
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline, "it does not come"
            time.sleep(0.05)
        self.descendants()

    def end(self, seconds: float = 60) -> str:
        """Wait for the end of the pipe, which comes when no process holds it any more."""
        output, _ = self.process.communicate(timeout=seconds)
        _, alive = psutil.wait_procs(self.family.values(), timeout=5)
        left = [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        assert left == [], f"left behind: {left}"
        return output


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Run]]:
    runs: list[Run] = []

    def begin(code: str) -> Run:
        runs.append(Run(code, tmp_path))
        return runs[-1]

    yield begin
    for run in runs:
        for process in (
            [*run.family.values(), psutil.Process(run.process.pid)]
            if (run.process.poll() is None)
            else run.family.values()
        ):
            if process.is_running():
                process.kill()
        run.process.wait()


def count(folder: Path, pattern: str) -> int:
    return len(list(folder.glob(pattern)))


# --- pools of processes ------------------------------------------------------------------------

POOL = """
    import os, pathlib, time
    from arise_lib.storage import parallel

    def work(number):
        pathlib.Path(f"began-{os.getpid()}-{number}").touch()
        time.sleep(60)

    if __name__ == "__main__":
        with parallel.processes() as pool:
            list(parallel.run(work, range(8), executor=pool))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_workers_end_with_their_parent(
    start: Callable[[str], Run], tmp_path: Path, number: signal.Signals
) -> None:
    run = start(POOL)
    run.wait_for(lambda: count(tmp_path, "began-*") >= N_WORKERS)
    run.process.send_signal(number)
    run.end()
    assert run.process.returncode == -number


SEARCH = """
    import os, pathlib, signal, time
    from arise_lib.storage import parallel
    from arise_lib.training.search import search

    def train(training):
        if training.seed > 1:
            pathlib.Path(f"began-{training.seed}").touch()
            time.sleep(60)
        return {"val_accuracy": 0.5}

    if __name__ == "__main__":
        # A shell that runs the tests in the background has them ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with parallel.processes() as pool:
            list(search(pathlib.Path("rows.jsonl"), 9, train, executor=pool))
"""


@pytest.mark.parametrize("send", [os.killpg, os.kill], ids=["to all", "to the search alone"])
@pytest.mark.parametrize("pause", [0.0, 0.3])
def test_two_quick_interrupts_end_a_search(
    start: Callable[[str], Run],
    tmp_path: Path,
    pause: float,
    send: Callable[[int, signal.Signals], None],
) -> None:
    """To all processes, as a terminal sends them, or to the one that waits for the others."""
    run = start(SEARCH)
    run.wait_for(lambda: count(tmp_path, "began-*") >= min(N_WORKERS, 2))
    for _ in range(2):
        # The first may have been enough.
        if run.process.poll() is None:
            send(run.process.pid, signal.SIGINT)
        time.sleep(pause)
    output = run.end()
    assert "KeyboardInterrupt" in output
    assert [row["seed"] for row in jsonl.read_rows(tmp_path / "rows.jsonl")] == [0, 1]


def test_failure_ends_what_the_others_are_at(start: Callable[[str], Run], tmp_path: Path) -> None:
    run = start(POOL.replace("time.sleep(60)", "time.sleep(60 * (number > 0))\n        1 / number"))
    output = run.end()
    assert "ZeroDivisionError" in output
    assert run.process.returncode == 1


# --- notebooks ---------------------------------------------------------------------------------

#: A notebook that works in a pool, as 03 does; its functions have to stand in a module.
NOTEBOOK = """
import os, pathlib, sys
sys.path.insert(0, os.getcwd())
import helper
from arise_lib.storage import parallel
pathlib.Path("kernel").write_text(str(os.getpid()))
with parallel.processes() as pool:
    print(list(parallel.run(helper.work, range(8), executor=pool)))
"""

HELPER = """
import pathlib, time
def work(number):
    pathlib.Path(f"began-{number}").touch()
    time.sleep(60)
"""

RUNNER = """
    import pathlib, signal, sys
    from functools import partial
    from arise_lib.compendium import cli, runner
    signal.signal(signal.SIGINT, signal.default_int_handler)
    here = pathlib.Path.cwd()
    runner.run = partial(runner.run, folder=here, build=here / "build")
    sys.exit(cli.main(["reproduce"]))
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A folder with one notebook, on whose outputs all others depend."""
    cells = [
        v4.new_code_cell('profile = "quick"', metadata={"tags": ["parameters"]}),
        v4.new_code_cell(NOTEBOOK),
    ]
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "00_a.ipynb").write_text(nbformat.writes(v4.new_notebook(cells=cells)))
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_ended_runner_leaves_nothing(
    start: Callable[[str], Run], notebook: Path, number: signal.Signals
) -> None:
    """No process, no open pipe, and but after a kill no temporary file."""
    run = start(RUNNER)
    run.wait_for(lambda: count(notebook, "began-*") >= N_WORKERS)
    assert len(run.descendants()) > N_WORKERS
    run.process.send_signal(number)
    output = run.end()
    if number == signal.SIGKILL:
        assert run.process.returncode == -number
        return
    assert run.process.returncode == 128 + number
    message = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
    assert f"arise: {message}" in output
    assert "Traceback" not in output
    assert list((notebook / "build" / "quick").iterdir()) == []


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.3])
def test_impatience_leaves_nothing(
    start: Callable[[str], Run], notebook: Path, pause: float
) -> None:
    """Ctrl-C, and once more while the first is being dealt with."""
    run = start(RUNNER)
    run.wait_for(lambda: count(notebook, "began-*") >= N_WORKERS)
    for _ in range(2):
        if run.process.poll() is None:
            run.process.send_signal(signal.SIGINT)
        time.sleep(pause)
    assert "arise: interrupted" in run.end()
    # By its own account, or by the second signal when all is done.
    assert run.process.returncode in (130, -signal.SIGINT)


def test_killed_kernel_leaves_no_workers(start: Callable[[str], Run], notebook: Path) -> None:
    """As the system does it where memory is short."""
    run = start(RUNNER)
    run.wait_for(lambda: count(notebook, "began-*") >= N_WORKERS)
    os.kill(int((notebook / "kernel").read_text()), signal.SIGKILL)
    output = run.end()
    assert run.process.returncode == 1
    assert "00_a failed in the kernel died" in output


def test_what_a_killed_runner_left_is_removed_by_the_next(
    start: Callable[[str], Run], notebook: Path
) -> None:
    run = start(RUNNER)
    run.wait_for(lambda: count(notebook, "began-*") >= N_WORKERS)
    run.process.kill()
    run.end()
    assert count(notebook, "build/quick/.*") > 0
    (notebook / "helper.py").write_text("def work(number): return number")
    again = start(RUNNER)
    assert "1 done" in again.end()
    assert [path.name for path in (notebook / "build" / "quick").iterdir()] == ["00_a.ipynb"]
