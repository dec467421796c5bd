"""Where long work runs: on threads, on processes, here, or on an executor of the user's."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from os import cpu_count
from types import FrameType
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")


def run(
    function: Callable[..., T],
    *arguments: Sequence[Any],
    executor: Executor | None = None,
    description: str = "",
    chunksize: int = 1,
) -> Iterator[T]:
    """Call a function many times, under a progress bar.

    Parameters
    ----------
    function : callable
        What to call; on processes, a function of a module.
    *arguments : sequence
        First, second ... argument of all calls.
    executor : concurrent.futures.Executor, optional
        Where to run: threads, one per core, by default; see `workers`.
    description : str, optional
        Text before the bar.
    chunksize : int, optional
        Calls that a process is given at once.

    Yields
    ------
    object
        What the calls return, in the order of the arguments whatever the executor.

    Examples
    --------
    >>> from arise_lib.storage import parallel
    >>> list(parallel.run(pow, [2, 3, 4], [2, 2, 2]))
    [4, 9, 16]
    """
    with workers(executor) as pool:
        results = pool.map(function, *arguments, chunksize=chunksize)
        yield from bar(results, total=len(arguments[0]), desc=description)


def bar(iterable: Iterable[T], total: int | None = None, desc: str = "") -> tqdm[T]:
    """Wrap an iterable in a progress bar that stays out of notebooks and log files.

    Parameters
    ----------
    iterable : iterable
        What to loop over.
    total : int, optional
        Number of items, where the iterable does not know its length.
    desc : str, optional
        Text before the bar.

    Returns
    -------
    tqdm.tqdm
        Silent where stderr is no terminal, as in a notebook's kernel, and with ``TQDM_DISABLE=1``.
    """
    # With None tqdm looks for a terminal, but no longer at its variable, and fails without stderr.
    silent = True if sys.stderr is None or os.environ.get("TQDM_DISABLE") else None
    return tqdm(iterable, total=total, desc=desc, disable=silent, leave=False)


@contextmanager
def workers(executor: Executor | None) -> Iterator[Executor]:
    """Yield an executor: the one given, or a pool of threads, one per core.

    Threads are enough because the compiled kernels release Python's lock, and they start at once
    and need nothing copied.

    Parameters
    ----------
    executor : concurrent.futures.Executor or None
        What the user gave.

    Yields
    ------
    concurrent.futures.Executor
        Closed at the end only if it was made here.

    Examples
    --------
    >>> from arise_lib.storage import parallel
    >>> with parallel.workers(None) as pool:
    ...     list(pool.map(abs, [-1, -2]))
    [1, 2]
    """
    if executor is not None:
        yield executor
        return
    pool = ThreadPoolExecutor(max_workers=cpu_count())
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class Here(Executor):
    """An executor that calls at once, one after the other, in the thread that asks for it.

    Examples
    --------
    >>> from arise_lib.storage import parallel
    >>> parallel.Here().submit(pow, 2, 5).result()
    32
    """

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call a function and return its result as a future that is done.

        Parameters
        ----------
        fn : callable
            What to call.
        *args, **kwargs
            Its arguments.

        Returns
        -------
        concurrent.futures.Future
            Holds the result, or the exception if the call failed. Ctrl-C passes through.
        """
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]:
        """Call a function for each item, when its result is asked for.

        Parameters
        ----------
        fn : callable
            What to call.
        *iterables : iterable
            First, second ... argument of all calls.
        timeout, chunksize
            Of the executors' common interface; without effect here.

        Returns
        -------
        iterator
            The results in order.
        """
        return map(fn, *iterables)


@contextmanager
def processes() -> Iterator[Executor]:
    """Yield a pool of processes, one per core, for libraries that want a main thread.

    The processes are spawned, not forked: forking hangs once numba or TensorFlow have started
    threads. A script has to guard its main part by ``if __name__ == "__main__"``; a notebook needs
    nothing.

    Yields
    ------
    concurrent.futures.ProcessPoolExecutor
        When the block is left by an exception, Ctrl-C above all, the processes are ended at once,
        with what they are at. They also end when this process does, however it is ended.

    Examples
    --------
    >>> from arise_lib.storage import parallel
    >>> with parallel.processes() as pool:
    ...     list(parallel.run(pow, [2, 3, 4], [2, 2, 2], executor=pool))
    [4, 9, 16]
    """
    context = get_context("spawn")
    # Nothing is ever sent: the workers' end reports when the other one is closed, here or by the
    # system after a kill.
    held_by_workers, held_here = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        max_workers=cpu_count(),
        mp_context=context,
        initializer=_follow,
        initargs=(held_by_workers,),
    )
    with _one_interrupt():
        try:
            yield pool
            pool.shutdown()
        finally:
            # What the workers are at would otherwise be waited for.
            held_here.close()
            pool.shutdown(cancel_futures=True)
            held_by_workers.close()


def _follow(lifeline: Connection) -> None:
    """Prepare a worker: it ends with its parent, and leaves Ctrl-C to it."""
    # A terminal sends Ctrl-C to all processes. Which call a worker is at is no concern of the user.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        lifeline.poll(None)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def _one_interrupt() -> Iterator[None]:
    """Let one Ctrl-C through, which ends the block, and none after it until the block is done.

    It is the handler that puts off the second one: a block that did so on its way out would have
    a moment, however short, in which it is not yet done.
    """
    before = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not callable(before):  # ignored, the system's own, or set outside Python
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        before(number, frame)
        # It raised nothing: the block goes on, and the next one counts.
        signal.signal(signal.SIGINT, interrupt)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
