"""Tensors in the format of safetensors: eight bytes of length, a header in JSON, the values.

The rules are those of the format (https://huggingface.co/docs/safetensors, "Format"): the header
is an object without a key twice, the values of all tensors lie one after another without a gap,
and fill the file. A file that breaks one is refused, since two readers could see two models in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assent.core.inspection import Part, Tensor
from assent.core.scalar import Scalar
from assent.measure.models.dtypes import checked_shape, size_bytes
from assent.measure.models.facts import setting
from assent.measure.models.located import Located, Place
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.texts import short_name
from assent.parsing import MAX_BYTES, ParseError, parse_json

FORMAT = "safetensors"

_DTYPES = {
    "BOOL": "bool",
    "I8": "int8",
    "U8": "uint8",
    "I16": "int16",
    "U16": "uint16",
    "I32": "int32",
    "U32": "uint32",
    "I64": "int64",
    "U64": "uint64",
    "F4": "float4_e2m1fn",
    "F6_E2M3": "float6_e2m3fn",
    "F6_E3M2": "float6_e3m2fn",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
}


def recognizes(source: ModelSource) -> bool:
    """By its suffix, or a header that begins where one must and speaks of tensors."""
    if source.name.lower().endswith(".safetensors"):
        return True
    length = int.from_bytes(source.head[:8], "little")
    begins = source.head[8:9] == b"{" and length <= source.size_bytes - 8
    return begins and (b'"dtype"' in source.head or b'"__metadata__"' in source.head)


def read(source: ModelSource) -> Part:
    """The header. The values are not looked at."""
    tensors, metadata = _header(source.path, source.size_bytes)
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        parameters=sum(math.prod(located.shape) for located in tensors.values()),
        counted="all values of its tensors, buffers included",
        tensors=tuple(
            Tensor(name=name, dtype=located.dtype, shape=located.shape)
            for name, located in sorted(tensors.items())
        ),
        settings=metadata,
    )


def locate(source: ModelSource) -> Mapping[str, Place]:
    """Where each tensor's values lie."""
    return _header(source.path, source.size_bytes)[0]


def _header(path: Path, size: int) -> tuple[dict[str, Located], dict[str, Scalar]]:
    with path.open("rb") as file:
        first = file.read(8)
        length = int.from_bytes(first, "little")
        if len(first) < 8 or length > size - 8:
            raise ReadError("it ends before its header does")
        if length > MAX_BYTES:
            raise ReadError(f"a header of {length:,} bytes")
        text = file.read(length)
    if len(text) < length or text[:1] != b"{":
        raise ReadError("its header is not an object of JSON")
    try:
        header = parse_json(text)
    except ParseError as error:
        raise ReadError(f"its header cannot be read: {error.problem}") from None
    metadata = dict(_metadata(header.pop("__metadata__", {})))
    if len(header) > MAX_NAMES:
        raise ReadError(f"more than {MAX_NAMES:,} tensors")
    start = 8 + length
    tensors = {name: _located(name, entry, start, path) for name, entry in header.items()}
    _require_contiguous(tensors, start, size)
    return tensors, metadata


def _metadata(value: Any) -> Iterator[tuple[str, Scalar]]:
    if value is None:
        return  # as good as none to the library, which declares an optional map
    if not isinstance(value, dict) or len(value) > MAX_NAMES:
        raise ReadError("its metadata is not an object of texts")
    for key, text in sorted(value.items()):
        if not isinstance(text, str):
            raise ReadError("its metadata is not an object of texts")
        yield short_name(key), setting(text)


def _located(name: str, entry: Any, start: int, path: Path) -> Located:
    short_name(name)
    match entry:
        case {"dtype": str(dtype), "shape": list(dimensions), "data_offsets": [begin, end]}:
            pass
        case _:
            raise ReadError(f"the tensor {name!r} has no type, shape or place")
    if len(entry) != 3 or dtype not in _DTYPES:
        raise ReadError(f"the tensor {name!r} has the unknown type {dtype[:20]!r}")
    shape = checked_shape(name, dimensions)
    offsets = (begin, end)
    if not all(isinstance(at, int) and not isinstance(at, bool) and at >= 0 for at in offsets):
        raise ReadError(f"the tensor {name!r} has an impossible place")
    if end - begin != size_bytes(_DTYPES[dtype], math.prod(shape)):
        raise ReadError(f"the tensor {name!r} has a place that is not as large as its shape")
    return Located(
        dtype=_DTYPES[dtype], shape=shape, offset=start + begin, size_bytes=end - begin, path=path
    )


def _require_contiguous(tensors: dict[str, Located], start: int, size: int) -> None:
    """Refuse overlaps, gaps, and values that are not in the file or belong to no tensor."""
    at = start
    places = ((located.offset, located.size_bytes, name) for name, located in tensors.items())
    for offset, length, name in sorted(places):
        if offset != at:
            what = "overlaps another" if offset < at else "leaves a gap before it"
            raise ReadError(f"the tensor {name!r} {what}")
        at += length
    if at != size:
        what = "reach beyond the end of the file" if at > size else "do not fill the file"
        raise ReadError(f"the tensors {what}")


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
