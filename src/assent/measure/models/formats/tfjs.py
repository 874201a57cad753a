"""TensorFlow.js: a description in JSON (`model.json`), and files with the values of its weights.

As https://github.com/tensorflow/tfjs/blob/master/tfjs-core/src/io/types.ts describes it: the files
of a group, one after another, hold the values of its weights, one after another. A tensor may be
cut by the end of a file.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator, Mapping
from mmap import mmap
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from assent.core.inspection import Field, Part, Signature, Tensor
from assent.core.scalar import Scalar
from assent.measure.models import facts
from assent.measure.models.dtypes import BITS, checked_shape, size_bytes
from assent.measure.models.located import Located, Place, Unread
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.small import mapping_of, sibling
from assent.measure.models.texts import short_name
from assent.measure.models.wire.unpack import store

FORMAT = "tfjs"

_MANIFEST: Final = "weightsManifest"
_MARK: Final = re.compile(rb'"(?:weightsManifest|modelTopology)"\s*:')
_TAIL_BYTES: Final = 1 << 20
_TYPES: Final = frozenset(BITS) | {"complex64"}
_CHUNK: Final = 1 << 20
_MAX_SHARDS: Final = 10_000


class _Weight(NamedTuple):
    """A weight as the description states it; `first` is where its values begin in its group,
    `size` is None if nobody can say how long they are.
    """

    tensor: Tensor
    group: int
    first: int
    size: int | None


class _Model(NamedTuple):
    """What is kept of a description, whose text may be a hundred times as long."""

    groups: list[tuple[str, ...]]
    weights: list[_Weight]
    quantizers: dict[str, tuple[float, float]]
    settings: dict[str, Scalar]
    versions: dict[str, str]
    signature: Signature | None


def recognizes(source: ModelSource) -> bool:
    """A description by what it holds; a file of weights by the description beside it that names
    it.
    """
    return _describes(source) or _description_of(source) is not None


def read(source: ModelSource) -> Part:
    """The description: weights, inputs and outputs. The values are not looked at."""
    if not _describes(source):
        return Part(
            path=source.name,
            format=FORMAT,
            size_bytes=source.size_bytes,
            settings={"weights of": _description_of(source) or ""},
        )
    model = _read(source)
    signature = model.signature
    tensors = [weight.tensor for weight in model.weights]
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        parameters=sum(math.prod(tensor.shape) for tensor in tensors),
        counted="all values of its weights, quantised ones too",
        tensors=tuple(sorted(tensors, key=lambda tensor: tensor.name)),
        settings=model.settings,
        versions=model.versions,
        signature=signature,
        features=() if signature is None else tuple(field.name for field in signature.inputs),
        problem=_problem(source, model),
        beside=tuple(sorted({path for group in _paths(source, model) for path in group})),
    )


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the values of each weight lie; of one that is cut in pieces, a copy of its group."""
    if not _describes(source):
        return {}
    model = _read(source)
    if _problem(source, model) is not None:
        return {}
    groups = [_Group([source.files[path] for path in group]) for group in _paths(source, model)]
    places: dict[str, Place] = {}
    for weight in model.weights:
        places[weight.tensor.name] = _place(weight, groups[weight.group])
    for name, quantizer in model.quantizers.items():
        for what, value in zip(_QUANTIZERS, quantizer, strict=True):
            places[f"{name}{what}"] = Located(
                dtype="float64",
                shape=(1,),
                offset=0,
                size_bytes=8,
                path=source.path,
                held=struct.pack("<d", value),
            )
    return places


_QUANTIZERS: Final = (" (scale)", " (least value)")


def _describes(source: ModelSource) -> bool:
    """Whether a file of JSON has the members of a description, which may stand at its end."""
    if not source.name.lower().endswith(".json") or source.head.lstrip()[:1] != b"{":
        return False
    if _MARK.search(source.head):
        return True
    with source.path.open("rb") as file:
        file.seek(max(0, source.size_bytes - _TAIL_BYTES))
        return _MARK.search(file.read(_TAIL_BYTES)) is not None


