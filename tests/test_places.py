from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

from arise_lib.bayes import _places as places
from arise_lib.bayes._places import BLOCK, equal, multiply, one_thread

#: Layers of the released network, of a small one, and edges of all kinds: one output, one input,
#: numbers that are multiples of nothing.
SHAPES = {
    "released": ((316, 256), (256, 256), (256, 512), (512, 512), (512, 256), (256, 108)),
    "small": ((20, 32), (32, 24), (24, 11)),
    "odd": ((37, 109), (109, 53), (53, 3)),
    "thin": ((5, 1), (1, 2), (2, 2)),
}

pytestmark = pytest.mark.equality


def product(kernel: NDArray[np.float32], inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.empty((kernel.shape[1], BLOCK), dtype=np.float32)
    with one_thread():
        multiply(kernel, np.ascontiguousarray(inputs), out)
    return out


@pytest.mark.parametrize("name", SHAPES)
def test_columns_take_their_result_with_them_to_any_of_the_places(name: str) -> None:
    generator = np.random.default_rng(7)
    here = np.array(equal(SHAPES[name]))
    for shape in SHAPES[name]:
        kernel = generator.normal(size=shape).astype(np.float32)
        inputs = generator.normal(size=(shape[0], BLOCK)).astype(np.float32)
        inputs[generator.random(inputs.shape) < 0.1] = 0.0  # dropped
        found = product(kernel, inputs)
        np.testing.assert_allclose(found, kernel.T @ inputs, rtol=1e-4, atol=1e-4)
        for _ in range(5):
            order = generator.permutation(here)
            moved = np.full_like(inputs, 3.0)  # other neighbours in all other places
            moved[:, order] = inputs[:, here]
            assert product(kernel, moved)[:, order].tobytes() == found[:, here].tobytes()


@pytest.mark.parametrize("name", SHAPES)
def test_the_run_cannot_be_made_longer(name: str) -> None:
    # Where the run ends inside the block, the next place does differ, in one of the layers.
    generator, found = np.random.default_rng(8), equal(SHAPES[name])
    beyond = [place for place in (found.start - 1, found.stop) if 0 <= place < BLOCK]
    differs = dict.fromkeys(beyond, False)
    for shape in SHAPES[name] if beyond else ():
        for _ in range(20):
            kernel = generator.normal(size=shape).astype(np.float32)
            column = generator.normal(size=(shape[0], 1)).astype(np.float32)
            out = product(kernel, np.repeat(column, BLOCK, axis=1))
            for place in beyond:
                differs[place] |= bool((out[:, place] != out[:, found.start]).any())
    assert all(differs.values()), differs


def test_the_longest_run_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def edges(kernel: object, inputs: object, out: NDArray[np.float32]) -> None:
        out[:] = 1.0
        for place, value in ((3, 2.0), (10, 2.0), (200, np.nan), (201, np.nan), (319, 5.0)):
            out[-1, place] = value

    monkeypatch.setattr(places, "multiply", edges)
    assert equal.__wrapped__(((4, 3), (3, 2))) == range(11, 200)
    monkeypatch.setattr(
        places, "multiply", lambda kernel, inputs, out: np.copyto(out, np.arange(BLOCK))
    )
    assert equal.__wrapped__(((4, 3),)) == range(1)
    monkeypatch.setattr(places, "multiply", lambda kernel, inputs, out: out.fill(0.0))
    assert equal.__wrapped__(((4, 3),)) == range(BLOCK)


# --- one thread ----------------------------------------------------------------------------------


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture
def two() -> Iterator[list[int]]:
    """BLAS on two threads, told by the test's thread."""
    with threadpool_limits(2, user_api="blas"):
        if 2 not in blas_threads():
            pytest.skip("the threads of this BLAS cannot be set")
        yield blas_threads()


def test_one_thread_inside_and_as_many_as_before_outside(two: list[int]) -> None:
    with one_thread():
        assert blas_threads() == [1] * len(two)
        with one_thread():
            assert blas_threads() == [1] * len(two)
        assert blas_threads() == [1] * len(two)
    assert blas_threads() == two
    with pytest.raises(ZeroDivisionError), one_thread():
        _ = 1 // 0
    assert blas_threads() == two


@pytest.mark.parametrize("leaves_first", [0, 1])
def test_the_last_of_several_threads_resets_the_number(two: list[int], leaves_first: int) -> None:
    one = [1] * len(two)
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        callers = [(caller, one_thread()) for caller in (first, second)]
        for caller, inside in callers:
            caller.submit(inside.__enter__).result()
            assert caller.submit(blas_threads).result() == one
        caller, inside = callers.pop(leaves_first)
        caller.submit(inside.__exit__, None, None, None).result()
        ((still, inside),) = callers
        assert still.submit(blas_threads).result() == one
        # Who has left may do as it likes, but not while another is inside.
        caller.submit(threadpool_limits, 2, user_api="blas").result()
        assert still.submit(blas_threads).result() == one
        still.submit(inside.__exit__, None, None, None).result()
        assert blas_threads() == two
