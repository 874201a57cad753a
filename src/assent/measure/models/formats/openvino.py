"""OpenVINO: a graph in XML, and the values of its weights in a file of the same name (`.bin`).

As https://docs.openvino.ai describes its intermediate representation ("Operation sets"): a layer
`Const` says where in the file its values lie. Before version 10 a layer had its weights in `blobs`.
"""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple
from xml.parsers import expat

from assent.core.inspection import Field, Part, Signature, Tensor
from assent.core.scalar import Scalar
from assent.measure.models import facts
from assent.measure.models.dtypes import BITS, MAX_DIMENSIONS, checked_shape, size_bytes
from assent.measure.models.located import Located, Place, Unread
from assent.measure.models.named import NamedTensors
from assent.measure.models.reader import HEAD_BYTES, MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.texts import short_name

FORMAT = "openvino"

MAX_BYTES: Final = 256 << 20
MAX_ELEMENTS: Final = 3_000_000
"""The most elements of one file: some seconds of work."""
MAX_DEPTH: Final = 64
_CHUNK: Final = 1 << 20
_NET: Final = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!DOCTYPE\s+)?net\s", re.DOTALL
)
_TYPES: Final = {
    "f16": "float16",
    "f32": "float32",
    "f64": "float64",
    "bf16": "bfloat16",
    "boolean": "bool",
    "f8e4m3": "float8_e4m3fn",
    "f8e5m2": "float8_e5m2",
    "f8e8m0": "float8_e8m0fnu",
    "f4e2m1": "float4_e2m1fn",
    "fp16": "float16",
    "fp32": "float32",
    "fp64": "float64",
    "bool": "bool",
    **{
        f"{kind}{bits}": f"{word}int{bits}"
        for kind, word in (("i", ""), ("u", "u"))
        for bits in (4, 8, 16, 32, 64)
    },
}
"""The types of version 10 and later, and the precisions of those before, in lower case."""
_NOTES: Final = frozenset({"rt_info", "meta_data"})
_OPSETS: Final = re.compile(r"opset\d+|ie_internal_opset|")


class _Layer(NamedTuple):
    """What one layer has said so far; `dims` are the sizes of its first port."""

    attributes: dict[str, str]
    data: dict[str, str]
    blobs: list[tuple[str, dict[str, str]]]
    ports: list[dict[str, str]]
    dims: list[str]


def recognizes(source: ModelSource) -> bool:
    """A graph by its root; weights by the graph beside them that has the same name."""
    return _is_graph(source.head) or _graph_of(source) is not None