def _description_of(source: ModelSource) -> str | None:
    """The description that names a file of weights."""
    path = PurePosixPath(source.name)
    if path.suffix not in (".bin", ""):
        return None
    for beside in (path.with_name(f"{path.stem}.json"), path.with_name("model.json")):
        name = str(beside)
        if name in source.files and source.name in _named(source, name):
            return name
    return None


def _named(source: ModelSource, name: str) -> frozenset[str]:
    """The files that a description names, if it is one that can be read."""

    def read() -> frozenset[str]:
        described = source.beside(name)
        if not _describes(described):
            return frozenset()
        try:
            model = _read(described)
        except ReadError:
            return frozenset()
        return frozenset(path for group in _paths(described, model) for path in group)

    return source.once.get((FORMAT, "names", name), read)


def _read(source: ModelSource) -> _Model:
    """What the description says; the text of it, which may be long, is read once."""
    return source.once.get((FORMAT, source.name), lambda: _parsed(source))


def _parsed(source: ModelSource) -> _Model:
    content = mapping_of(source, ".json")
    manifest = content.get(_MANIFEST)
    if not isinstance(manifest, list):
        raise ReadError("it names no files of weights")
    groups: list[tuple[str, ...]] = []
    weights: list[_Weight] = []
    quantizers: dict[str, tuple[float, float]] = {}
    for number, group in enumerate(manifest):
        match group:
            case {"paths": list(paths), "weights": list(entries)}:
                groups.append(tuple(str(path) for path in paths[:_MAX_SHARDS]))
            case _:
                raise ReadError("a group of weights without files or without weights")
        first: int | None = 0
        for entry in entries:
            weight = _weight(entry, number, first)
            weights.append(weight)
            facts.require_few(len(weights), "weights")
            first = None if first is None or weight.size is None else first + weight.size
            quantizers.update(_quantizer(entry))
    names = [weight.tensor.name for weight in weights]
    if len(set(names)) < len(names):
        raise ReadError("it names a weight twice")
    return _Model(
        groups,
        weights,
        quantizers,
        _settings(content, manifest, quantizers),
        _versions(content),
        _signature(content),
    )


def _weight(entry: Any, group: int, first: int | None) -> _Weight:
    match entry:
        case {"name": str(name), "shape": list(dimensions), "dtype": str(dtype)}:
            short_name(name)
        case _:
            raise ReadError("a weight without name, shape or type")
    quantization = entry.get("quantization")
    stored = quantization.get("dtype", dtype) if isinstance(quantization, dict) else dtype
    if not isinstance(stored, str):
        raise ReadError(f"the weight {name!r:.200} has a type that is none")
    shape = checked_shape(name, dimensions)
    size = size_bytes(stored, math.prod(shape)) if stored in _TYPES else None
    tensor = Tensor(name=name, dtype=str(stored)[:40], shape=shape)
    return _Weight(tensor, group, first or 0, None if first is None else size)


def _quantizer(entry: Any) -> Iterator[tuple[str, tuple[float, float]]]:
    """By what a quantised weight is multiplied, and what is added."""
    quantization = entry.get("quantization")
    if not isinstance(quantization, dict):
        return
    scale, least = quantization.get("scale", 1.0), quantization.get("min", 0.0)
    if isinstance(scale, int | float) and isinstance(least, int | float):
        try:
            yield entry["name"], (float(scale), float(least))
        except OverflowError:
            raise ReadError("a weight is quantised by a number that no float holds") from None


def _paths(source: ModelSource, model: _Model) -> list[tuple[str, ...]]:
    """The files of each group that the model has, by their paths in it."""
    paths = []
    for group in model.groups:
        places = (sibling(source, name) for name in group)
        paths.append(tuple(place for place in places if place is not None))
    return paths


def _problem(source: ModelSource, model: _Model) -> str | None:
    for number, (group, paths) in enumerate(zip(model.groups, _paths(source, model), strict=True)):
        if len(paths) < len(group):
            lost = next(name for name in group if sibling(source, name) is None)
            return f"it names a file of weights that the model does not have: {lost[:200]}"
        own = [weight for weight in model.weights if weight.group == number]
        if any(weight.size is None for weight in own):
            continue
        needed = sum(weight.size or 0 for weight in own)
        there = sum(source.files[path].stat().st_size for path in paths)
        if there != needed:
            return f"its weights need {needed:,} bytes, and its files hold {there:,}"
    return None


