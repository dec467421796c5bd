"""Eight numbers at once: vectors of double precision in compiled code.

The hot loops of the engine all work on groups of eight numbers, the eight nodes of a
radial element or eight pairs of atoms. Written with the functions of this module, each
group is a vector register (or two, or four, as the processor has them), whatever the
compiler's own vectoriser makes of a loop. Products are added with one rounding (`fma` of
IEEE 754); as that is asked for here and never left to the compiler, the numbers depend
neither on what else a process has compiled nor on the width of the registers.

This is the only module that builds on private parts of numba (``numba.core``) and on llvmlite;
``pyproject.toml`` bounds numba's version for its sake, and tests/test_lanes.py tells whether it
works with another one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model
from numpy.typing import NDArray

#: Numbers in a vector: a cache line, and a register of AVX-512.
LANES = 8

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)


class _Lanes(types.Type):
    """Numba's type of a vector."""

    def __init__(self) -> None:
        """Name the type; all its instances are one."""
        super().__init__(name="Lanes")


_LANES = _Lanes()


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    """A vector is passed as it is, in a register."""

    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _VECTOR)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, position: Any) -> Any:
    """Address of eight numbers of a contiguous array, counted from its first number."""
    made = context.make_array(array_type)(context, builder, array)
    if config.BOUNDSCHECK:  # Numba checks its own indexing only
        for step in (0, LANES - 1):
            reached = builder.add(position, ir.Constant(position.type, step))
            cgutils.do_boundscheck(context, builder, reached, made.nitems)
    address = builder.gep(made.data, [position])
    return builder.bitcast(address, _VECTOR.as_pointer())


def _contiguous(array: Any) -> bool:
    """Whether numba knows `array` as a contiguous array of doubles."""
    return isinstance(array, types.Array) and array.layout == "C" and array.dtype == types.float64


@intrinsic
def load(typing_context: Any, array: Any, position: Any) -> Any:
    """Read the eight numbers that begin at flat index `position` of a contiguous array."""
    if not _contiguous(array):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, array, *arguments)
        return builder.load(pointer, align=8)

    return _LANES(array, types.intp), generate


@intrinsic
def store(typing_context: Any, array: Any, position: Any, value: Any) -> Any:
    """Write eight numbers from flat index `position` of a contiguous array on."""
    if not _contiguous(array):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, array, *arguments[:2])
        builder.store(arguments[2], pointer, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, _LANES), generate


def _splat(builder: Any, number: Any) -> Any:
    """Put one number into all lanes."""
    lane = ir.Constant(ir.IntType(32), 0)
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, lane)
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), mask)


@intrinsic
def splat(typing_context: Any, number: Any) -> Any:
    """Put one number into all eight lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _splat(builder, arguments[0])

    return _LANES(types.float64), generate


@intrinsic
def fma(typing_context: Any, first: Any, second: Any, third: Any) -> Any:
    """Compute first * second + third with one rounding, lane by lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f64")
        return builder.call(function, arguments)

    return _LANES(_LANES, _LANES, _LANES), generate


@intrinsic
def square_root(typing_context: Any, value: Any) -> Any:
    """Take the square root of each lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}f64")
        return builder.call(function, arguments)

    return _LANES(_LANES), generate


def _binary(name: str, meaning: str) -> Callable[..., Any]:
    """Make the function of two vectors that is one instruction of the processor."""

    def function(typing_context: Any, first: Any, second: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(*arguments)

        return _LANES(_LANES, _LANES), generate

    function.__doc__ = meaning
    return intrinsic(function)


divide = _binary("fdiv", "Divide the first vector by the second, lane by lane.")
subtract = _binary("fsub", "Subtract the second vector from the first.")
multiply = _binary("fmul", "Multiply two vectors, lane by lane.")


def aligned(*shape: int) -> NDArray[np.float64]:
    """Make an array of zeros of which every eighth number begins a cache line."""
    size = math.prod(shape)
    spacious = np.zeros(size + LANES)
    first = -(spacious.ctypes.data // spacious.itemsize) % LANES
    return spacious[first : first + size].reshape(shape)


@intrinsic
def total(typing_context: Any, value: Any) -> Any:
    """Add the eight lanes: halves first, then quarters, then the last two."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector, size = arguments[0], LANES
        while size > 1:
            size //= 2
            halves = [
                builder.shuffle_vector(
                    vector,
                    vector,
                    ir.Constant(ir.VectorType(ir.IntType(32), size), [*range(start, start + size)]),
                )
                for start in (0, size)
            ]
            vector = builder.fadd(*halves)
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    return types.float64(_LANES), generate
