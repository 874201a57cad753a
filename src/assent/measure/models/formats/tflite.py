"""TensorFlow Lite (LiteRT): a graph and its weights as a FlatBuffer, for phones.

Field numbers are those of `tensorflow/compiler/mlir/lite/schema/schema.fbs`. The package `tflite`
reads the same, but follows every offset and believes every count.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from assent.core.inspection import Field, Part, Signature, Tensor
from assent.measure.flatbuffer import Table, root
from assent.measure.models.dtypes import BITS, checked_shape, size_bytes
from assent.measure.models.facts import setting
from assent.measure.models.located import Located, Place, Unread
from assent.measure.models.named import NamedTensors
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.texts import short_name
from assent.measure.models.wire.cursor import mapped

FORMAT = "tflite"

_SIGN: Final = b"TFL3"
_TYPES: Final = dict(
    enumerate(
        (
            *("float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16"),
            *("complex64", "int8", "float64", "complex128", "uint64", "resource", "variant"),
            *("uint32", "uint16", "int4", "bfloat16", "int2"),
        )
    )
)
# Fields of the tables.
_VERSION, _CODES, _GRAPHS, _DESCRIPTION, _BUFFERS, _SIGNATURES = 0, 1, 2, 3, 4, 7
_TENSORS, _INPUTS, _OUTPUTS, _OPERATORS = 0, 1, 2, 3
_SHAPE, _TYPE, _BUFFER, _NAME, _QUANTIZATION, _FREE_SHAPE = 0, 1, 2, 3, 4, 7
_MAX_OPTIONS = 1 << 20


class _File(NamedTuple):
    part: Part
    places: dict[str, Place]


def recognizes(source: ModelSource) -> bool:
    """By the four letters behind the first offset, or by the suffix."""
    return source.head[4:8] == _SIGN or source.name.lower().endswith(".tflite")


def read(source: ModelSource) -> Part:
    """The graph: weights, inputs and outputs, operators. The values are not looked at."""
    return _read(source).part


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the values of each weight lie."""
    return _read(source).places


def _read(source: ModelSource) -> _File:
    if source.head[4:8] != _SIGN:
        raise ReadError("it does not begin as TensorFlow Lite does")
    with mapped(source.path) as data:
        return _Model(source, root(data, 0, source.size_bytes)).file()


