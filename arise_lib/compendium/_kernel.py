"""The kernel that notebooks run in, and a papermill engine that shows signs of life.

Which kernel specifications a machine holds, and what they point to, is not ours to know: the kernel
is always started with the interpreter that runs this code.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import zmq
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop, run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines
from papermill.log import logger

ENGINE = "arise"
KERNEL_NAME = NATIVE_KERNEL_NAME

#: Low-level output (TensorFlow's start-up lines, say) goes to the terminal, not into the notebook;
#: nbval's kernels do the same.
_ARGUMENTS = ["--IPKernelApp.capture_fd_output=False"]


@contextmanager
def kernel() -> Iterator[AsyncKernelManager]:
    """Yield the manager of a kernel of the running interpreter, which is still to be started.

    Yields
    ------
    jupyter_client.manager.AsyncKernelManager
        At the end the kernel is shut down. If the block is interrupted it is killed, with all that
        it has started: asked politely it would print a traceback and leave that behind. If this
        process is killed, the kernel ends by itself within seconds.
    """
    manager = AsyncKernelManager(
        kernel_name=KERNEL_NAME,
        # Without folders it knows of one kernel only, its own interpreter's.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        # Without it the kernel warns at every start that others on the machine could listen.
        transport_encryption="auto" if zmq.has("curve") else "disabled",
    )
    try:
        yield manager
    except KeyboardInterrupt:
        if manager.has_kernel:
            run_sync(manager.signal_kernel)(signal.SIGKILL)
        _forget_tasks()
        raise
    finally:
        if manager.has_kernel and run_sync(manager.is_alive)():
            run_sync(manager.shutdown_kernel)()
        run_sync(manager.cleanup_resources)()


def _forget_tasks() -> None:
    """End what still waits for the kernel; it would complain later on that the kernel is dead."""
    loop = ensure_event_loop()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


@contextmanager
def heartbeat(notebook: Any, name: str, every: float) -> Iterator[None]:
    """Write one line to stderr every so often while a notebook runs.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Notebook in papermill's hands; the running cell is read from its metadata.
    name : str
        Name in the line.
    every : float
        Seconds between two lines.
    """
    start, over = time.monotonic(), threading.Event()

    def beat() -> None:
        while not over.wait(every):
            states = [cell.metadata.get("papermill", {}).get("status") for cell in notebook.cells]
            where = states.index("running") + 1 if "running" in states else len(states)
            seconds = time.monotonic() - start
            print(
                f"  {name}: cell {where} of {len(states)}, running for {seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class OwnEngine(Engine):
    """papermill's engine, with the running interpreter's kernel and a heartbeat."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        name: str,
        every: float,
        start_timeout: int,
        environment: Mapping[str, str],
        **kwargs: Any,
    ) -> Any:
        """Run the cells in order.

        Parameters
        ----------
        nb_man : papermill.engines.NotebookExecutionManager
            papermill's state of the notebook.
        kernel_name : str
            Not used; the kernel is the running interpreter's.
        name : str
            Name of the notebook in the heartbeat.
        every : float
            Seconds between two heartbeats; 0 for none.
        start_timeout : int
            Seconds that the kernel may take to start.
        environment : mapping of str to str
            Variables of the kernel beside those of this process.
        **kwargs
            Further options of papermill, not used.

        Returns
        -------
        nbformat.NotebookNode
            The executed notebook; an error is in its outputs.
        """
        with (
            heartbeat(nb_man.nb, name, every) if every else nullcontext(),
            kernel() as manager,
        ):
            client = PapermillNotebookClient(
                nb_man,
                km=manager,
                startup_timeout=start_timeout,
                timeout=None,
                extra_arguments=_ARGUMENTS,
                log=logger,
            )
            try:
                return client.execute(env=os.environ | environment)
            finally:
                if client.kc is not None:
                    client.kc.stop_channels()


papermill_engines.register(ENGINE, OwnEngine)
