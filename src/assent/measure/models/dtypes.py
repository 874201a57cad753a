"""Types of the values in a tensor, by the names that NumPy and ml_dtypes give them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from assent.measure.models.reader import ReadError

MAX_DIMENSIONS = 64
MAX_ELEMENTS = 2**62

BITS: dict[str, int] = {
    "bool": 8,
    "int2": 2,
    "uint2": 2,
    "int4": 4,
    "uint4": 4,
    "int8": 8,
    "uint8": 8,
    "int16": 16,
    "uint16": 16,
    "int32": 32,
    "uint32": 32,
    "int64": 64,
    "uint64": 64,
    "float4_e2m1fn": 4,
    "float6_e2m3fn": 6,
    "float6_e3m2fn": 6,
    "float8_e4m3fn": 8,
    "float8_e4m3fnuz": 8,
    "float8_e5m2": 8,
    "float8_e5m2fnuz": 8,
    "float8_e8m0fnu": 8,
    "float16": 16,
    "bfloat16": 16,
    "float32": 32,
    "float64": 64,
    "complex64": 64,
    "complex128": 128,
}
"""Bits of one value. Types narrower than a byte are packed."""


def size_bytes(dtype: str, count: int) -> int:
    """The bytes of `count` values, the last one filled up. `dtype` is one of `BITS`."""
    return -(-BITS[dtype] * count // 8)


def checked_shape(name: str, dimensions: Sequence[object]) -> tuple[int, ...]:
    """`dimensions` as the shape of the tensor `name`. Raises `ReadError` for one that no array can
    have.
    """
    shape: list[int] = []
    for dimension in dimensions[: MAX_DIMENSIONS + 1]:
        if isinstance(dimension, bool) or not isinstance(dimension, int) or dimension < 0:
            raise ReadError(f"the tensor {name!r} has an impossible shape")
        shape.append(dimension)
    if len(shape) > MAX_DIMENSIONS:
        raise ReadError(f"the tensor {name!r} has more than {MAX_DIMENSIONS} dimensions")
    # Zeros left out: what is empty must not hide a number that no file can say.
    if math.prod(filter(None, shape)) > MAX_ELEMENTS:
        raise ReadError(f"the tensor {name!r} has an impossible shape")
    return tuple(shape)