class _Group:
    """The files of a group as one."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self._whole: bytes | mmap | None = None

    def place(self, first: int, size: int) -> tuple[Path, int, bytes | mmap | None]:
        """The file that has all of the bytes, and where; or all files as one."""
        start = 0
        for path in self._paths:
            end = start + path.stat().st_size
            if start <= first and first + size <= end:
                return path, first - start, None
            start = end
        if self._whole is None:
            self._whole = store(self._chunks()).raw
        return self._paths[0], first, self._whole

    def _chunks(self) -> Iterator[bytes]:
        for path in self._paths:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk


def _place(weight: _Weight, group: _Group) -> Place:
    tensor = weight.tensor
    if weight.size is None:
        return Unread(shape=tensor.shape, why="it is text, or comes after text")
    try:
        path, offset, held = group.place(weight.first, weight.size)
    except ReadError as error:
        return Unread(shape=tensor.shape, why=str(error))
    return Located(
        dtype=tensor.dtype,
        shape=tensor.shape,
        offset=offset,
        size_bytes=weight.size,
        path=path,
        held=held,
    )


def _settings(
    content: Mapping[str, Any],
    manifest: list[dict[str, Any]],
    quantizers: Mapping[str, tuple[float, float]],
) -> dict[str, Scalar]:
    """What the description says, and its graph in short: any other graph is another digest."""
    settings: dict[str, Scalar] = {"structure": facts.digest_in_short(content.get("modelTopology"))}
    more = {
        key: value
        for key, value in content.items()
        if key not in ("modelTopology", _MANIFEST, "signature", *_BY)
    }
    settings |= facts.settings(more)
    for name, (scale, least) in quantizers.items():
        settings[f"quantization.{name}"] = f"{scale:.17g}, {least:.17g}"
    entries = [weight for group in manifest for weight in group["weights"]]
    rest = [
        content.get("signature"),
        _more(manifest, _IN_GROUP),
        _more(entries, _IN_WEIGHT),
    ]
    return facts.few({**settings, **facts.rest(*rest)})


def _more(entries: list[dict[str, Any]], told: tuple[str, ...]) -> list[tuple[int, str, Any]]:
    """What else entries say, with their places."""
    return [
        (at, key, entry[key])
        for at, entry in enumerate(entries)
        for key in sorted(entry)
        if key not in told
    ]


_IN_GROUP: Final = ("paths", "weights")
_IN_WEIGHT: Final = ("name", "shape", "dtype")
_BY: Final = ("generatedBy", "convertedBy")


def _versions(content: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(content[key])[:100] for key in _BY if content.get(key)}


def _signature(content: Mapping[str, Any]) -> Signature | None:
    """What a converted graph takes and gives; a model of layers says it in its layers."""
    stated = content.get("signature")
    if not isinstance(stated, dict):
        more = content.get("userDefinedMetadata")
        stated = more.get("signature") if isinstance(more, dict) else None
    if not isinstance(stated, dict):
        return None
    sides = [
        tuple(_field(name, tensor) for name, tensor in sorted(side.items())[:MAX_NAMES])
        if isinstance(side := stated.get(key), dict)
        else ()
        for key in ("inputs", "outputs")
    ]
    return Signature(inputs=sides[0], outputs=sides[1]) if sides[0] or sides[1] else None


def _field(name: str, tensor: Any) -> Field:
    match tensor:
        case {"tensorShape": {"dim": list(dimensions)}}:
            shape: tuple[int | None, ...] | None = tuple(_size(size) for size in dimensions[:64])
        case _:
            shape = None
    kind = tensor.get("dtype") if isinstance(tensor, dict) else None
    return Field(name=name[:200], type=str(kind or "")[:100], shape=shape)


def _size(dimension: Any) -> int | None:
    size = dimension.get("size") if isinstance(dimension, dict) else None
    try:
        number = int(size) if isinstance(size, int | str) and len(str(size)) < 20 else -1
    except ValueError:
        return None
    return number if number >= 0 else None


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
