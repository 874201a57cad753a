"""NumPy's files: one array (`.npy`), or a zip of them (`.npz`)."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath
from typing import Any

from assent.core.inspection import Danger, Part, Tensor
from assent.measure.models.dtypes import BITS
from assent.measure.models.formats.pickles import (
    Findings,
    begins_like_pickle,
    walk_all,
)
from assent.measure.models.inert.arrays import block_of, items_in, simple_dtype
from assent.measure.models.inert.seen import Budget, Walk
from assent.measure.models.inert.values import Block, DType
from assent.measure.models.located import COMPRESSED, HIGH_FIRST, Located, Place, Unread
from assent.measure.models.reader import HEAD_BYTES, MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.wire.source import Source, open_source
from assent.measure.models.wire.zips import MAGIC as ZIP
from assent.measure.models.wire.zips import open_archive

FORMAT = "numpy"

_MAGIC = b"\x93NUMPY"
_MAX_HEADER = 64 * 1024
_MAX_BRACKETS = 16


def recognizes(source: ModelSource) -> bool:
    """By the magic number, or a zip of the suffix `.npz`."""
    if source.head.startswith(_MAGIC):
        return True
    return source.head.startswith(ZIP) and PurePosixPath(source.name).suffix.lower() == ".npz"


def read(source: ModelSource) -> Part:
    """The arrays. An array of objects is a pickle, which is followed."""
    budget = Budget()
    dangers: list[Danger] = []
    walks: list[Walk] = []
    tensors: list[Tensor] = []
    blocks: list[Block] = []
    if source.head.startswith(_MAGIC):
        name = PurePosixPath(source.name).stem
        tensor, block, inner = read_array(name, open_source(source.path), budget)
        tensors.append(tensor)
        blocks.append(block)
        walks.extend(inner)
    else:
        archive = open_archive(source.path)
        if len(archive.members) > MAX_NAMES:
            raise ReadError(f"it has more than {MAX_NAMES:,} arrays")
        for member in archive.members.values():
            head = archive.head(member, HEAD_BYTES)
            if head.startswith(_MAGIC):
                name = member.name.removesuffix(".npy")
                tensor, block, inner = read_array(name, archive.read(member), budget)
                tensors.append(tensor)
                blocks.append(block)
                walks.extend(inner)
            elif begins_like_pickle(head, is_whole=member.size_bytes <= len(head)):
                archive.note("a pickle where there should be none", member.name)
                walks.extend(walk_all(archive.read(member), budget, joblib=False))
            else:
                archive.note("a member that is no array", member.name)
        dangers = archive.dangers
    found_all = Findings(walks)
    numeric = [items_in(array.shape) or 0 for array in blocks if array.dtype.kind in "fiucb"]
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        parameters=sum(numeric) if numeric else None,
        tensors=tuple(tensors),
        imports=found_all.imports,
        dangers=tuple(dict.fromkeys([*dangers, *found_all.dangers])),
        code=found_all.code,
        problem=found_all.problem,
        counted="all values of its arrays of numbers" if numeric else None,
    )


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the numbers of each array lie. Raises `ReadError`."""
    if source.head.startswith(_MAGIC):
        name = PurePosixPath(source.name).stem
        return {name: _place(name, open_source(source.path), source)}
    archive = open_archive(source.path)
    if len(archive.members) > MAX_NAMES:
        raise ReadError(f"it has more than {MAX_NAMES:,} arrays")
    places: dict[str, Place] = {}
    for member in archive.members.values():
        name = member.name.removesuffix(".npy")
        if not archive.head(member, HEAD_BYTES).startswith(_MAGIC):
            continue
        if member.is_deflated:
            tensor, _, _ = read_array(name, archive.read(member), Budget())
            places[name] = Unread(shape=tensor.shape, why=COMPRESSED)
        else:
            places[name] = _place(name, archive.read(member), source)
    return places


