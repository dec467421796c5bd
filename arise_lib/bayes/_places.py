"""Places of a block in which a product's result is the same bytes: measured, not assumed.

BLAS cuts a product into tiles and takes those at its edges by other instructions than those inside,
so in the last bits a column of a product may depend on its place among the columns. Which places
agree depends on the kernel that BLAS chose for the processor: with OpenBLAS's for AVX2 without
AVX-512 all but the first and the last eight, with its older ones all. Here it is found out once in
a process, for the shapes of a network's layers, by products of columns that are all the same; the
other places stay empty.

What follows: on one machine a pair of a row and a pass gives the same bytes whatever it is computed
with. Between machines, whose kernels add in another order, class probabilities agree to 1e-5.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

#: Places in a block, for a pair of a row and a pass each: enough to come within some per cent of
#: the rate of large products, few enough for their activations to stay in cache. With more than
#: 320, OpenBLAS's kernel for AVX2 takes a block in two parts, each with edges of its own. A
#: multiple of 64, so that loops over all places, vectorised, leave no rest that is taken otherwise.
BLOCK = 320

# A difference in rounding shows in most results, not in all, and an edge may hold one output only.
_TRIALS = 3
_VALUES = 512


class _Keeper:
    """Keeps BLAS on one thread while anyone is inside: set by the first, reset after the last.

    The number of threads belongs to the process. Were it set and reset by each of several threads
    that come and go, it would be reset too early, and to what another of them had set. And
    threadpoolctl lets only one thread at a time change it: here one that does nothing else, so that
    whoever comes last can reset it, and nobody changes it in between.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0

    def __enter__(self) -> ThreadpoolController:
        with self._lock:
            if self._inside == 0:
                self._controller = ThreadpoolController()
                self._thread = ThreadPoolExecutor(1)
                self._limit = self._thread.submit(_limit, self._controller).result()
            self._inside += 1
            return self._controller

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._thread.submit(self._limit.__exit__, None, None, None).result()
                self._thread.shutdown()


def _limit(controller: ThreadpoolController) -> Any:
    """Set one thread, and return the context manager that resets it."""
    for library in controller.lib_controllers:
        if hasattr(library, "clear_controlling_thread"):  # OpenBLAS, on threads of its own
            library.clear_controlling_thread(force=True)
    limit = controller.limit(limits=1, user_api="blas")
    limit.__enter__()
    return limit


_keeper = _Keeper()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS on one thread; several threads may be inside, and one of them more than once.

    To be entered by each thread that multiplies: with OpenMP below BLAS, each has a number of its
    own.
    """
    with _keeper as controller, controller.limit(limits=1, user_api="blas"):
        yield


def multiply(
    kernel: NDArray[np.float32], inputs: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """Multiply the columns of a block by a dense layer's kernel.

    Parameters
    ----------
    kernel : ndarray of float32, shape (n_in, n_out)
        C-contiguous.
    inputs : ndarray of float32, shape (n_in, BLOCK)
        C-contiguous: a column holds a pair's inputs.
    out : ndarray of float32, shape (n_out, BLOCK)
        Filled; C-contiguous.
    """
    np.matmul(kernel.T, inputs, out=out)


@lru_cache
def equal(shapes: tuple[tuple[int, int], ...]) -> range:
    """Find places in which `multiply` gives the same bytes for the same inputs.

    Parameters
    ----------
    shapes : tuple of (int, int)
        Of the kernels of a network's dense layers: (n_in, n_out).

    Returns
    -------
    range
        The longest run of places that agree in all layers, on one BLAS thread.

    Examples
    --------
    >>> found = equal(((316, 256), (256, 108)))
    >>> 0 <= found.start < found.stop <= BLOCK
    True
    """
    generator = np.random.default_rng(0)
    agrees = np.ones(BLOCK - 1, dtype=np.bool_)  # a place with the next one
    with one_thread():
        for n_in, n_out in shapes:
            kernel = generator.random((n_in, n_out), dtype=np.float32) - np.float32(0.5)
            out = np.empty((n_out, BLOCK), dtype=np.float32)
            for _ in range(max(_TRIALS, -(-_VALUES // n_out))):
                column = generator.random((n_in, 1), dtype=np.float32) - np.float32(0.5)
                multiply(kernel, np.repeat(column, BLOCK, axis=1), out)
                bits = out.view(np.int32)
                agrees &= (bits[:, :-1] == bits[:, 1:]).all(axis=0)
    # The ends of the runs, and with -1 the end of what lies before the first one.
    ends = np.concatenate(([-1], np.flatnonzero(~agrees), [BLOCK - 1]))
    longest = int(np.diff(ends).argmax())
    return range(int(ends[longest]) + 1, int(ends[longest + 1]) + 1)
