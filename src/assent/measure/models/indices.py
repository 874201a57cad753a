"""Whether the index of a model in shards tells the truth about them.

`model.safetensors.index.json` says which shard holds which tensor, and how many bytes all values
have together. Loading believes it: a tensor that is not where it says is missing in the model.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec.structs import replace

from assent.core.inspection import Part
from assent.measure.models.dtypes import BITS, size_bytes
from assent.measure.models.formats.huggingface import INDEX
from assent.measure.models.reader import ModelSource, ReadError
from assent.measure.models.small import mapping_of, sibling

_MAX_NAMED = 3


def with_checked_indices(parts: Sequence[Part], files: Mapping[str, Path]) -> tuple[Part, ...]:
    """The same parts; an index that does not fit its shards has a problem, and one that is odd a
    note.
    """
    by_path = {part.path: part for part in parts}
    return tuple(_checked(part, by_path, files) for part in parts)


def _checked(part: Part, parts: Mapping[str, Part], files: Mapping[str, Path]) -> Part:
    if part.problem is not None or not INDEX.fullmatch(PurePosixPath(part.path).name):
        return part
    path = files[part.path]
    source = ModelSource(
        name=part.path, path=path, size_bytes=part.size_bytes, head=b"", files=files
    )
    try:
        index = mapping_of(source, ".json")
    except ReadError:
        return part
    stated = index.get("weight_map")
    if not isinstance(stated, dict):
        return part
    shards = {str(name): sibling(source, str(name)) for name in set(stated.values())}
    held = {name: parts[place] for name, place in shards.items() if place is not None}
    if any(shard.problem is not None or not shard.tensors for shard in held.values()):
        why = "its shards were not all read, so nobody knows whether it fits them"
        return replace(part, left_out=why)
    folder = PurePosixPath(part.path).parent
    beside = [shard for path, shard in parts.items() if PurePosixPath(path).parent == folder]
    problem = _problem({str(name): str(shard) for name, shard in stated.items()}, held, beside)
    return replace(part, problem=problem, notes=tuple(_notes(index, stated, held)))


def _problem(
    stated: Mapping[str, str], held: Mapping[str, Part], beside: Iterable[Part]
) -> str | None:
    """Where the index does not fit, if it does not."""
    there = {tensor.name for part in beside for tensor in part.tensors}
    names = {name: {tensor.name for tensor in shard.tensors} for name, shard in held.items()}
    wrong = sorted(name for name, shard in stated.items() if name not in names[shard])
    lost = [name for name in wrong if name not in there]
    if lost:
        return f"it names tensors that no shard holds: {_named(lost)}"
    if wrong:
        return f"it names another shard than the one that holds the tensor: {_named(wrong)}"
    return None


def _notes(
    index: Mapping[str, Any], stated: Mapping[str, Any], held: Mapping[str, Part]
) -> Iterator[str]:
    """What is odd and keeps nobody from loading the model."""
    tensors = [tensor for shard in held.values() for tensor in shard.tensors]
    extra = sorted({tensor.name for tensor in tensors} - stated.keys())
    if extra:
        yield f"its shards hold tensors that it does not name: {_named(extra)}"
    metadata = index.get("metadata")
    total = metadata.get("total_size") if isinstance(metadata, dict) else None
    if not isinstance(total, int | float) or any(tensor.dtype not in BITS for tensor in tensors):
        return
    held_bytes = sum(size_bytes(tensor.dtype, math.prod(tensor.shape)) for tensor in tensors)
    if held_bytes != total:
        yield f"it states {total:,} bytes of values, and its shards hold {held_bytes:,}"


def _named(names: Iterable[str]) -> str:
    known = [name[:100] for name in names]
    more = len(known) - _MAX_NAMED
    return ", ".join(known[:_MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")