def _place(name: str, content: Source, source: ModelSource) -> Place:
    tensor, block, _ = read_array(name, content, Budget())
    if block.raw is None or tensor.dtype not in BITS:
        return Unread(shape=tensor.shape, why=f"values of the type {tensor.dtype} are not read")
    if block.dtype.order == ">":
        return Unread(shape=tensor.shape, why=HIGH_FIRST)
    size = len(block.raw)  # an array ends where its member does
    longer = [axis for axis, length in enumerate(tensor.shape) if length > 1]
    is_turned = block.is_fortran and len(longer) > 1
    return Located(
        dtype=tensor.dtype,
        shape=tensor.shape,
        offset=content.end - size,
        size_bytes=size,
        path=source.path,
        axes=tuple(reversed(longer)) if is_turned else (),
    )


def read_array(name: str, content: Source, budget: Budget) -> tuple[Tensor, Block, list[Walk]]:
    """One array of the format NPY (versions 1 to 3), with the walk of its objects. Raises
    `ReadError`.
    """
    head = content.head(12)
    if len(head) < 12 or not head.startswith(_MAGIC) or head[6] not in (1, 2, 3):
        raise ReadError("an array without the header of NumPy")
    wide = head[6] > 1
    size = int.from_bytes(head[8 : 12 if wide else 10], "little")
    start = content.start + (12 if wide else 10)
    if size > _MAX_HEADER or start + size > content.end:
        raise ReadError("an array with a header that is too long")
    header = _header(bytes(content.view[start : start + size]))
    start += size
    shape = header["shape"]
    count = items_in(shape)
    if count is None:
        raise ReadError("an array without a shape")
    dtype = _described(header["descr"])
    is_fortran = header["fortran_order"] is True
    tensor = Tensor(name=name, dtype="record" if dtype.fields else dtype.name, shape=shape)
    rest = Source(content.raw, start, content.end)
    if dtype.has_objects:
        walks = walk_all(rest, budget, joblib=False)
        block = block_of(walks[0].root) or Block(dtype=dtype, shape=shape)
        return tensor, block, walks
    if count * dtype.item_bytes > rest.size_bytes:
        raise ReadError(f"an array of {count:,} items, which are not in the file")
    if count * dtype.item_bytes < rest.size_bytes:
        raise ReadError("bytes behind the end of an array")
    raw = rest.view[start : content.end]
    return tensor, Block(dtype=dtype, shape=shape, is_fortran=is_fortran, raw=raw), []


def _header(text: bytes) -> dict[str, Any]:
    """The header is a dictionary in Python's notation."""
    depth = deepest = 0
    for byte in text:
        if byte in b"([{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b")]}":
            depth -= 1
    if deepest > _MAX_BRACKETS or b"--" in text or b"~~" in text or b"++" in text:
        raise ReadError("an array with a header that is nested too deeply")
    try:
        header = ast.literal_eval(text.decode("utf-8").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ReadError("an array with a header that is not NumPy's") from None
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise ReadError("an array with a header that is not NumPy's")
    return header


def _described(descr: Any, depth: int = 0) -> DType:
    """The type of an item, also of a record."""
    if type(descr) is str:
        dtype = simple_dtype(descr)
        if dtype is None:
            raise ReadError("an array of a type that is not known")
        return dtype
    if type(descr) is not list or depth > 8:
        raise ReadError("an array of a type that is not known")
    size, fields = 0, []
    for field in descr:
        if type(field) is not tuple or len(field) not in (2, 3):
            raise ReadError("an array of a type that is not known")
        dtype = _described(field[1], depth + 1)
        times = items_in(field[2]) if len(field) == 3 else 1
        if times is None:
            raise ReadError("an array of a type that is not known")
        fields.append((str(field[0]), size, dtype))
        size += dtype.item_bytes * times
    return DType(
        kind="V",
        item_bytes=size,
        fields=tuple(fields),
        has_objects=any(dtype.has_objects for _, _, dtype in fields),
    )


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
