"""The values in an ONNX file: tensors, and numbers that are attributes of operators.

A model can keep its weights in initializers, in operators `Constant`, or (the operators of
`ai.onnx.ml`, which scikit-learn's converter writes) in lists of numbers of any operator. Field
numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import hashlib
import math
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from assent.core.inspection import Danger, Tensor
from assent.measure.models.dtypes import BITS, MAX_DIMENSIONS, checked_shape, size_bytes
from assent.measure.models.located import Located, Place, Unread
from assent.measure.models.reader import MAX_NAMES, ModelSource, ReadError
from assent.measure.models.wire.protobuf import Span, Wire

MAX_HELD = 1_000_000
"""The most values of one file that are spelled one by one and read all the same."""

# TensorProto.DataType: the name in signatures, and NumPy's.
TYPES = {
    1: ("float", "float32"),
    2: ("uint8", "uint8"),
    3: ("int8", "int8"),
    4: ("uint16", "uint16"),
    5: ("int16", "int16"),
    6: ("int32", "int32"),
    7: ("int64", "int64"),
    8: ("string", "string"),
    9: ("bool", "bool"),
    10: ("float16", "float16"),
    11: ("double", "float64"),
    12: ("uint32", "uint32"),
    13: ("uint64", "uint64"),
    14: ("complex64", "complex64"),
    15: ("complex128", "complex128"),
    16: ("bfloat16", "bfloat16"),
    17: ("float8e4m3fn", "float8_e4m3fn"),
    18: ("float8e4m3fnuz", "float8_e4m3fnuz"),
    19: ("float8e5m2", "float8_e5m2"),
    20: ("float8e5m2fnuz", "float8_e5m2fnuz"),
    21: ("uint4", "uint4"),
    22: ("int4", "int4"),
    23: ("float4e2m1", "float4_e2m1fn"),
    24: ("float8e8m0", "float8_e8m0fnu"),
    25: ("uint2", "uint2"),
    26: ("int2", "int2"),
    27: ("float6e2m3", "float6_e2m3fn"),
    28: ("float6e3m2", "float6_e3m2fn"),
}
_FIXED = {4: "float32", 10: "float64"}
"""The fields whose numbers lie side by side as they are, and what they are."""
_ONE_BY_ONE = (5, 7, 11)
"""The fields whose numbers are of varying length."""
_WORDS = 6
"""The field of texts, which are values that are not read."""
_PLACE = frozenset({"location", "offset", "length"})
"""Where values lie in another file: no difference."""


class Weight(NamedTuple):
    """A tensor, and where its values are."""

    tensor: Tensor
    place: Place


class _Spelled(NamedTuple):
    """A TensorProto field by field."""

    name: str
    kind: int
    dimensions: list[int]
    raw: Span | None
    numbers: dict[int, list[int | Span]]
    external: dict[str, str]
    is_external: bool


class Tensors:
    """The tensors of one file, as the walk through its graphs meets them."""

    def __init__(self, source: ModelSource, wire: Wire) -> None:
        self.weights: dict[str, Weight] = {}
        self.rest = hashlib.sha256()  # of what is said of tensors, and of all else, and not told
        self.dangers: dict[Danger, None] = {}
        self.initializers: set[str] = set()
        self.beside: set[str] = set()
        self.parameters = 0
        self.problem: str | None = None
        self._repeated: dict[str, int] = {}
        self._held = 0
        self._source = source
        self._wire = wire

    def initializer(self, span: Span) -> None:
        """A tensor of a graph."""
        self.initializers.add(self.tensor(span))

    def tensor(self, span: Span, name: str = "", *, is_counted: bool = True) -> str:
        """A TensorProto, by the name it has or the one that is given. Says its name."""
        spelled = self._spelled(span)
        dtype = TYPES.get(spelled.kind, ("", f"type_{spelled.kind}"))[1]
        shape = checked_shape(spelled.name, spelled.dimensions)
        tensor = Tensor(name=name or spelled.name, dtype=dtype, shape=shape)
        self._add(tensor, self._place(tensor, spelled), is_counted=is_counted)
        return tensor.name

    def sparse(self, span: Span, name: str = "") -> None:
        """A SparseTensorProto: its values are counted, their places only compared."""
        parts: dict[int, Span] = {
            number: value
            for number, value in self._wire.fields(span)
            if number in (1, 2) and isinstance(value, Span)
        }
        if 1 in parts:
            name = self.tensor(parts[1], name)
            self.initializers.add(name)
        if 2 in parts:
            self.tensor(parts[2], f"{name} (places)", is_counted=False)
        for number, value in self._wire.fields(span):
            if number not in parts:
                self._wire.digest(number, value, self.rest)

    def floats(self, values: list[int | Span], name: str) -> None:
        """A list of floats that is an attribute."""
        place, count = self._fixed(values, "float32")
        self._add(Tensor(name=name, dtype="float32", shape=(count,)), place)

    def integers(self, values: list[int | Span], name: str, *, is_counted: bool) -> None:
        """A list of integers that is an attribute."""
        place, count = self._one_by_one(values, "int64", None)
        self._add(Tensor(name=name, dtype="int64", shape=(count,)), place, is_counted=is_counted)

    def _spelled(self, span: Span) -> _Spelled:
        name, kind, dimensions, is_external = "", 0, list[int](), False
        raw: Span | None = None
        external: dict[str, str] = {}
        numbers: dict[int, list[int | Span]] = {}
        for number, value in self._wire.fields(span):
            if number == 1:
                dimensions += self._wire.numbers(value)
            elif number == 2 and isinstance(value, int):
                kind = value
            elif number in (*_FIXED, *_ONE_BY_ONE):
                self._keep(numbers.setdefault(number, []), value)
            elif number == 8:
                name = self._wire.name(value)
            elif number == 9 and isinstance(value, Span):
                raw = value
            elif number == 13 and isinstance(value, Span):
                key, place = self._wire.pair(value)
                external[key] = "" if place is None else self._wire.name(place)
                if key not in _PLACE:
                    self.rest.update(f"{key} {external[key]}\n".encode(errors="backslashreplace"))
            elif number == 14:
                is_external = value == 1
            elif number != _WORDS:
                self._wire.digest(number, value, self.rest)
            if len(dimensions) > MAX_DIMENSIONS or len(external) > 64:
                raise ReadError(f"the tensor {name!r} has an impossible shape or place")
        return _Spelled(name, kind, dimensions, raw, numbers, external, is_external)

    def _keep(self, values: list[int | Span], value: int | Span) -> None:
        if len(values) <= MAX_HELD:  # one more than is read says that there are too many
            values.append(value)

    def _place(self, tensor: Tensor, spelled: _Spelled) -> Place:
        if spelled.is_external:
            return self._outside(tensor, spelled.external)
        if spelled.raw is not None:
            start, end = spelled.raw
            return self._placed(tensor, self._source.path, start, end - start)
        count = math.prod(tensor.shape)
        for field, dtype in _FIXED.items():
            if field in spelled.numbers and tensor.dtype == dtype:
                place, held = self._fixed(spelled.numbers[field], dtype, tensor.shape)
                self._require(tensor, held, count)
                return place
        for field in _ONE_BY_ONE:
            if field in spelled.numbers and BITS.get(tensor.dtype, 0) % 8 == 0:
                values = spelled.numbers[field]
                place, held = self._one_by_one(values, tensor.dtype, tensor.shape)
                if isinstance(place, Located):
                    self._require(tensor, held, count)
                return place
        return Unread(shape=tensor.shape, why=f"values of the type {tensor.dtype} are not read")

    def _require(self, tensor: Tensor, held: int, count: int) -> None:
        if held != count:
            raise ReadError(f"the tensor {tensor.name!r} has not as many values as its shape")

    def _fixed(
        self, values: list[int | Span], dtype: str, shape: tuple[int, ...] | None = None
    ) -> tuple[Place, int]:
        """Numbers of four or eight bytes, in one piece or one by one; and how many they are."""
        width = BITS[dtype] // 8
        spans = [value for value in values if isinstance(value, Span)]
        size = sum(end - start for start, end in spans)
        shape = (size // width,) if shape is None else shape
        if len(spans) == 1 and size % width == 0:
            return self._at(dtype, shape, spans[0].start, size), size // width
        if len(spans) != len(values) or size % width:
            raise ReadError("a list of numbers that are none")
        if not self._takes(size // width):
            return Unread(shape=shape, why=_TOO_MANY), size // width
        held = b"".join(self._wire.content(span, size) for span in spans)
        return self._holding(dtype, shape, held), size // width

    def _one_by_one(
        self, values: list[int | Span], dtype: str, shape: tuple[int, ...] | None
    ) -> tuple[Place, int]:
        """Numbers of varying length; and how many they are. A float of 16 bits or fewer is spelled
        as the number that its bits are.
        """
        at_least = sum(1 if isinstance(value, int) else 0 for value in values)
        size = sum(value.end - value.start for value in values if isinstance(value, Span))
        if not self._takes(at_least + size // 10):
            count = at_least + size if shape is None else math.prod(shape)
            return Unread(shape=shape or (count,), why=_TOO_MANY), count
        numbers = [number for value in values for number in self._wire.numbers(value)]
        self._held += max(0, len(numbers) - at_least - size // 10)
        width = BITS[dtype] // 8
        mask = (1 << (8 * width)) - 1
        held = b"".join((number & mask).to_bytes(width, "little") for number in numbers)
        return self._holding(dtype, shape or (len(numbers),), held), len(numbers)

    def _takes(self, count: int) -> bool:
        """Whether so many values more may be held; then they are."""
        if self._held + count > MAX_HELD:
            return False
        self._held += count
        return True

    def _at(self, dtype: str, shape: tuple[int, ...], offset: int, size: int) -> Located:
        return Located(
            dtype=dtype, shape=shape, offset=offset, size_bytes=size, path=self._source.path
        )

    def _holding(self, dtype: str, shape: tuple[int, ...], held: bytes) -> Located:
        return Located(
            dtype=dtype,
            shape=shape,
            offset=0,
            size_bytes=len(held),
            path=self._source.path,
            held=held,
        )

    def _add(self, tensor: Tensor, place: Place, *, is_counted: bool = True) -> None:
        weights = self.weights
        if len(weights) >= MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} tensors")
        name = tensor.name
        while name in weights:  # graphs inside graphs may use a name again
            place = Unread(shape=tensor.shape, why="its name is used more than once")
            again = self._repeated[tensor.name] = self._repeated.get(tensor.name, 1) + 1
            name = f"{tensor.name} ({again})"
        if is_counted:
            self.parameters += math.prod(tensor.shape)
        weights[name] = Weight(Tensor(name=name, dtype=tensor.dtype, shape=tensor.shape), place)

    def _placed(self, tensor: Tensor, path: Path, offset: int, length: int) -> Place:
        try:
            expected = size_bytes(tensor.dtype, math.prod(tensor.shape))
        except KeyError:
            why = f"values of the type {tensor.dtype} are not read"
            return Unread(shape=tensor.shape, why=why)
        if expected != length:
            raise ReadError(f"the tensor {tensor.name!r} has not as many values as its shape")
        return Located(
            dtype=tensor.dtype, shape=tensor.shape, offset=offset, size_bytes=length, path=path
        )

    def _outside(self, tensor: Tensor, external: dict[str, str]) -> Place:
        """Where a weight of another file lies. A path that is not one of the model's files is
        told, never opened.
        """
        location = external.get("location", "")
        folder = posixpath.dirname(self._source.name)
        named = posixpath.normpath(posixpath.join(folder, location))
        if "\\" in location or posixpath.isabs(location) or named.split("/")[0] == "..":
            self.danger("weights outside the model", f"{location!r:.200}")
            return Unread(shape=tensor.shape, why="its values are outside the model")
        if named not in self._source.files:
            self.problem = f"the file {location!r:.200} with its weights is not there"
            return Unread(shape=tensor.shape, why="the file with its values is not there")
        path = self._source.files[named]
        self.beside.add(named)
        try:
            offset = int(external.get("offset") or 0)
            expected = size_bytes(tensor.dtype, math.prod(tensor.shape))
            length = int(external.get("length") or expected)
        except (ValueError, KeyError):
            raise ReadError(f"the tensor {tensor.name!r} has an impossible place") from None
        if offset < 0 or length < 0 or offset + length > path.stat().st_size:
            raise ReadError(f"the tensor {tensor.name!r} reaches beyond the end of its file")
        return self._placed(tensor, path, offset, length)

    def danger(self, what: str, detail: str) -> None:
        """Note a danger, once."""
        if len(self.dangers) < 1000:
            self.dangers[Danger(what=what, detail=detail)] = None


_TOO_MANY = f"more than {MAX_HELD:,} values that are spelled one by one"


def few(values: Iterable[int | Span], limit: int) -> bool:
    """Whether a list of numbers is short: one that says how an operator works, not what it has
    learned.
    """
    return (
        sum(1 if isinstance(value, int) else value.end - value.start for value in values) <= limit
    )
