"""Rounds of stochastic passes: which passes are made together, on which rows, on which core.

Nothing here may change a result: any division into rounds, blocks and lots gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from os import cpu_count

import numpy as np
from numpy.typing import NDArray

from arise_lib.bayes._passes import SWEEP, Masks, draw_masks, places, stratified_masks
from arise_lib.bayes._places import one_thread
from arise_lib.network.model import Network
from arise_lib.storage.parallel import bar, workers

#: Passes in a round with a tolerance: the error is looked at after each round.
LENGTH = SWEEP

# Without a tolerance, rows that share a block: enough passes of each for vectorised loops along
# them, few enough for their masks to stay in cache.
_ROWS = (2, 3, 4, 1)


@dataclass(frozen=True)
class Share:
    """Passes of a round that are made in one block with each other.

    Attributes
    ----------
    network : Network
        Whose passes they are.
    which : slice
        Their numbers, counted from the first pass of the round.
    masks : tuple of ndarray of float32
        For each dense layer, (n_in, n_passes).
    """

    network: Network
    which: slice
    masks: Masks


def draw(
    networks: Sequence[Network], seed: int, passes: range, *, stratified: bool = False
) -> list[Share]:
    """Draw the masks of a round of passes through the networks of an ensemble.

    Parameters
    ----------
    networks : sequence of Network
        Pass k is one of network k mod M.
    seed : int
        Base seed.
    passes : range
        Numbers of the round, in steps of 1.
    stratified : bool
        Take the masks of `stratified_masks`, not those of `draw_masks`.

    Returns
    -------
    list of Share
        Of the passes j, j + M, j + 2 M ... of the round for each j; in more than
        one share only where a block has fewer places.
    """
    masks_of = stratified_masks if stratified else draw_masks
    found = []
    for j in range(min(len(networks), len(passes))):
        own = passes[j :: len(networks)]
        network = networks[own[0] % len(networks)]
        room = len(places(network))
        for first in range(0, len(own), room):
            numbers = own[first : first + room]
            which = slice(numbers.start - passes.start, numbers.stop - passes.start, numbers.step)
            found.append(Share(network, which, masks_of(network, seed, numbers)))
    return found


def length(n_rows: int, n_passes: int, networks: Sequence[Network]) -> int:
    """Return how many passes to make in a round without a tolerance, so that blocks are full.

    Parameters
    ----------
    n_rows : int
        Rows that need the passes.
    n_passes : int
        Number of passes, over all networks.
    networks : sequence of Network
        The ensemble.

    Returns
    -------
    int
        A multiple of the number of networks.
    """
    room = min(len(places(network)) for network in networks)
    of_each = -(-n_passes // len(networks))

    def products(in_round: int) -> int:
        """Count the blocks of one network in all rounds."""
        whole, rest = divmod(of_each, in_round)
        found = whole * -(-n_rows // (room // in_round))
        return found + (-(-n_rows // (room // rest)) if rest else 0)

    best = min((room // rows for rows in _ROWS if rows <= room), key=products)
    return len(networks) * best


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
    with one_thread(), workers(None) as pool:
        yield pool


def lots(active: NDArray[np.int64], drawn: Sequence[Share]) -> list[list[NDArray[np.int64]]]:
    """Cut rows into blocks, and these into a few lots per core, so that all cores end together.

    Parameters
    ----------
    active : ndarray of int
        Row numbers.
    drawn : sequence of Share
        From `draw`.

    Returns
    -------
    list of list of ndarray of int
        Row numbers of each block of each lot: as many as find places in a block
        with their passes of any share.
    """
    size = min(len(places(share.network)) // share.masks[0].shape[1] for share in drawn)
    blocks = [active[start : start + size] for start in range(0, active.size, size)]
    lot = -(-len(blocks) // (4 * (cpu_count() or 1))) or 1
    return [blocks[start : start + lot] for start in range(0, len(blocks), lot)]
