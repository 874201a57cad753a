"""Core ML: a model as a protocol buffer (`.mlmodel`), in a package with its weights in a file of
their own (`.mlpackage`).

Field numbers are those of https://github.com/apple/coremltools/tree/main/mlmodel/format (Model,
FeatureTypes, MIL); the file of weights begins each value with the 64 bytes of `StorageFormat.hpp`
of the same repository. Of the kinds of model, ML programs are read, which is what the converters
have written since 2021.
"""

from __future__ import annotations

import hashlib
import math
import posixpath
import struct
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from assent.core.inspection import Field, Part, Signature, Tensor
from assent.core.scalar import Scalar
from assent.measure.models.dtypes import BITS, MAX_DIMENSIONS, checked_shape, size_bytes
from assent.measure.models.facts import few, rest_of, setting
from assent.measure.models.located import Located, Place, Unread
from assent.measure.models.named import NamedTensors
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.wire.cursor import mapped
from assent.measure.models.wire.protobuf import Span, Wire, signed

FORMAT = "coreml"

MAX_DEPTH: Final = 16
"""The most blocks inside blocks."""
_WEIGHTS: Final = "weight.bin"
_SENTINEL: Final = 0xDEADBEEF
_BLOB: Final = struct.Struct("<IIQQ")
_PROGRAM, _CUSTOM = 502, 555
_KINDS: Final = {
    200: "pipeline classifier",
    201: "pipeline regressor",
    202: "pipeline",
    300: "linear regressor",
    301: "support vector regressor",
    302: "tree ensemble regressor",
    303: "neural network regressor",
    304: "Bayesian regressor",
    400: "linear classifier",
    401: "support vector classifier",
    402: "tree ensemble classifier",
    403: "neural network classifier",
    404: "nearest neighbours",
    500: "neural network",
    501: "item similarity recommender",
    _PROGRAM: "ML program",
    _CUSTOM: "custom model",
    556: "linked model",
    560: "one-hot encoder",
    600: "imputer",
    609: "normalizer",
    610: "scaler",
    2000: "Create ML's word tagger or the like",
}
_TYPES: Final = {
    1: "bool",
    2: "string",
    10: "float16",
    11: "float32",
    12: "float64",
    13: "bfloat16",
    21: "int8",
    22: "int16",
    23: "int32",
    24: "int64",
    25: "int4",
    31: "uint8",
    32: "uint16",
    33: "uint32",
    34: "uint64",
    35: "uint4",
    36: "uint2",
}
_ARRAYS: Final = {
    65552: "float16",
    65568: "float32",
    65600: "float64",
    131080: "int8",
    131104: "int32",
}
_FEATURES: Final = {1: "int64", 2: "double", 3: "string", 4: "image", 6: "dictionary"}


def recognizes(source: ModelSource) -> bool:
    """By the suffix; the weights beside one by where they lie in its package."""
    return source.name.lower().endswith(".mlmodel") or _model_of(source) is not None


