"""Keras 3: a zip of the model's description, its versions and its weights (`.keras`)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from assent.core.inspection import Danger, Part
from assent.measure.models import facts
from assent.measure.models.formats import hdf5, keras_config
from assent.measure.models.located import COMPRESSED, Place, Unread
from assent.measure.models.reader import ModelSource, Reader, ReadError
from assent.measure.models.wire.zips import MAGIC, Archive, Member, open_archive
from assent.parsing import MAX_BYTES, ParseError, parse_json

FORMAT = "keras"

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def recognizes(source: ModelSource) -> bool:
    """By its suffix and the beginning of a zip."""
    return source.name.lower().endswith(".keras") and source.head.startswith(MAGIC)


def read(source: ModelSource) -> Part:
    """The description and the shapes of the weights."""
    archive = open_archive(source.path)
    if _CONFIG not in archive.members:
        raise ReadError(f"it holds no {_CONFIG}")
    config = keras_config.read(_text(archive, archive.members[_CONFIG]))
    metadata = _metadata(archive)
    problem, content = config.problem, None
    try:
        content = _weights(archive, source.path)
    except ReadError as error:
        problem = f"its weights: {error}"
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        parameters=None if content is None else content.parameters,
        counted=hdf5.COUNTED,
        tensors=() if content is None else content.tensors,
        settings=facts.few(
            {
                **config.settings,
                **({} if content is None else content.settings),
                **facts.settings({"metadata": metadata}),
            }
        ),
        versions=_versions(metadata),
        features=config.features,
        signature=config.signature,
        imports=config.imports,
        dangers=(
            *config.dangers,
            *(() if content is None else content.dangers),
            *archive.dangers,
            *_others(archive),
        ),
        code=config.code,
        problem=problem or (None if content is None else content.problem),
        left_out=_unread(archive),
    )


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the values of the weights lie, in an archive that does not compress them."""
    content = _weights(open_archive(source.path), source.path)
    return {} if content is None else content.places


def _weights(archive: Archive, path: Path) -> hdf5.Content | None:
    member = archive.members.get(_WEIGHTS)
    if member is None:
        return None
    if not member.is_deflated:
        return hdf5.read_content(path, member.start, member.packed_bytes)
    content = archive.read(member)
    with tempfile.NamedTemporaryFile() as file:
        file.write(content.view[content.start : content.end])
        file.flush()
        stored = hdf5.read_content(Path(file.name), 0, content.size_bytes)
    gone: dict[str, Place] = {
        name: Unread(shape=place.shape, why=COMPRESSED) for name, place in stored.places.items()
    }
    return replace(stored, places=gone)


def _unread(archive: Archive) -> str | None:
    """What else is in the archive: layers keep the words that they know there."""
    more = sorted(archive.members.keys() - {_CONFIG, _METADATA, _WEIGHTS})
    return None if not more else f"the other files in it, such as {more[0][:100]}"


def _text(archive: Archive, member: Member) -> bytes:
    if member.size_bytes > MAX_BYTES:
        raise ReadError(f"{member.name} is larger than {MAX_BYTES // 1024 // 1024} MiB")
    content = archive.read(member)
    return bytes(content.view[content.start : content.end])


def _metadata(archive: Archive) -> dict[str, Any]:
    """What the file says of how it was written."""
    if _METADATA not in archive.members:
        return {}
    text = _text(archive, archive.members[_METADATA])
    try:
        metadata = parse_json(text)
    except ParseError:
        metadata = None
    return (
        metadata
        if isinstance(metadata, dict)
        else {"as it stands": text.decode(errors="backslashreplace")}
    )


def _versions(metadata: dict[str, Any]) -> dict[str, str]:
    """The version of Keras that wrote the file, if it says so."""
    version = metadata.get("keras_version")
    return {"keras": version[:100]} if isinstance(version, str) else {}


def _others(archive: Archive) -> tuple[Danger, ...]:
    """Weights that are no HDF5: a layer of NumPy arrays is read with pickle allowed."""
    if "model.weights.npz" in archive.members:
        what = "weights that loading unpickles"
        return (Danger(what=what, detail="model.weights.npz"),)
    return ()


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
