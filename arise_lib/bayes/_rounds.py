"""Rounds of stochastic passes: which passes are made together, on which rows, on which core.

Nothing here may change a result: any division into rounds, blocks and lots gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from os import cpu_count

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from arise_lib.bayes._passes import BLOCK, Masks, dropout_masks
from arise_lib.network import Network
from arise_lib.storage.parallel import bar, workers

#: Passes in a round; with a tolerance, the error is looked at after each of them.
LENGTH = 50

#: For each network of an ensemble, its passes in a round.
Round = list[tuple[Network, Masks]]


def draw(networks: Sequence[Network], seed: int, passes: range) -> Round:
    """Draw the masks of a round of passes through the networks of an ensemble.

    Parameters
    ----------
    networks : sequence of Network
        Pass k is one of network k mod M.
    seed : int
        Base seed.
    passes : range
        Numbers of the round, in steps of 1.

    Returns
    -------
    list of (Network, tuple of ndarray of float32)
        Element j stands for the passes j, j + M, j + 2 M ... of the round: their
        network, and for each dense layer their masks, (n_passes, n_in).
    """
    found = []
    for j in range(min(len(networks), len(passes))):
        own = passes[j :: len(networks)]
        network = networks[own[0] % len(networks)]
        drawn = [dropout_masks(network, seed, number) for number in own]
        found.append((network, tuple(np.array(layer) for layer in zip(*drawn, strict=True))))
    return found


def length(n_rows: int, n_networks: int) -> int:
    """Return how many passes to make in a round: more where few rows share a block."""
    return max(LENGTH, n_networks * (BLOCK // max(n_rows, 1)))


def numbers(n_passes: int, in_round: int) -> Iterator[range]:
    """Cut the numbers of the passes into rounds, under a progress bar."""
    for first in bar(range(0, n_passes, in_round), desc=f"passes, by {in_round}"):
        yield range(first, min(first + in_round, n_passes))


@contextmanager
def cores() -> Iterator[Executor]:
    """Yield threads, one per core, each with one BLAS thread.

    Blocks are independent, so they share the cores better than the rows of one
    small product would, and sums are taken in the same order on any machine.
    """
    with threadpool_limits(1, user_api="blas"), workers(None) as pool:
        yield pool


def lots(active: NDArray[np.int64], drawn: Round) -> list[list[NDArray[np.int64]]]:
    """Cut rows into blocks, and these into a few lots per core, so that all cores end together.

    Parameters
    ----------
    active : ndarray of int
        Row numbers.
    drawn : list of (Network, tuple of ndarray)
        From `draw`.

    Returns
    -------
    list of list of ndarray of int
        Row numbers of each block of each lot: as many as fit into a matrix
        product of `BLOCK` pairs with their passes of the round.
    """
    size = BLOCK // max(len(masks[0]) for _, masks in drawn)
    blocks = [active[start : start + size] for start in range(0, active.size, size)]
    lot = -(-len(blocks) // (4 * (cpu_count() or 1))) or 1
    return [blocks[start : start + lot] for start in range(0, len(blocks), lot)]
