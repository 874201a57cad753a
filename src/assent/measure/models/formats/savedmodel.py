"""TensorFlow's SavedModel: `saved_model.pb`, a graph of operations as a protocol buffer.

Field numbers are those of the `.proto` files below `tensorflow/core/protobuf` (saved_model,
meta_graph, saved_object_graph) and `tensorflow/core/framework` (graph, node_def, function,
op_def, attr_value, tensor_shape, types) in https://github.com/tensorflow/tensorflow. TensorFlow
runs every operation of the graph when it is called, some of them when it is loaded: those that
reach beyond the arithmetic are flagged. Weights lie in `variables/`; their shapes stand here.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterator

from assent.core.inspection import Danger, Field, Part, Signature, Tensor
from assent.core.scalar import Scalar
from assent.measure.models.dtypes import MAX_DIMENSIONS, checked_shape
from assent.measure.models.facts import setting
from assent.measure.models.formats import keras_config
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.small import below
from assent.measure.models.wire.cursor import mapped
from assent.measure.models.wire.protobuf import Span, Wire, signed
from assent.parsing import MAX_BYTES

FORMAT = "savedmodel"

_GRAPH, _KERAS = "saved_model.pb", "keras_metadata.pb"
_FINGERPRINT = "fingerprint.pb"
_VALUES = re.compile(r"variables/variables\.(?:index|data-\d{5}-of-\d{5})")
"""The files with the values of the variables: a table of names, and numbers. None is code, and
nothing but a graph reads them.
"""

_TYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
    24: "float8_e5m2",
    25: "float8_e4m3fn",
    29: "int4",
    30: "uint4",
}
_REACHING = {
    **dict.fromkeys(("PyFunc", "PyFuncStateless", "EagerPyFunc"), "calls Python"),
    **dict.fromkeys(
        (
            *("ReadFile", "WholeFileReader", "WholeFileReaderV2", "TextLineReader"),
            *("TextLineReaderV2", "TFRecordReader", "TFRecordReaderV2", "FixedLengthRecordReader"),
            *("FixedLengthRecordReaderV2", "TextLineDataset", "TFRecordDataset"),
            *("TFRecordDatasetV2", "FixedLengthRecordDataset", "FixedLengthRecordDatasetV2"),
            *("LoadDataset", "LoadDatasetV2", "ExperimentalCSVDataset", "CSVDataset"),
            *("SqlDataset", "ImmutableConst"),
        ),
        "reads files",
    ),
    **dict.fromkeys(
        (
            *("WriteFile", "SaveDataset", "SaveDatasetV2", "DatasetToTFRecord"),
            *("ExperimentalDatasetToTFRecord", "SnapshotDataset", "SnapshotDatasetV2"),
            *("WriteSummary", "CreateSummaryFileWriter", "CreateSummaryDbWriter"),
            *("DebugIdentity", "DebugIdentityV2", "DebugIdentityV3", "DumpTensor"),
        ),
        "writes files",
    ),
    "MatchingFiles": "lists files",
    "MatchingFilesDataset": "lists files",
    **dict.fromkeys(
        ("DataServiceDataset", "DataServiceDatasetV2", "DataServiceDatasetV3", "RpcCall"),
        "speaks to other machines",
    ),
}
"""Operations that do more than arithmetic on what they are given."""


def recognizes(source: ModelSource) -> bool:
    """By its name, which TensorFlow does not let anybody choose; what belongs to a graph by where
    it lies as well.
    """
    return posixpath.basename(source.name) in (_GRAPH, _KERAS) or _graph_of(source) is not None


def read(source: ModelSource) -> Part:
    """The graph, or what was written beside it: by Keras, or by TensorFlow for it."""
    graph = _graph_of(source)
    if graph is not None:
        return _beside(source, graph)
    with mapped(source.path) as data:
        model = _Model(source, Wire(data))
        return model.keras() if posixpath.basename(source.name) == _KERAS else model.part()


def _graph_of(source: ModelSource) -> str | None:
    """The graph that a file of data belongs to: the values of its variables, or its digest."""
    folder, name = posixpath.split(source.name)
    parent, last = posixpath.split(folder)
    if name == _FINGERPRINT:
        graph = posixpath.join(folder, _GRAPH)
    elif _VALUES.fullmatch(posixpath.join(last, name)):
        graph = posixpath.join(parent, _GRAPH)
    else:
        return None
    return graph if graph in source.files else None


def _beside(source: ModelSource, graph: str) -> Part:
    is_fingerprint = posixpath.basename(source.name) == _FINGERPRINT
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        settings={"fingerprint of" if is_fingerprint else "weights of": graph},
        left_out="its content" if is_fingerprint else "the values of its variables",
    )


class _Model:
    """One file, walked once."""

    def __init__(self, source: ModelSource, wire: Wire) -> None:
        self._source = source
        self._wire = wire
        self._dangers: dict[Danger, None] = {}
        self._code: set[str] = set()
        self._imports: set[str] = set()
        self._versions: dict[str, str] = {}
        self._tags: list[str] = []
        self._variables: dict[str, Tensor] = {}
        self._declared: dict[str, Tensor] = {}
        self._trainable = 0
        self._has_objects = False
        self._signatures: dict[str, Signature] = {}
        self._nodes = 0
        self._functions = 0
        self._problem: str | None = None

    def part(self) -> Part:
        """The part that a graph is."""
        graphs = 0
        for number, value in self._wire.fields(self._wire.whole):
            if number == 1 and isinstance(value, int):
                self._versions["schema"] = str(signed(value))
            elif number == 2 and isinstance(value, Span):
                graphs += 1
                self._meta_graph(value)
        if not graphs:
            raise ReadError("it holds no graph")
        variables = self._variables if self._has_objects else self._declared
        tensors = tuple(variables[name] for name in sorted(variables))
        signature = self._served()
        return Part(
            path=self._source.name,
            format=FORMAT,
            size_bytes=self._source.size_bytes,
            parameters=self._trainable
            if self._has_objects
            else sum(math.prod(tensor.shape) for tensor in tensors),
            tensors=tensors,
            counted="trainable variables" if self._has_objects else "declared variables",
            settings=dict(self._settings(graphs)),
            versions=dict(sorted(self._versions.items())),
            features=() if signature is None else tuple(field.name for field in signature.inputs),
            signature=signature,
            imports=tuple(sorted(self._imports)),
            dangers=self._sorted_dangers(),
            code=tuple(sorted(self._code)),
            problem=self._problem,
            left_out="how its graph is wired, and its constants",
            beside=below(self._source, "variables"),
        )

    def keras(self) -> Part:
        """The part that a description by Keras is: `SavedMetadata` of the file
        `keras/protobuf/saved_metadata.proto`.
        """
        for span in self._wire.messages(self._wire.whole, 1):
            for number, value in self._wire.fields(span):
                if number == 5:
                    self._described(value)
        return Part(
            path=self._source.name,
            format=FORMAT,
            size_bytes=self._source.size_bytes,
            imports=tuple(sorted(self._imports)),
            dangers=self._sorted_dangers(),
            code=tuple(sorted(self._code)),
            problem=self._problem,
            left_out="the settings of its layers",
        )

    def _sorted_dangers(self) -> tuple[Danger, ...]:
        return tuple(sorted(self._dangers, key=lambda danger: (danger.what, danger.detail)))

    def _settings(self, graphs: int) -> Iterator[tuple[str, Scalar]]:
        yield "functions", self._functions
        yield "graphs", graphs
        yield "nodes", self._nodes
        yield "signatures", setting(", ".join(sorted(self._signatures)))
        yield "tags", setting(", ".join(sorted(set(self._tags))))

    def _served(self) -> Signature | None:
        """The signature that is served if nothing else is asked for; its inputs and outputs sorted
        by name, as the file has them in no order.
        """
        names = [name for name in sorted(self._signatures) if name != "__saved_model_init_op"]
        if "serving_default" in names:
            return self._signatures["serving_default"]
        return self._signatures[names[0]] if names else None

    def _meta_graph(self, span: Span) -> None:
        for number, value in self._wire.fields(span):
            if not isinstance(value, Span):
                continue
            if number == 1:
                self._meta_info(value)
            elif number == 2:
                self._graph(value)
            elif number == 5:
                name, place = self._wire.pair(value)
                if len(self._signatures) >= MAX_NAMES:
                    raise ReadError(f"more than {MAX_NAMES:,} signatures")
                if place is not None:
                    self._signatures[name] = self._signature(place)
            elif number == 7:
                self._has_objects = True
                for saved in self._wire.messages(value, 1):
                    self._object(saved)

    def _meta_info(self, span: Span) -> None:
        for number, value in self._wire.fields(span):
            if number == 4:
                if len(self._tags) >= 1000:
                    raise ReadError("more than 1,000 tags")
                self._tags.append(self._wire.name(value))
            elif number == 5:
                self._versions["tensorflow"] = self._wire.name(value)[:100]

    def _graph(self, span: Span) -> None:
        for number, value in self._wire.fields(span):
            if not isinstance(value, Span):
                continue
            if number == 1:
                self._node(value)
            elif number == 2:
                for function in self._wire.messages(value, 1):
                    self._functions += 1
                    for node in self._wire.messages(function, 3):
                        self._node(node)
            elif number == 4:
                for part, version in self._wire.fields(value):
                    if part == 1 and isinstance(version, int):
                        self._versions["graph"] = str(signed(version))

    def _node(self, span: Span) -> None:
        self._nodes += 1
        name = operation = ""
        attributes: list[Span] = []
        for number, value in self._wire.fields(span):
            if number == 1:
                name = self._wire.name(value)
            elif number == 2:
                operation = self._wire.name(value)
            elif number == 5 and isinstance(value, Span):
                attributes.append(value)
        if operation in _REACHING:
            self._danger(f"operation {operation}", _REACHING[operation])
        elif ">" in operation:  # `Vendor>Operation`, as custom operations are to be named
            if len(self._code) < MAX_NAMES:
                self._code.add(f"custom operation {operation}")
        elif operation in ("PrintV2", "VarHandleOp", "VariableV2"):
            self._look_into(operation, name, attributes)

    def _look_into(self, operation: str, name: str, attributes: list[Span]) -> None:
        kind, dimensions, shared = 0, None, ""
        for span in attributes:
            key, place = self._wire.pair(span)
            for number, value in self._wire.fields(place or Span(0, 0)):
                if key == "dtype" and number == 6 and isinstance(value, int):
                    kind = value
                elif key == "shape" and number == 7 and isinstance(value, Span):
                    dimensions = self._shape(value)
                elif key == "shared_name" and number == 2:
                    shared = self._wire.name(value)
                elif key == "output_stream" and number == 2:
                    stream = self._wire.name(value)
                    if stream.startswith("file:"):
                        self._danger("operation PrintV2", f"writes the file {stream!r:.200}")
        if operation != "PrintV2":
            self._add(self._declared, shared or name, kind, dimensions)

    def _object(self, span: Span) -> None:
        for number, value in self._wire.fields(span):
            if number == 7 and isinstance(value, Span):
                self._variable(value)
            elif number == 4 and isinstance(value, Span):
                for part, metadata in self._wire.fields(value):
                    if part == 3:
                        self._described(metadata)

    def _variable(self, span: Span) -> None:
        name, kind, dimensions, is_trainable = "", 0, None, False
        for number, value in self._wire.fields(span):
            if number == 1 and isinstance(value, int):
                kind = value
            elif number == 2 and isinstance(value, Span):
                dimensions = self._shape(value)
            elif number == 3:
                is_trainable = value == 1
            elif number == 6:
                name = self._wire.name(value)
        tensor = self._add(self._variables, name, kind, dimensions)
        if is_trainable and tensor is not None:
            self._trainable += math.prod(tensor.shape)

    def _add(
        self,
        into: dict[str, Tensor],
        name: str,
        kind: int,
        dimensions: tuple[int | None, ...] | None,
    ) -> Tensor | None:
        """Note a variable whose shape is known; several may have one name."""
        if dimensions is None or None in dimensions:
            return None
        if len(into) >= MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} variables")
        tensor = Tensor(
            name=name,
            dtype=_TYPES.get(kind, f"type_{kind}"),
            shape=checked_shape(name, dimensions),
        )
        into.setdefault(name, tensor)
        return tensor

    def _described(self, value: int | Span) -> None:
        """What Keras says of one object: code that it runs, classes that it looks up."""
        if isinstance(value, Span) and value.end - value.start > 2:
            config = keras_config.read(self._wire.content(value, MAX_BYTES))
            self._dangers |= dict.fromkeys(config.dangers)
            self._imports |= set(config.imports)
            self._code |= set(config.code)
            self._problem = self._problem or config.problem
            if len(self._dangers) + len(self._imports) > MAX_NAMES:
                raise ReadError(f"more than {MAX_NAMES:,} findings")

    def _danger(self, what: str, detail: str) -> None:
        self._dangers[Danger(what=what, detail=detail)] = None
        if len(self._dangers) > MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} findings")

    def _signature(self, span: Span) -> Signature:
        sides: dict[int, list[Field]] = {1: [], 2: []}
        for number, value in self._wire.fields(span):
            if number in sides and isinstance(value, Span):
                if len(sides[number]) >= MAX_NAMES:
                    raise ReadError(f"more than {MAX_NAMES:,} inputs or outputs")
                name, place = self._wire.pair(value)
                sides[number].append(self._field(name, place))
        inputs, outputs = (sorted(sides[side], key=lambda field: field.name) for side in (1, 2))
        return Signature(inputs=tuple(inputs), outputs=tuple(outputs))

    def _field(self, name: str, span: Span | None) -> Field:
        kind, shape = 0, None
        for number, value in self._wire.fields(span or Span(0, 0)):
            if number == 2 and isinstance(value, int):
                kind = value
            elif number == 3 and isinstance(value, Span):
                shape = self._shape(value)
        return Field(name=name, type=_TYPES.get(kind, f"type_{kind}"), shape=shape)

    def _shape(self, span: Span) -> tuple[int | None, ...] | None:
        """None for a shape of unknown length."""
        shape: list[int | None] = []
        for number, value in self._wire.fields(span):
            if number == 3 and value == 1:
                return None
            if number == 2 and isinstance(value, Span):
                sizes = [size for part, size in self._wire.fields(value) if part == 1]
                size = sizes[-1] if sizes else 0
                known = signed(size) if isinstance(size, int) else -1
                shape.append(known if known >= 0 else None)
                if len(shape) > MAX_DIMENSIONS:
                    raise ReadError(f"a shape of more than {MAX_DIMENSIONS} dimensions")
        return tuple(shape)


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
