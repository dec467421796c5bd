"""Where long work runs: on an executor of the user's, or on threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from os import cpu_count


@contextmanager
def workers(executor: Executor | None) -> Iterator[Executor]:
    """Yield an executor: the one given, or a pool of threads, one per core.

    Threads are enough because the compiled kernels release Python's lock, and
    they start at once and need nothing copied.

    Parameters
    ----------
    executor : concurrent.futures.Executor or None
        What the user gave.

    Yields
    ------
    concurrent.futures.Executor
        Closed at the end only if it was made here.
    """
    if executor is not None:
        yield executor
        return
    pool = ThreadPoolExecutor(max_workers=cpu_count())
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def processes() -> ProcessPoolExecutor:
    """Return a pool of processes, one per core, for libraries that want a main thread.

    Returns
    -------
    concurrent.futures.ProcessPoolExecutor
        To be used in a ``with`` block. The processes are spawned, not forked: forking hangs once
        numba or TensorFlow have started threads. A script has to guard its main part by
        ``if __name__ == "__main__"``; a notebook needs nothing.
    """
    return ProcessPoolExecutor(max_workers=cpu_count(), mp_context=get_context("spawn"))