class _Model:
    """One file, walked once."""

    def __init__(self, source: ModelSource, model: Table) -> None:
        self._source = source
        self._model = model
        self._buffers = list(model.tables(_BUFFERS))
        self._weights = NamedTensors()
        self._structure = hashlib.sha256()
        self._operators = 0

    def file(self) -> _File:
        custom = sorted(set(self._custom()))
        signature: Signature | None = None
        for number, graph in enumerate(self._model.tables(_GRAPHS)):
            tensors = list(graph.tables(_TENSORS))
            for tensor in tensors:
                self._tensor(tensor, number)
            if signature is None:
                signature = self._signature(graph, tensors)
            for operator in graph.tables(_OPERATORS):
                self._operator(operator)
        part = Part(
            path=self._source.name,
            format=FORMAT,
            size_bytes=self._source.size_bytes,
            parameters=self._weights.parameters(but=_QUANTIZERS),
            counted="all values of constant tensors, quantised ones too",
            tensors=self._weights.tensors,
            settings={
                "description": setting(self._model.text(_DESCRIPTION) or ""),
                "nodes": self._operators,
                "structure": f"sha256:{self._structure.hexdigest()[:16]}",
            },
            versions={"schema": str(self._model.integer(_VERSION, 0))},
            signature=signature,
            features=() if signature is None else tuple(field.name for field in signature.inputs),
            code=tuple(custom),
            left_out="lists among the options of its operators, what it says of tensors beside "
            "their shapes, and its metadata",
        )
        return _File(part, self._weights.places)

    def _custom(self) -> Iterator[str]:
        """Operators that somebody must bring as compiled code; the list of all belongs to the
        structure.
        """
        for code in self._model.tables(_CODES):
            custom = code.text(1)
            builtin = code.integer(3, 0) or code.byte(0)
            self._structure.update(f"{builtin} {code.integer(2, 1)} {custom!r}\n".encode())
            if custom is not None:
                yield f"custom operator {custom[:200]}"

    def _operator(self, operator: Table) -> None:
        self._operators += 1
        inputs, outputs = (operator.numbers(field, "i") for field in (1, 2))
        line = f"{operator.integer(0, 0)} {inputs.tolist()} {outputs.tolist()} {operator.byte(3)}"
        self._structure.update(line.encode())
        options = operator.table(4)
        if options is not None:
            self._structure.update(options.plain())
        place, count = operator.items(5, 1)
        if count > _MAX_OPTIONS:
            raise ReadError(f"options of {count:,} bytes")
        if count:
            self._structure.update(operator.content(place, count))

    def _tensor(self, table: Table, graph: int) -> None:
        name = short_name(table.text(_NAME) or "")
        kind = _TYPES.get(table.byte(_TYPE), f"type_{table.byte(_TYPE)}")
        shape = self._shape(table, name)
        self._structure.update(f"{graph} {name!r} {kind} {shape}\n".encode())
        number = table.integer(_BUFFER, 0)
        if not 0 <= number < len(self._buffers):
            raise ReadError(f"the tensor {name!r} has a buffer that is not there")
        place, size = self._buffer(self._buffers[number])
        if not number or not size:
            return  # it gets its values when the model runs
        named = self._add(Tensor(name=name, dtype=kind, shape=shape), place, size)
        quantization = table.table(_QUANTIZATION)
        if quantization is not None:
            self._quantizers(quantization, named)

    def _shape(self, table: Table, name: str) -> tuple[int, ...]:
        return checked_shape(name, table.numbers(_SHAPE, "i").tolist())

    def _buffer(self, buffer: Table) -> tuple[int, int]:
        """Where the bytes of a buffer are. Of files of more than 2 GiB they lie behind the rest."""
        place, size = buffer.items(0, 1)
        offset, length = buffer.long(1), buffer.long(2)
        if size or offset <= 1:
            return place, size
        if offset + length > self._source.size_bytes:
            raise ReadError("a buffer that is not in the file")
        return offset, length

    def _quantizers(self, quantization: Table, name: str) -> None:
        """The scales and zero points of a weight are values of their own: without them the whole
        numbers say nothing.
        """
        for field, dtype, word in ((2, "float32", _SCALE), (3, "int64", _ZERO)):
            place, count = quantization.items(field, BITS[dtype] // 8)
            if count:
                tensor = Tensor(name=f"{name}{word}", dtype=dtype, shape=(count,))
                self._add(tensor, place, count * BITS[dtype] // 8)

    def _add(self, tensor: Tensor, offset: int, size: int) -> str:
        """Keep a weight, and give the name that it has."""
        return self._weights.add(tensor, self._place(tensor, offset, size))

    def _place(self, tensor: Tensor, offset: int, size: int) -> Place:
        if tensor.dtype not in BITS:
            return Unread(shape=tensor.shape, why=f"values of the type {tensor.dtype} are not read")
        if size != size_bytes(tensor.dtype, math.prod(tensor.shape)):
            return Unread(shape=tensor.shape, why="it is sparse, or packed in another way")
        return Located(
            dtype=tensor.dtype,
            shape=tensor.shape,
            offset=offset,
            size_bytes=size,
            path=self._source.path,
        )

    def _signature(self, graph: Table, tensors: list[Table]) -> Signature:
        """What the first graph takes and gives, by the names of a signature if there is one."""
        names: list[dict[int, str]] = [{}, {}]
        for signature in self._model.tables(_SIGNATURES):
            if signature.integer(4, 0) != 0 or names[0] or names[1]:
                continue
            for side in (0, 1):
                for tensor in signature.tables(side):
                    names[side][tensor.integer(1, 0)] = (tensor.text(0) or "")[:200]
        sides = []
        for side, field in enumerate((_INPUTS, _OUTPUTS)):
            places = graph.numbers(field, "i")
            if any(not 0 <= at < len(tensors) for at in places) or len(places) > MAX_NAMES:
                raise ReadError("an input or output that is not there")
            sides.append(tuple(self._field(tensors[at], names[side].get(at)) for at in places))
        return Signature(inputs=sides[0], outputs=sides[1])

    def _field(self, table: Table, name: str | None) -> Field:
        free = table.numbers(_FREE_SHAPE, "i").tolist() or table.numbers(_SHAPE, "i").tolist()
        kind = table.byte(_TYPE)
        return Field(
            name=name or (table.text(_NAME) or "")[:200],
            type=_TYPES.get(kind, f"type_{kind}"),
            shape=tuple(None if size < 0 else size for size in free[:64]),
        )


_SCALE, _ZERO = " (scale)", " (zero point)"
_QUANTIZERS = (_SCALE, _ZERO)


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
