"""Bytes of a tensor as numbers that can be added up: NumPy has no bfloat16 and no float8."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec

from assent.errors import to_install

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.floating[Any]]


class Decoder(msgspec.Struct, frozen=True, kw_only=True):
    """How a type is read: `stored` is NumPy's type of what lies in the file, `exact` that of what
    it becomes (`float32` if that holds every value, else `float64`). `width` bytes of the file are
    `block` values.

    `decode` may use its second argument, of as many values, for the result. What
    it gives may be in another order, the same for all blocks of one length and type (`is_ordered`
    says whether it is the file's), and is not to be written to.
    """

    width: int
    stored: str
    exact: str
    decode: Callable[[NDArray[Any], NDArray[Any]], Numbers]
    is_ordered: bool = True
    block: int = 1

    def size_bytes(self, count: int) -> int | None:
        """The bytes of so many values, None if they are no whole blocks."""
        return None if count % self.block else count // self.block * self.width


@cache
def decoder(dtype: str, *, is_ordered: bool = False) -> Decoder | None:
    """How values of `dtype` are read, in the order of the file if they must be; None for a type
    that is not compared.
    """
    import numpy as np

    if dtype in ("float32", "float64"):
        width = int(dtype[5:]) // 8
        return Decoder(width=width, stored=f"<f{width}", exact=dtype, decode=_as_it_is)
    if dtype == "bfloat16":
        if is_ordered:
            return Decoder(width=2, stored="<u2", exact="float32", decode=_widened)
        return Decoder(width=2, stored="<u2", exact="float32", decode=_halves, is_ordered=False)
    if dtype == "bool":
        return Decoder(width=1, stored="u1", exact="float32", decode=_copied)
    if dtype == "float16":
        return Decoder(width=2, stored="<u2", exact="float32", decode=_from_half)
    if dtype.startswith("float8_"):
        table = _table(dtype)
        if table is None:
            return None

        def looked_up(stored: NDArray[Any], out: NDArray[Any]) -> Numbers:
            return np.take(table, stored, out=out, mode="clip")

        return Decoder(width=1, stored="u1", exact="float32", decode=looked_up)
    if dtype in ("int4", "uint4"):
        return Decoder(width=1, stored="u1", exact="float32", decode=_NIBBLES[dtype], block=2)
    plain = {f"{kind}int{8 * size}": size for kind in ("", "u") for size in (1, 2, 4, 8)}
    if dtype not in plain:
        return _of_blocks(dtype)
    width, letter = plain[dtype], dtype[0]
    exact = "float32" if width < 4 else "float64"
    return Decoder(width=width, stored=f"<{letter}{width}", exact=exact, decode=_copied)


def _of_blocks(dtype: str) -> Decoder | None:
    """How blocks of GGUF are read: by the package of those who define them."""
    try:
        import gguf
    except ImportError:
        return None
    kind = getattr(gguf.GGMLQuantizationType, dtype.upper(), None)
    if kind is None or not _is_known(kind):
        return None
    block, width = gguf.GGML_QUANT_SIZES[kind]

    def dequantised(stored: NDArray[Any], out: NDArray[Any]) -> Numbers:
        out[...] = gguf.dequantize(stored.reshape(-1, width), kind).reshape(-1)
        return out

    return Decoder(width=width, stored="u1", exact="float32", decode=dequantised, block=block)


def why_unread(dtype: str) -> str:
    """Why values of a type are not compared, and what would help."""
    reason = f"values of the type {dtype} are not read"
    is_quantised = re.match(r"(?:i|t)?q\d|[mn][xv]fp\d", dtype) is not None
    if is_quantised and find_spec("gguf") is None:
        return f"{reason} without gguf: {to_install('models')}"
    return reason


def _is_known(kind: Any) -> bool:
    """Whether the package can read the kind: it says so only when it is asked for a block."""
    import gguf
    import numpy as np

    _, width = gguf.GGML_QUANT_SIZES[kind]
    try:
        gguf.dequantize(np.zeros((1, width), dtype=np.uint8), kind)
    except NotImplementedError:
        return False
    return True


def _unsigned_nibbles(stored: NDArray[Any], out: NDArray[Any]) -> Numbers:
    """Two numbers in a byte, the lower four bits first."""
    out[::2] = stored & 15
    out[1::2] = stored >> 4
    return out


def _signed_nibbles(stored: NDArray[Any], out: NDArray[Any]) -> Numbers:
    _unsigned_nibbles(stored, out)
    out[out > 7] -= 16
    return out


_NIBBLES = {"int4": _signed_nibbles, "uint4": _unsigned_nibbles}


def _as_it_is(stored: NDArray[Any], _out: NDArray[Any]) -> Numbers:
    return stored


def _copied(stored: NDArray[Any], out: NDArray[Any]) -> Numbers:
    out[...] = stored
    return out


def _widened(stored: NDArray[Any], out: NDArray[Any]) -> Numbers:
    """A bfloat16 is the upper half of a float32."""
    import numpy as np

    wide = out.view(np.uint32)
    wide[...] = stored
    wide <<= 16
    return out


def _halves(stored: NDArray[Any], out: NDArray[Any]) -> Numbers:
    """Two values at once, without making each wider first: the even ones, then the odd ones."""
    import numpy as np

    pairs = len(stored) // 2
    two = stored[: 2 * pairs].view("<u4")
    wide = out.view(np.uint32)
    np.left_shift(two, 16, out=wide[:pairs])
    np.bitwise_and(two, 0xFFFF0000, out=wide[pairs : 2 * pairs])
    if len(stored) % 2:
        wide[-1] = np.uint32(stored[-1]) << np.uint32(16)
    return out


def _from_half(stored: NDArray[Any], out: NDArray[Any]) -> Numbers:
    """A float16 with its bits moved to where a float32 has them is 2 ** -112 of its value; so are
    the small ones without a leading one. NumPy's own conversion takes twice as long.
    """
    import numpy as np

    wide = out.view(np.int32)
    wide[...] = stored.view("<i2")  # spreads the sign to the left
    wide <<= 13
    wide &= np.int32(-0x70002000)  # keeps the highest bit, and the 15 of the number
    np.multiply(out, np.float32(2.0**112), out=out)
    if len(out) and (out.max() >= _NO_HALF or out.min() <= -_NO_HALF):
        out[...] = stored.view("<f2")  # there are infinities or NaN, which follow another rule
    return out


_NO_HALF = 65536
"""The smallest number too large for a float16: what a NaN or an infinity looks like above."""


def _table(dtype: str) -> NDArray[np.float32] | None:
    """All 256 values of a type of eight bits: https://onnx.ai/onnx/technical/float8.html and, for
    `e8m0`, the specification of the OCP's Microscaling Formats.
    """
    import numpy as np

    if dtype == "float8_e8m0fnu":
        values = [2.0 ** (code - 127) for code in range(255)] + [float("nan")]
        return np.array(values, dtype=np.float32)
    formats = {
        "float8_e4m3fn": (3, 7),
        "float8_e4m3fnuz": (3, 8),
        "float8_e5m2": (2, 15),
        "float8_e5m2fnuz": (2, 16),
    }
    if dtype not in formats:
        return None
    mantissa_bits, bias = formats[dtype]
    values = [_float8(code, mantissa_bits, bias) for code in range(128)]
    values += [-value for value in values]
    special = float("nan")
    if dtype.endswith("fnuz"):
        values[0x80] = special
    elif dtype == "float8_e4m3fn":
        values[0x7F] = values[0xFF] = special
    else:
        values[0x7C], values[0xFC] = float("inf"), -float("inf")
        for code in (0x7D, 0x7E, 0x7F):
            values[code] = values[code + 0x80] = special
    return np.array(values, dtype=np.float32)


def _float8(code: int, mantissa_bits: int, bias: int) -> float:
    exponent, mantissa = code >> mantissa_bits, code & ((1 << mantissa_bits) - 1)
    scale = 1 << mantissa_bits
    if exponent == 0:
        return mantissa / scale * 2.0 ** (1 - bias)
    return float((1 + mantissa / scale) * 2.0 ** (exponent - bias))
