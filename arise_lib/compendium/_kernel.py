"""The kernel that notebooks run in, and a papermill engine that shows signs of life.

Which kernel specifications a machine holds, and what they point to, is not ours to know: the kernel
is always started with the interpreter that runs this code.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import zmq
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines
from papermill.log import logger
from traitlets import default

ENGINE = "arise"
KERNEL_NAME = "python3"


class OwnKernelSpecManager(KernelSpecManager):
    """Kernel specifications of one kernel: the running interpreter."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the running interpreter's kernel, whatever the name.

        Parameters
        ----------
        kernel_name : str
            Ignored.

        Returns
        -------
        jupyter_client.kernelspec.KernelSpec
            Progress bars are off in it. Low-level output (TensorFlow's start-up lines, say) goes
            to the terminal, not into the notebook; nbval's kernels do the same.
        """
        start = get_kernel_dict(extra_arguments=["--IPKernelApp.capture_fd_output=False"])
        return KernelSpec(resource_dir=str(RESOURCES), env={"TQDM_DISABLE": "1"}, **start)


class OwnKernelManager(AsyncKernelManager):
    """Starts and ends the running interpreter's kernel."""

    @default("kernel_spec_manager")
    def _own_kernel_spec_manager(self) -> KernelSpecManager:
        return OwnKernelSpecManager()

    @default("transport_encryption")
    def _own_transport_encryption(self) -> str:
        # Without it the kernel warns at every start that others on the machine could listen.
        return "auto" if zmq.has("curve") else "disabled"


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


class OwnClient(PapermillNotebookClient):
    """papermill's client; an interruption ends the kernel, and what it started, at once."""

    def papermill_execute_cells(self) -> None:
        """Run the cells in order."""
        try:
            super().papermill_execute_cells()
        except KeyboardInterrupt:
            # The kernel leads a process group. Asked politely it would first print a traceback,
            # and leave the workers of its pools behind.
            run_sync(self.km.signal_kernel)(signal.SIGTERM)
            self.shutdown_kernel = "immediate"
            raise


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
        **kwargs: Any,
    ) -> Any:
        """Run the cells in order.

        Parameters
        ----------
        nb_man : papermill.engines.NotebookExecutionManager
            papermill's state of the notebook.
        kernel_name : str
            Passed on; the kernel is the running interpreter's all the same.
        name : str
            Name of the notebook in the heartbeat.
        every : float
            Seconds between two heartbeats; 0 for none.
        start_timeout : int
            Seconds that the kernel may take to start.
        **kwargs
            Further options of papermill, not used.

        Returns
        -------
        nbformat.NotebookNode
            The executed notebook; an error is in its outputs.
        """
        client = OwnClient(
            nb_man,
            kernel_name=kernel_name,
            kernel_manager_class=OwnKernelManager,
            startup_timeout=start_timeout,
            timeout=None,
            log=logger,
        )
        with heartbeat(nb_man.nb, name, every) if every else nullcontext():
            return client.execute()


papermill_engines.register(ENGINE, OwnEngine)