def read(source: ModelSource) -> Part:
    """The model: weights, inputs and outputs, operations. The values are not looked at."""
    model = _model_of(source)
    if model is not None:
        return Part(
            path=source.name,
            format=FORMAT,
            size_bytes=source.size_bytes,
            settings={"weights of": model},
        )
    with mapped(source.path) as data:
        return _Model(source, Wire(data)).part()


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the values of each weight lie."""
    if _model_of(source) is not None:
        return {}
    with mapped(source.path) as data:
        model = _Model(source, Wire(data))
        model.part()
    return model.weights.places


def _model_of(source: ModelSource) -> str | None:
    """The model whose weights a file is, by the places that the packages give them."""
    path = PurePosixPath(source.name)
    if path.name != _WEIGHTS or path.parent.name != "weights":
        return None
    folder = path.parent.parent
    names = [
        name
        for name in source.files
        if name.endswith(".mlmodel") and PurePosixPath(name).parent == folder
    ]
    return min(names, default=None)


class _Model:
    """One file, walked once."""

    def __init__(self, source: ModelSource, wire: Wire) -> None:
        self.weights = NamedTensors()
        self._source = source
        self._wire = wire
        self._structure, self._rest = hashlib.sha256(), hashlib.sha256()
        self._beside: set[str] = set()
        self._settings: dict[str, Scalar] = {}
        self._operations = 0
        self._problem: str | None = None

    def part(self) -> Part:
        version, kind = 0, ""
        signature: Signature | None = None
        program: Span | None = None
        for number, value in self._wire.fields(self._wire.whole):
            if number == 1 and isinstance(value, int):
                version = value
            elif number == 2 and isinstance(value, Span):
                signature = self._description(value)
            elif number in _KINDS and isinstance(value, Span):
                kind = _KINDS[number]
                program = value if number == _PROGRAM else None
            else:
                self._keep(number, value)
        if not version or not kind:
            raise ReadError("it is no model of Core ML, or of a kind that is not known")
        if program is not None:
            self._program(program)
        return self._finished(version, kind, signature, is_program=program is not None)

    def _finished(
        self, version: int, kind: str, signature: Signature | None, *, is_program: bool
    ) -> Part:
        self._settings["kind"] = kind
        self._settings |= rest_of(self._rest)
        if is_program:
            self._settings["operations"] = self._operations
            self._settings["structure"] = f"sha256:{self._structure.hexdigest()[:16]}"
        return Part(
            path=self._source.name,
            format=FORMAT,
            size_bytes=self._source.size_bytes,
            parameters=self.weights.parameters() if is_program else None,
            counted="all values of its constants" if is_program else None,
            tensors=self.weights.tensors,
            settings=few(self._settings),
            versions={"specification": str(version)},
            features=() if signature is None else tuple(field.name for field in signature.inputs),
            signature=signature,
            code=("custom model",) if kind == _KINDS[_CUSTOM] else (),
            problem=self._problem,
            beside=tuple(sorted(self._beside)),
            left_out=None if is_program else f"what a {kind} has learned",
        )

    def _description(self, span: Span) -> Signature:
        sides: dict[int, list[Field]] = {1: [], 10: []}
        for number, value in self._wire.fields(span):
            if number != 100:
                self._keep(number, value)  # bounds, sizes of images, what a field is described as
            if number in sides and isinstance(value, Span):
                if len(sides[number]) >= MAX_NAMES:
                    raise ReadError(f"more than {MAX_NAMES:,} inputs or outputs")
                sides[number].append(self._field(value))
            elif number == 100 and isinstance(value, Span):
                self._metadata(value)
        return Signature(inputs=tuple(sides[1]), outputs=tuple(sides[10]))

    def _metadata(self, span: Span) -> None:
        names = {1: "description", 2: "version", 3: "author", 4: "license"}
        for number, value in self._wire.fields(span):
            key, place = names.get(number, ""), value
            if number == 100 and isinstance(value, Span):
                key, written = self._wire.pair(value)
                place = Span(0, 0) if written is None else written
            name = f"metadata.{key}"
            if not key or name in self._settings or len(self._settings) >= MAX_NAMES:
                self._keep(number, value)
            else:
                text = self._wire.content(place, 2**20).decode(errors="backslashreplace")
                self._settings[name] = setting(text)

    def _field(self, span: Span) -> Field:
        name, kind, is_optional = "", "", False
        shape: tuple[int | None, ...] | None = None
        for number, value in self._wire.fields(span):
            if number == 1:
                name = self._wire.name(value)
            elif number == 3 and isinstance(value, Span):
                for type_, content in self._wire.fields(value):
                    if type_ == 1000:
                        is_optional = content == 1
                    elif type_ == 5 and isinstance(content, Span):
                        kind, shape = self._array(content)
                    else:
                        kind = kind or _FEATURES.get(type_, f"type_{type_}")
        return Field(name=name, type=kind, shape=shape, is_optional=is_optional)

    def _array(self, span: Span) -> tuple[str, tuple[int | None, ...]]:
        kind, shape = "array", list[int]()
        for number, value in self._wire.fields(span):
            if number == 1 and len(shape) <= MAX_DIMENSIONS:
                shape += self._wire.numbers(value)
            elif number == 2 and isinstance(value, int):
                kind = _ARRAYS.get(value, f"array of type_{value}")
        return kind, tuple(shape[:MAX_DIMENSIONS])

    def _program(self, span: Span) -> None:
        blocks: list[tuple[Span, int]] = []
        for number, value in self._wire.fields(span):
            if number != 2:
                self._keep(number, value)
        for entry in self._wire.messages(span, 2):
            name, function = self._wire.pair(entry)
            self._note(f"function {name}")
            if function is None:
                continue
            for number, value in self._wire.fields(function):
                if number == 3 and isinstance(value, Span):
                    opset, block = self._wire.pair(value)
                    self._note(f"opset {opset}")
                    blocks += [] if block is None else [(block, 0)]
                elif isinstance(value, Span):
                    self._note_bytes(value)
        while blocks:
            block, depth = blocks.pop()
            if depth > MAX_DEPTH:
                raise ReadError(f"more than {MAX_DEPTH} blocks inside each other")
            for number, value in self._wire.fields(block):
                if number == 3 and isinstance(value, Span):
                    blocks += [(inner, depth + 1) for inner in self._operation(value)]
                elif isinstance(value, Span):
                    self._note_bytes(value)

    def _operation(self, span: Span) -> Iterator[Span]:
        """Note an operation and its weights, and give the blocks inside."""
        self._operations += 1
        kind, name = "", ""
        parts: list[str] = []
        attributes: list[Span] = []
        for number, value in self._wire.fields(span):
            if not isinstance(value, Span):
                continue
            if number == 5:
                if len(attributes) >= MAX_NAMES:
                    raise ReadError(f"more than {MAX_NAMES:,} attributes of one operation")
                attributes.append(value)
                continue
            if number == 4:
                yield value
                continue
            parts.append(self._digest(value))
            if number == 1:
                kind = self._wire.name(value)
            elif number == 3 and not name:
                name = next(iter(self._names(value)), "")
        for entry in attributes:
            key, content = self._wire.pair(entry)
            whole = name if key == "val" else f"{name}.{key}"
            if content is None or not self._weight(content, whole):
                parts.append(self._digest(entry))
            else:
                parts.append(f"{kind} {key}")
        self._note(" ".join(sorted(parts)))  # maps are written in any order

    def _names(self, span: Span) -> Iterator[str]:
        for number, value in self._wire.fields(span):
            if number == 1:
                yield self._wire.name(value)

    def _weight(self, span: Span, name: str) -> bool:
        """Note a value that is a tensor of numbers, and say whether it is one."""
        type_: Span | None = None
        immediate: Span | None = None
        blob: Span | None = None
        for number, value in self._wire.fields(span):
            if isinstance(value, Span):
                type_ = value if number == 2 else type_
                immediate = value if number == 3 else immediate
                blob = value if number == 5 else blob
                if number not in (2, 3, 5):
                    self._keep(number, value)
        tensor = None if type_ is None else self._tensor(type_, name)
        if tensor is None:
            return False
        if blob is not None:
            self.weights.add(tensor, self._outside(tensor, blob))
            return True
        place = None if immediate is None else self._inside(tensor, immediate)
        if place is None:
            return False
        self.weights.add(tensor, place)
        return True

    def _tensor(self, span: Span, name: str) -> Tensor | None:
        inner = next(self._wire.messages(span, 1), None)
        if inner is None:
            return None
        kind, dimensions = 0, list[int]()
        for number, value in self._wire.fields(inner):
            if number == 1 and isinstance(value, int):
                kind = value
            elif number == 3 and isinstance(value, Span):
                if len(dimensions) > MAX_DIMENSIONS:
                    raise ReadError(f"the tensor {name!r} has an impossible shape")
                dimensions.append(self._size(value))
            else:
                self._keep(number, value)
        self._note(f"{kind} {dimensions}")
        shape = checked_shape(name, dimensions)
        return Tensor(name=name, dtype=_TYPES.get(kind, f"type_{kind}"), shape=shape)

    def _size(self, span: Span) -> int:
        for constant in self._wire.messages(span, 1):
            for number, value in self._wire.fields(constant):
                if number == 1 and isinstance(value, int):
                    return signed(value)
        return 0

    def _inside(self, tensor: Tensor, span: Span) -> Place | None:
        """Where floats lie that are in the file itself; None for what is no tensor of them."""
        values = next(self._wire.messages(span, 1), None)
        if values is None or tensor.dtype not in BITS or not tensor.dtype.startswith("float"):
            return None
        for number, value in self._wire.fields(values):
            if not isinstance(value, Span) or number not in (1, 6, 7):
                continue
            messages = list(self._wire.messages(value, 1))
            length = messages[0].end - messages[0].start if len(messages) == 1 else 0
            if length and length == size_bytes(tensor.dtype, math.prod(tensor.shape)):
                return self._at(tensor, messages[0].start, length)
        return None

    def _at(self, tensor: Tensor, offset: int, length: int) -> Located:
        return Located(
            dtype=tensor.dtype,
            shape=tensor.shape,
            offset=offset,
            size_bytes=length,
            path=self._source.path,
        )

    def _outside(self, tensor: Tensor, span: Span) -> Place:
        """Where values of the package's file of weights lie."""
        name, offset = "", 0
        for number, value in self._wire.fields(span):
            if number == 1:
                name = self._wire.name(value)
            elif number == 2 and isinstance(value, int):
                offset = value
        folder = posixpath.dirname(self._source.name)
        named = posixpath.normpath(posixpath.join(folder, name.removeprefix("@model_path/")))
        if named not in self._source.files:
            self._problem = f"the file {name!r:.200} with its weights is not there"
            return Unread(shape=tensor.shape, why="the file with its values is not there")
        self._beside.add(named)
        path = self._source.files[named]
        size = path.stat().st_size
        # Not every file system seeks as far as a file can claim: the offset is checked first.
        if offset > size - _BLOB.size:
            raise ReadError(f"the tensor {tensor.name!r} reaches beyond the end of its file")
        with path.open("rb") as file:
            file.seek(offset)
            sentinel, _, length, start = _BLOB.unpack(file.read(_BLOB.size))
        if sentinel != _SENTINEL or start + length > size:
            raise ReadError(f"the tensor {tensor.name!r} has an impossible place")
        if tensor.dtype not in BITS:
            return Unread(shape=tensor.shape, why=f"values of the type {tensor.dtype} are not read")
        if length != size_bytes(tensor.dtype, math.prod(tensor.shape)):
            raise ReadError(f"the tensor {tensor.name!r} has not as many values as its shape")
        return Located(
            dtype=tensor.dtype, shape=tensor.shape, offset=start, size_bytes=length, path=path
        )

    def _keep(self, number: int, value: int | Span) -> None:
        """A field that is compared with all others that are told in no other way."""
        self._wire.digest(number, value, self._rest)

    def _note(self, line: str) -> None:
        self._structure.update(f"{line}\n".encode())

    def _note_bytes(self, span: Span) -> None:
        self._note(self._digest(span))

    def _digest(self, span: Span) -> str:
        return hashlib.sha256(self._wire.content(span, 2**26)).hexdigest()


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
