"""ONNX: a graph of operators as a protocol buffer.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. The file is read
on the wire, not with the package `onnx`, which has every weight in memory twice and does not say
where in the file it is. Weights outside the file are looked for among the model's files only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from assent.core.inspection import Field, Part, Signature
from assent.core.scalar import Scalar
from assent.measure.models.dtypes import MAX_DIMENSIONS
from assent.measure.models.facts import rest_of, setting
from assent.measure.models.formats.onnx_tensors import TYPES, Tensors, few
from assent.measure.models.located import Place
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.wire.cursor import mapped
from assent.measure.models.wire.protobuf import Span, Wire, signed

FORMAT = "onnx"

MAX_DEPTH = 32
"""The most graphs inside graphs, and types inside types."""

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
# Fields of an attribute: one value or several, of each kind.
_GRAPHS, _SPARSE, _FLOATS = (6, 11), (22, 23), (2, 7)
_VALUES = (*_GRAPHS, *_SPARSE, 5, 10)
_MANY = (7, 8)
# Fields that are told wholly: of a model, of a graph, and of a function.
_MODEL = frozenset({1, 2, 3, 7, 8, 14, 20, 25})
_GRAPH = frozenset({1, 5, 15})
_FUNCTION = frozenset({7, 11})
_LISTS = (*_FLOATS, 3, 8)
_FEW = 256
"""Bytes of a list of numbers that says how an operator works: steps, axes, sizes."""
_CALLING = {
    "PyOp": "calls Python",
    "PyCustomOp": "calls Python",
    "PythonOp": "calls Python",
    "PythonOpGrad": "calls Python",
    "EPContext": "carries or names a compiled program",
}


class _Node(NamedTuple):
    """What a node says of itself."""

    operator: str
    domain: str
    name: str
    attributes: list[Span]

    def holds_weights(self, *, is_list: bool) -> bool:
        """Whether its numbers are what was learned, not how it works."""
        return self.operator == "Constant" or (is_list and self.domain == "ai.onnx.ml")


class _Found:
    """What the walk through all graphs has met. `structure` is of every node with its attributes,
    the weights left out.
    """

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors
        self.operators: dict[tuple[str, str], int] = {}
        self.functions: set[tuple[str, str]] = set()
        self.structure = hashlib.sha256()
        self.nodes = 0


def recognizes(source: ModelSource) -> bool:
    """By its suffix: a protocol buffer has no sign of its own."""
    return source.name.lower().endswith(".onnx")


def read(source: ModelSource) -> Part:
    """The graph: weights, inputs and outputs, operators. The values are not looked at."""
    with mapped(source.path) as data:
        return _Model(source, Wire(data)).part()


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the values of each weight lie."""
    with mapped(source.path) as data:
        model = _Model(source, Wire(data))
        model.part()
    return {name: weight.place for name, weight in model.found.tensors.weights.items()}