def read(source: ModelSource) -> Part:
    """The graph: weights, inputs and outputs, layers. The values are not looked at."""
    graph = _graph_of(source)
    if graph is not None:
        return Part(
            path=source.name,
            format=FORMAT,
            size_bytes=source.size_bytes,
            settings={"weights of": graph},
        )
    return _walked(source).part()


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the values of each weight lie."""
    if _graph_of(source) is not None:
        return {}
    return _walked(source).weights.places


def _is_graph(head: bytes) -> bool:
    return _NET.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


def _graph_of(source: ModelSource) -> str | None:
    """The graph whose weights a file is."""
    path = PurePosixPath(source.name)
    graph = str(path.with_suffix(".xml"))
    if path.suffix != ".bin" or graph not in source.files:
        return None
    with source.files[graph].open("rb") as file:
        return graph if _is_graph(file.read(HEAD_BYTES)) else None


def _walked(source: ModelSource) -> _Graph:
    """The graph, read to its end."""
    if source.size_bytes > MAX_BYTES:
        raise ReadError(f"larger than {MAX_BYTES >> 20} MiB, so it was not looked at")
    graph = _Graph(source)
    parser = expat.ParserCreate()
    parser.buffer_text = True  # else a number comes in pieces where a chunk of the file ends
    parser.StartElementHandler = graph.start
    parser.EndElementHandler = graph.end
    parser.CharacterDataHandler = graph.text
    # What a document declares for itself can make much out of little, or name other files.
    parser.StartDoctypeDeclHandler = _refuse
    try:
        with source.path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ReadError(f"it is no XML: {expat.ErrorString(error.code)}") from None
    return graph


def _refuse(*_: object) -> None:
    raise ReadError("it declares a document type, which no graph does")


class _Graph:
    """A graph, as its elements come."""

    def __init__(self, source: ModelSource) -> None:
        self.weights = NamedTensors()
        self._source = source
        self._bin = str(PurePosixPath(source.name).with_suffix(".bin"))
        self._path: Path | None = source.files.get(self._bin)
        self._size = 0 if self._path is None else self._path.stat().st_size
        self._structure, self._rest = hashlib.sha256(), hashlib.sha256()
        self._notes: dict[str, Scalar] = {}
        self._open: list[str] = []
        self._layers: list[_Layer] = []
        self._sides: tuple[list[Field], list[Field]] = ([], [])
        self._versions: dict[str, str] = {}
        self._custom: set[str] = set()
        self._said: dict[str, Scalar] = {}
        self._elements = self._count = 0
        self._is_asked = False

    def part(self) -> Part:
        """What was found."""
        signature = Signature(inputs=tuple(self._sides[0]), outputs=tuple(self._sides[1]))
        lacks = self._is_asked and self._path is None
        return Part(
            path=self._source.name,
            format=FORMAT,
            size_bytes=self._source.size_bytes,
            parameters=self.weights.parameters(),
            counted="all values of its constants",
            tensors=self.weights.tensors,
            settings={
                "layers": self._count,
                "structure": f"sha256:{self._structure.hexdigest()[:16]}",
                **facts.rest_of(self._rest),
                **self._said,
                **facts.few(self._notes),
            },
            versions=self._versions,
            features=tuple(field.name for field in signature.inputs),
            signature=signature,
            code=tuple(sorted(self._custom)),
            problem=f"the file {self._bin!r:.200} with its weights is not there" if lacks else None,
            beside=() if self._path is None else (self._bin,),
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._elements += 1
        if self._elements > MAX_ELEMENTS or len(self._open) > MAX_DEPTH:
            raise ReadError("it has too many elements, or too many inside each other")
        self._open.append(name)
        if name == "net":
            self._versions["ir"] = attributes.get("version", "")[:20]
            self._said["name"] = facts.setting(attributes.get("name", ""))
        if not _NOTES.isdisjoint(self._open):
            self._note(attributes)
            return
        if name == "layer":
            self._count += 1
            self._layers.append(_Layer(attributes, {}, [], [], []))
        elif self._layers:
            self._inside(self._layers[-1], name, attributes)
        is_place = name == "data" or "blobs" in self._open
        kept = {k: v for k, v in attributes.items() if not is_place or k not in ("offset", "size")}
        self._structure.update(f"<{name} {sorted(kept.items())}".encode(errors="backslashreplace"))

    def _note(self, attributes: dict[str, str]) -> None:
        """How it was made, and what programs keep in it for themselves: the graph's own by name,
        those of its layers together.
        """
        at = next(at for at, tag in enumerate(self._open) if tag in _NOTES)
        labels = [*self._open[at:], *([attributes["name"]] if "name" in attributes else [])]
        values = {key: value for key, value in attributes.items() if key != "name"}
        value = values["value"] if values.keys() == {"value"} else values
        key = ".".join(labels)
        if not value:
            return
        if self._layers or key in self._notes or len(self._notes) >= facts.MAX_SETTINGS:
            self._rest.update(f"{key} {value!r}\n".encode(errors="backslashreplace"))
        else:
            self._notes[key] = facts.setting(value)

    def _inside(self, layer: _Layer, name: str, attributes: dict[str, str]) -> None:
        if name == "data":
            layer.data.update(attributes)
        elif name == "port":
            layer.ports.append(attributes)
            if len(layer.ports) > MAX_NAMES:
                raise ReadError(f"more than {MAX_NAMES:,} ports of one layer")
        elif len(self._open) > 1 and self._open[-2] == "blobs":
            layer.blobs.append((name, attributes))

    def text(self, text: str) -> None:
        """Text inside of an element; white space is how it was written, not what it says."""
        stripped = "".join(text.split()).encode(errors="backslashreplace")
        if not self._open or not stripped:
            return
        if self._open[-1] != "dim" or not self._layers or not _NOTES.isdisjoint(self._open):
            self._rest.update(stripped)
            return
        self._structure.update(stripped)
        layer = self._layers[-1]
        if len(layer.ports) == 1 and len(layer.dims) <= MAX_DIMENSIONS:
            layer.dims.append(text[:20])

    def end(self, name: str) -> None:
        """An element ends."""
        self._open.pop()
        self._structure.update(b">")
        if name == "layer" and self._layers:
            self._finish(self._layers.pop())

    def _finish(self, layer: _Layer) -> None:
        kind = layer.attributes.get("type", "")
        name = short_name(layer.attributes.get("name", ""))
        version = layer.attributes.get("version", "")
        if _OPSETS.fullmatch(version) is None:
            self._custom.add(f"custom operator {version}::{kind}"[:200])
        if kind == "Const" and "offset" in layer.data:
            self._weight(name, layer.data, _dimensions(layer.data.get("shape", "")))
        for word, blob in layer.blobs:
            self._weight(name if word == "custom" else f"{name}.{word}", blob, None)
        if not self._layers and kind in ("Parameter", "Input", "Result"):
            self._field(name, layer, is_output=kind == "Result")

    def _field(self, name: str, layer: _Layer, *, is_output: bool) -> None:
        port = layer.ports[0] if layer.ports else {}
        stated = port.get("names") or layer.attributes.get("output_names") or name
        kind = layer.data.get("element_type") or port.get("precision", "").lower()
        shape = tuple(int(size) if size.isdecimal() else None for size in layer.dims)
        fields = self._sides[1 if is_output else 0]
        if len(fields) >= MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} inputs or outputs")
        fields.append(Field(name=stated[:200], type=_TYPES.get(kind, kind)[:100], shape=shape))

    def _weight(self, name: str, attributes: dict[str, str], dimensions: list[Any] | None) -> None:
        kind = (attributes.get("element_type") or attributes.get("precision") or "").lower()
        dtype = _TYPES.get(kind, f"type_{kind}"[:40])
        offset, size = (
            _natural(name, attributes.get("offset")),
            _natural(name, attributes.get("size")),
        )
        if dimensions is None:
            dimensions = [size * 8 // BITS[dtype]] if dtype in BITS else [size]
        shape = checked_shape(name, dimensions)
        self._is_asked = self._is_asked or size > 0
        tensor = Tensor(name=name, dtype=dtype, shape=shape)
        self.weights.add(tensor, self._place(tensor, offset, size))

    def _place(self, tensor: Tensor, offset: int, size: int) -> Place:
        if self._path is None:
            return Unread(shape=tensor.shape, why="the file with its values is not there")
        if offset + size > self._size:
            raise ReadError(f"the tensor {tensor.name!r} reaches beyond the end of its file")
        if tensor.dtype not in BITS:
            return Unread(shape=tensor.shape, why=f"values of the type {tensor.dtype} are not read")
        if size != size_bytes(tensor.dtype, math.prod(tensor.shape)):
            raise ReadError(f"the tensor {tensor.name!r} has not as many values as its shape")
        return Located(
            dtype=tensor.dtype,
            shape=tensor.shape,
            offset=offset,
            size_bytes=size,
            path=self._path,
        )


def _dimensions(shape: str) -> list[Any]:
    return [
        int(size) if size.strip().isdecimal() and len(size) < 20 else None
        for size in shape.split(",")[: MAX_DIMENSIONS + 1]
        if size.strip()
    ]


def _natural(name: str, text: str | None) -> int:
    if text is None or not text.isdecimal() or len(text) > 19:
        raise ReadError(f"the tensor {name!r} has an impossible place")
    return int(text)


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
