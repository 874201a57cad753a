"""ONNX: a graph of operators as a protocol buffer.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. The file is read
on the wire, not with the package `onnx`, which has every weight in memory twice and does not say
where in the file it is. Weights outside the file are looked for among the model's files only.
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from assent.core.inspection import Danger, Field, Part, Signature, Tensor
from assent.core.scalar import Scalar
from assent.measure.models.cursor import mapped
from assent.measure.models.dtypes import MAX_DIMENSIONS, checked_shape, size_bytes
from assent.measure.models.facts import setting
from assent.measure.models.located import Located
from assent.measure.models.protobuf import Span, Wire, signed
from assent.measure.models.reader import MAX_NAMES, ModelSource, ReadError

FORMAT = "onnx"

MAX_DEPTH = 32
"""The most graphs inside graphs, and types inside types."""

# TensorProto.DataType: the name in signatures, and NumPy's.
_TYPES = {
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
_STANDARD = {
    "": "ai.onnx",
    "ai.onnx": "ai.onnx",
    "ai.onnx.ml": "ai.onnx.ml",
    "ai.onnx.training": "ai.onnx.training",
    "ai.onnx.preview": "ai.onnx.preview",
    "ai.onnx.preview.training": "ai.onnx.preview.training",
    "com.microsoft": "com.microsoft",
    "com.microsoft.nchwc": "com.microsoft.nchwc",
    "com.ms.internal.nhwc": "com.ms.internal.nhwc",
}
"""Domains whose operators ONNX or ONNX Runtime bring themselves."""
_CALLING = {
    "PyOp": "calls Python",
    "PyCustomOp": "calls Python",
    "PythonOp": "calls Python",
    "PythonOpGrad": "calls Python",
    "EPContext": "carries or names a compiled program",
}


class _Weight(NamedTuple):
    tensor: Tensor
    located: Located | None


class _Found:
    """What the walk through all graphs has met."""

    def __init__(self) -> None:
        self.weights: dict[str, _Weight] = {}
        self.repeated: dict[str, int] = {}
        self.operators: dict[tuple[str, str], int] = {}
        self.functions: set[tuple[str, str]] = set()
        self.dangers: dict[Danger, None] = {}
        self.problem: str | None = None
        self.parameters = 0
        self.nodes = 0


def recognizes(source: ModelSource) -> bool:
    """By its suffix: a protocol buffer has no sign of its own."""
    return source.name.lower().endswith(".onnx")


def read(source: ModelSource) -> Part:
    """The graph: weights, inputs and outputs, operators. The values are not looked at."""
    with mapped(source.path) as data:
        return _Model(source, Wire(data)).part()


def locate(source: ModelSource) -> dict[str, Located]:
    """Where the values of each weight lie that is stored as plain bytes."""
    with mapped(source.path) as data:
        model = _Model(source, Wire(data))
        model.part()
    weights = model.found.weights.items()
    return {name: weight.located for name, weight in weights if weight.located is not None}


class _Model:
    """One file, walked once."""

    def __init__(self, source: ModelSource, wire: Wire) -> None:
        self.found = _Found()
        self._source = source
        self._wire = wire
        self._settings: dict[str, Scalar] = {}
        self._versions: dict[str, str] = {}
        self._ir = 0

    def part(self) -> Part:
        graphs: list[tuple[Span, int]] = []
        main: Span | None = None
        functions: list[Span] = []
        producer = ["", ""]
        for number, value in self._wire.fields(self._wire.whole):
            if number == 1 and isinstance(value, int):
                self._ir = value
            elif number in (2, 3):
                producer[number - 2] = self._wire.name(value)
            elif number == 7 and isinstance(value, Span):
                if main is not None:
                    raise ReadError("more than one graph")
                main = value
                graphs.append((value, 0))
            elif isinstance(value, Span):
                if number == 8:
                    self._opset(value)
                elif number == 14:
                    self._metadata(value)
                elif number == 20:
                    graphs += [(graph, 0) for graph in self._training(value)]
                elif number == 25:
                    functions.append(value)
        if main is None:
            raise ReadError("it holds no graph")
        self._versions["ir"] = str(self._ir)
        if producer[0]:
            self._versions[producer[0]] = producer[1]
        for function in functions:
            graphs.append((function, 0))
            self.found.functions.add(self._function(function))
        signature = self._walk(main, graphs, set(functions))
        return self._finished(signature, len(functions))

    def _finished(self, signature: Signature, functions: int) -> Part:
        found = self.found
        self._settings["nodes"] = found.nodes
        if functions:
            self._settings["functions"] = functions
        return Part(
            path=self._source.name,
            format=FORMAT,
            size_bytes=self._source.size_bytes,
            parameters=found.parameters,
            tensors=tuple(found.weights[name].tensor for name in sorted(found.weights)),
            settings=dict(sorted(self._settings.items())),
            versions=dict(sorted(self._versions.items())),
            features=tuple(field.name for field in signature.inputs if not field.is_optional),
            signature=signature,
            dangers=tuple(sorted(found.dangers, key=lambda danger: (danger.what, danger.detail))),
            code=tuple(_custom(found)),
            problem=found.problem,
        )

    def _walk(self, main: Span, graphs: list[tuple[Span, int]], functions: set[Span]) -> Signature:
        """Look at every graph, at those inside nodes too, each byte once for its own level."""
        inputs: list[Field] = []
        outputs: list[Field] = []
        while graphs:
            span, depth = graphs.pop()
            if depth > MAX_DEPTH:
                raise ReadError(f"more than {MAX_DEPTH} graphs inside each other")
            for number, value in self._wire.fields(span):
                if not isinstance(value, Span):
                    continue
                if number == (7 if span in functions else 1):
                    graphs += [(graph, depth + 1) for graph in self._node(value)]
                elif span in functions:
                    if number == 11:
                        graphs += [(graph, depth + 1) for graph in self._attribute(value)]
                elif number == 5:
                    self._weight(value, is_counted=True)
                elif number == 15:
                    self._sparse(value)
                elif span == main and number in (11, 12):
                    fields = inputs if number == 11 else outputs
                    if len(fields) >= MAX_NAMES:
                        raise ReadError(f"more than {MAX_NAMES:,} inputs or outputs")
                    fields.append(self._field(value))
                elif span == main and number == 2:
                    self._settings["graph"] = setting(self._wire.name(value))
        return Signature(inputs=tuple(self._open(inputs)), outputs=tuple(outputs))

    def _open(self, inputs: list[Field]) -> Iterator[Field]:
        """Inputs without those that are only declared because they have a value. Before version 4
        of the format each weight had to be an input; since then a weight that is an input is a
        default.
        """
        for field in inputs:
            if field.name not in self.found.weights:
                yield field
            elif self._ir >= 4:
                yield Field(name=field.name, type=field.type, shape=field.shape, is_optional=True)

    def _opset(self, span: Span) -> None:
        domain, version = "", 0
        for number, value in self._wire.fields(span):
            if number == 1:
                domain = self._wire.name(value)
            elif number == 2 and isinstance(value, int):
                version = signed(value)
        self._set(self._versions, f"opset {_STANDARD.get(domain, domain)}", str(version))

    def _metadata(self, span: Span) -> None:
        key, place = self._wire.pair(span)
        text = "" if place is None else self._wire.content(place, 2**24).decode(errors="replace")
        self._set(self._settings, f"metadata.{key}", setting(text))

    def _set(self, into: dict[str, Scalar] | dict[str, str], key: str, value: Scalar) -> None:
        if len(into) >= MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} settings")
        into[key] = value  # type: ignore[assignment]  # versions get text

    def _training(self, span: Span) -> Iterator[Span]:
        for number, value in self._wire.fields(span):
            if number in (1, 2) and isinstance(value, Span):
                yield value

    def _function(self, span: Span) -> tuple[str, str]:
        name = domain = ""
        for number, value in self._wire.fields(span):
            if number == 1:
                name = self._wire.name(value)
            elif number == 10:
                domain = self._wire.name(value)
        return domain, name

    def _node(self, span: Span) -> Iterator[Span]:
        """Note the operator, and give the graphs inside."""
        self.found.nodes += 1
        operator = domain = ""
        for number, value in self._wire.fields(span):
            if number == 4:
                operator = self._wire.name(value)
            elif number == 7:
                domain = self._wire.name(value)
            elif number == 5 and isinstance(value, Span):
                yield from self._attribute(value)
        counts = self.found.operators
        if len(counts) >= MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} operators")
        counts[domain, operator] = counts.get((domain, operator), 0) + 1
        if operator in _CALLING:
            self._danger(f"operator {operator}", _CALLING[operator])

    def _attribute(self, span: Span) -> Iterator[Span]:
        for number, value in self._wire.fields(span):
            if not isinstance(value, Span):
                continue
            if number in (6, 11):
                yield value
            elif number in (5, 10):
                self._weight(value, is_counted=False)
            elif number in (22, 23):
                for part, tensor in self._wire.fields(value):
                    if part in (1, 2) and isinstance(tensor, Span):
                        self._weight(tensor, is_counted=False)

    def _sparse(self, span: Span) -> None:
        for number, value in self._wire.fields(span):
            if number in (1, 2) and isinstance(value, Span):
                self._weight(value, is_counted=number == 1)

    def _weight(self, span: Span, *, is_counted: bool) -> None:
        """A tensor; constants inside nodes are not counted, but may not reach outside either."""
        name, kind, dimensions, is_external = "", 0, list[int](), False
        raw: Span | None = None
        external: dict[str, str] = {}
        for number, value in self._wire.fields(span):
            if number == 1:
                dimensions += self._wire.numbers(value)
            elif number == 2 and isinstance(value, int):
                kind = value
            elif number == 8:
                name = self._wire.name(value)
            elif number == 9 and isinstance(value, Span):
                raw = value
            elif number == 13 and isinstance(value, Span):
                key, place = self._wire.pair(value)
                external[key] = "" if place is None else self._wire.name(place)
            elif number == 14:
                is_external = value == 1
            if len(dimensions) > MAX_DIMENSIONS or len(external) > 64:
                raise ReadError(f"the tensor {name!r} has an impossible shape or place")
        shape = checked_shape(name, dimensions)
        dtype = _TYPES.get(kind, ("", f"type_{kind}"))[1]
        tensor = Tensor(name=name, dtype=dtype, shape=shape)
        located = None
        if is_external:
            located = self._outside(tensor, external)
        elif raw is not None:
            located = self._placed(tensor, self._source.path, raw.start, raw.end - raw.start)
        if is_counted:
            self._add(tensor, located)

    def _add(self, tensor: Tensor, located: Located | None) -> None:
        weights = self.found.weights
        if len(weights) >= MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} tensors")
        name = tensor.name
        while name in weights:  # graphs inside graphs may use a name again
            located = None
            again = self.found.repeated[tensor.name] = self.found.repeated.get(tensor.name, 1) + 1
            name = f"{tensor.name} ({again})"
        self.found.parameters += math.prod(tensor.shape)
        weights[name] = _Weight(Tensor(name=name, dtype=tensor.dtype, shape=tensor.shape), located)

    def _placed(self, tensor: Tensor, path: Path, offset: int, length: int) -> Located | None:
        try:
            expected = size_bytes(tensor.dtype, math.prod(tensor.shape))
        except KeyError:
            return None
        if expected != length:
            raise ReadError(f"the tensor {tensor.name!r} has not as many values as its shape")
        return Located(
            dtype=tensor.dtype, shape=tensor.shape, offset=offset, size_bytes=length, path=path
        )

    def _outside(self, tensor: Tensor, external: dict[str, str]) -> Located | None:
        """Where a weight of another file lies. A path that is not one of the model's files is
        told, never opened.
        """
        location = external.get("location", "")
        folder = posixpath.dirname(self._source.name)
        named = posixpath.normpath(posixpath.join(folder, location))
        if "\\" in location or posixpath.isabs(location) or named.split("/")[0] == "..":
            self._danger("weights outside the model", f"{location!r:.200}")
            return None
        if named not in self._source.files:
            self.found.problem = f"the file {location!r:.200} with its weights is not there"
            return None
        path = self._source.files[named]
        try:
            offset = int(external.get("offset") or 0)
            expected = size_bytes(tensor.dtype, math.prod(tensor.shape))
            length = int(external.get("length") or expected)
        except (ValueError, KeyError):
            raise ReadError(f"the tensor {tensor.name!r} has an impossible place") from None
        if offset < 0 or length < 0 or offset + length > path.stat().st_size:
            raise ReadError(f"the tensor {tensor.name!r} reaches beyond the end of its file")
        return self._placed(tensor, path, offset, length)

    def _danger(self, what: str, detail: str) -> None:
        if len(self.found.dangers) < 1000:
            self.found.dangers[Danger(what=what, detail=detail)] = None

    def _field(self, span: Span) -> Field:
        name, kind = "", None
        for number, value in self._wire.fields(span):
            if number == 1:
                name = self._wire.name(value)
            elif number == 2 and isinstance(value, Span):
                kind = value
        said, shape = ("", None) if kind is None else self._type(kind, 0)
        optional = said.startswith("optional(")
        return Field(name=name, type=said, shape=shape, is_optional=optional)

    def _type(self, span: Span, depth: int) -> tuple[str, tuple[int | None, ...] | None]:
        """A type as ONNX Runtime spells it, and the shape of a tensor."""
        if depth > MAX_DEPTH:
            raise ReadError(f"more than {MAX_DEPTH} types inside each other")
        for number, value in self._wire.fields(span):
            if not isinstance(value, Span):
                continue
            if number in (1, 8):
                kind, shape = self._tensor_type(value)
                return f"{'tensor' if number == 1 else 'sparse_tensor'}({kind})", shape
            if number in (4, 9):
                inner = next(self._wire.messages(value, 1), None)
                said = "" if inner is None else self._type(inner, depth + 1)[0]
                return f"{'seq' if number == 4 else 'optional'}({said})", None
            if number == 5:
                key = said = ""
                for part, content in self._wire.fields(value):
                    if part == 1 and isinstance(content, int):
                        key = _spelled(content)
                    elif part == 2 and isinstance(content, Span):
                        said = self._type(content, depth + 1)[0]
                return f"map({key},{said})", None
            if number == 7:
                return "opaque", None
        return "", None

    def _tensor_type(self, span: Span) -> tuple[str, tuple[int | None, ...] | None]:
        kind, shape = "", None
        for number, value in self._wire.fields(span):
            if number == 1 and isinstance(value, int):
                kind = _spelled(value)
            elif number == 2 and isinstance(value, Span):
                dimensions = islice(self._wire.messages(value, 1), MAX_DIMENSIONS)
                shape = tuple(self._dimension(one) for one in dimensions)
        return kind, shape

    def _dimension(self, span: Span) -> int | None:
        for number, value in self._wire.fields(span):
            if number == 1 and isinstance(value, int):
                return signed(value) if signed(value) >= 0 else None
        return None


def _spelled(kind: int) -> str:
    return _TYPES.get(kind, (f"type_{kind}", ""))[0]


def _custom(found: _Found) -> Iterator[str]:
    """Operators that somebody must bring as compiled code."""
    for domain, operator in sorted(found.operators):
        if domain not in _STANDARD and (domain, operator) not in found.functions:
            yield f"custom operator {domain}::{operator}"