class _Model:
    """One file, walked once."""

    def __init__(self, source: ModelSource, wire: Wire) -> None:
        self.found = _Found(Tensors(source, wire))
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
            elif number not in _MODEL:
                self._keep(number, value)
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
        content = self.found
        weights, dangers = content.tensors.weights, content.tensors.dangers
        self._settings["nodes"] = content.nodes
        self._settings["structure"] = f"sha256:{content.structure.hexdigest()[:16]}"
        self._settings |= rest_of(content.tensors.rest)
        if functions:
            self._settings["functions"] = functions
        return Part(
            path=self._source.name,
            format=FORMAT,
            size_bytes=self._source.size_bytes,
            parameters=content.tensors.parameters,
            counted="all values of initializers, constants and lists of numbers in operators",
            tensors=tuple(weights[name].tensor for name in sorted(weights)),
            settings=dict(sorted(self._settings.items())),
            versions=dict(sorted(self._versions.items())),
            features=tuple(field.name for field in signature.inputs if not field.is_optional),
            signature=signature,
            dangers=tuple(sorted(dangers, key=lambda danger: (danger.what, danger.detail))),
            code=tuple(_custom(content)),
            problem=content.tensors.problem,
            beside=tuple(sorted(content.tensors.beside)),
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
                    self._keep(number, value)
                    continue
                if number not in (_FUNCTION if span in functions else _GRAPH):
                    self._keep(number, value)
                if number == (7 if span in functions else 1):
                    graphs += [(graph, depth + 1) for graph in self._node(value)]
                elif span in functions:
                    if number == 11:
                        default = _Node("", "", "default", [])
                        graphs += [(graph, depth + 1) for graph in self._attribute(default, value)]
                elif number == 5:
                    self.found.tensors.initializer(value)
                elif number == 15:
                    self.found.tensors.sparse(value)
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
            if field.name not in self.found.tensors.initializers:
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
        if f"metadata.{key}" in self._settings:
            self._keep(14, span)
            return
        text = (
            ""
            if place is None
            else self._wire.content(place, 2**24).decode(errors="backslashreplace")
        )
        self._set(self._settings, f"metadata.{key}", setting(text))

    def _set(self, into: dict[str, Scalar] | dict[str, str], key: str, value: Scalar) -> None:
        if len(into) >= MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} settings")
        into[key] = value  # type: ignore[assignment]  # versions get text

    def _training(self, span: Span) -> Iterator[Span]:
        for number, value in self._wire.fields(span):
            if number in (1, 2) and isinstance(value, Span):
                yield value
            else:
                self._keep(number, value)

    def _function(self, span: Span) -> tuple[str, str]:
        name = domain = ""
        for number, value in self._wire.fields(span):
            if number == 1:
                name = self._wire.name(value)
            elif number == 10:
                domain = self._wire.name(value)
        return domain, name

    def _node(self, span: Span) -> Iterator[Span]:
        """Note the operator and its weights, and give the graphs inside."""
        self.found.nodes += 1
        operator = domain = name = ""
        attributes: list[Span] = []
        for number, value in self._wire.fields(span):
            if number == 5 and isinstance(value, Span):
                if len(attributes) >= MAX_NAMES:
                    raise ReadError(f"more than {MAX_NAMES:,} attributes of one operator")
                attributes.append(value)
                continue
            self._note(number, value)
            if number == 2 and not name:
                name = self._wire.name(value)
            elif number == 4:
                operator = self._wire.name(value)
            elif number == 7:
                domain = self._wire.name(value)
        counts = self.found.operators
        if len(counts) >= MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} operators")
        counts[domain, operator] = counts.get((domain, operator), 0) + 1
        if operator in _CALLING:
            self.found.tensors.danger(f"operator {operator}", _CALLING[operator])
        node = _Node(operator, domain, name, attributes)
        for attribute in node.attributes:
            yield from self._attribute(node, attribute)

    def _attribute(self, node: _Node, span: Span) -> Iterator[Span]:
        """The weights of an attribute, and the graphs inside; the rest belongs to the structure."""
        tensors = self.found.tensors
        name, values = "", list[tuple[int, Span]]()
        lists: dict[int, list[int | Span]] = {}
        for number, value in self._wire.fields(span):
            if number == 1:
                name = self._wire.name(value)
            if number in _LISTS and len(lists.setdefault(number, [])) <= MAX_NAMES * 10:
                lists[number].append(value)
            elif isinstance(value, Span) and number in _VALUES:
                if len(values) > MAX_NAMES:
                    raise ReadError(f"more than {MAX_NAMES:,} tensors in one attribute")
                values.append((number, value))
            else:
                self._note(number, value)
        whole = node.name if node.operator == "Constant" else f"{node.name}.{name}"
        for at, (number, value) in enumerate(values):
            named = whole if len(values) == 1 else f"{whole}[{at}]"
            if number in _GRAPHS:
                yield value
            elif number in _SPARSE:
                tensors.sparse(value, named)
            else:
                tensors.tensor(value, named)
        for number, elements in lists.items():
            if not node.holds_weights(is_list=number in _MANY) and few(elements, _FEW):
                for element in elements:
                    self._note(number, element)
            elif number in _FLOATS:
                tensors.floats(elements, whole)
            else:
                tensors.integers(elements, whole, is_counted=node.operator == "Constant")

    def _note(self, number: int, value: int | Span) -> None:
        """A field that belongs to the structure."""
        self._wire.digest(number, value, self.found.structure)

    def _keep(self, number: int, value: int | Span) -> None:
        """A field that is compared with all others that are told in no other way."""
        self._wire.digest(number, value, self.found.tensors.rest)

    def _field(self, span: Span) -> Field:
        name, kind = "", None
        for number, value in self._wire.fields(span):
            if number == 1:
                name = self._wire.name(value)
            elif number == 2 and isinstance(value, Span):
                kind = value
        kind_name, shape = ("", None) if kind is None else self._type(kind, 0)
        optional = kind_name.startswith("optional(")
        return Field(name=name, type=kind_name, shape=shape, is_optional=optional)

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
                inner_type = "" if inner is None else self._type(inner, depth + 1)[0]
                return f"{'seq' if number == 4 else 'optional'}({inner_type})", None
            if number == 5:
                key = value_type = ""
                for part, content in self._wire.fields(value):
                    if part == 1 and isinstance(content, int):
                        key = _spelled(content)
                    elif part == 2 and isinstance(content, Span):
                        value_type = self._type(content, depth + 1)[0]
                return f"map({key},{value_type})", None
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
                shape = tuple(self._dimension(dimension) for dimension in dimensions)
        return kind, shape

    def _dimension(self, span: Span) -> int | None:
        for number, value in self._wire.fields(span):
            if number == 1 and isinstance(value, int):
                return signed(value) if signed(value) >= 0 else None
        return None


def _spelled(kind: int) -> str:
    return TYPES.get(kind, (f"type_{kind}", ""))[0]


def _custom(content: _Found) -> Iterator[str]:
    """Operators that somebody must bring as compiled code."""
    for domain, operator in sorted(content.operators):
        if domain not in _STANDARD and (domain, operator) not in content.functions:
            yield f"custom operator {domain}::{operator}"


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
