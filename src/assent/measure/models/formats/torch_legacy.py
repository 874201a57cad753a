"""PyTorch's files before 1.6: five pickles in a row, then the numbers."""

from __future__ import annotations

from typing import NamedTuple

from assent.core.inspection import Danger, Part, Tensor
from assent.measure.models.formats.pickles import TORCH_MAGIC, Findings, walk_inside
from assent.measure.models.inert.seen import Budget, Walk
from assent.measure.models.inert.state_dicts import (
    COUNTED,
    Stored,
    left_out_of,
    parameters_of,
    placed,
    remainder_of,
    settings_of,
    storage_of,
    tensors_of,
)
from assent.measure.models.inert.values import Pairs, Persistent
from assent.measure.models.inert.walk import walk
from assent.measure.models.located import HIGH_FIRST, Place, Unread
from assent.measure.models.reader import ModelSource, Reader, ReadError
from assent.measure.models.wire.source import Source, open_source

FORMAT = "pytorch-legacy"

_PICKLES = 5  # a magic number, a protocol, the system, the model, the keys of the storages


def recognizes(source: ModelSource) -> bool:
    """By the magic number."""
    return source.head.startswith(TORCH_MAGIC)


def read(source: ModelSource) -> Part:
    """Tensors, and every name that loading would import."""
    content = open_source(source.path)
    budget = Budget()
    walks = _walked(content, budget)
    findings = Findings([*walks, *walk_inside(content, walks, budget)])
    dangers: dict[Danger, None] = dict.fromkeys(findings.dangers)
    code = list(findings.code)
    problem = findings.problem
    tensors: list[Stored] = []
    beside = remainder_of(None)
    root = walks[3].root if problem is None else None
    if problem is None:
        try:
            tensors = tensors_of(root)
            beside = remainder_of(root)
            rest = content.end - _storages(content, walks, code).end
            if rest:
                dangers[Danger(what=f"{rest:,} bytes behind the end of the tensors")] = None
        except ReadError as error:
            problem = str(error)
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        parameters=parameters_of(tensors) if tensors else None,
        counted=COUNTED if tensors else None,
        tensors=tuple(
            Tensor(name=tensor.name, dtype=tensor.dtype, shape=tensor.shape) for tensor in tensors
        ),
        settings={} if problem else settings_of(root) | beside.settings,
        imports=findings.imports,
        dangers=tuple(dangers),
        code=tuple(code),
        problem=problem,
        left_out=None if problem else left_out_of(tensors, walks[3].persistent, beside),
    )


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the numbers of each tensor lie in the file, by name. Raises `ReadError`."""
    content = open_source(source.path)
    walks = _walked(content, Budget())
    if (problem := walks[-1].problem) is not None:
        raise ReadError(problem)
    places = _storages(content, walks, []).places
    is_little = _is_little(walks[2].root)
    by_name: dict[str, Place] = {}
    for tensor in tensors_of(walks[3].root):
        if not is_little:
            by_name[tensor.name] = Unread(shape=tensor.shape, why=HIGH_FIRST)
        elif tensor.key in places:
            by_name[tensor.name] = placed(tensor, source.path, *places[tensor.key])
    return by_name


def _walked(content: Source, budget: Budget) -> list[Walk]:
    """The pickles that the file begins with, up to the first that cannot be read wholly."""
    walks: list[Walk] = []
    at = content.start
    for _ in range(_PICKLES):
        walks.append(walk(content, budget, start=at, persistent=True))
        if walks[-1].problem is not None:
            break
        at = walks[-1].end
    return walks


def _is_little(system: object) -> bool:
    """Whether the lowest byte comes first, as the file says of the system that wrote it."""
    flat = system.flat if isinstance(system, Pairs) else []
    flags = dict(zip(map(str, flat[::2]), flat[1::2], strict=False))
    return flags.get("little_endian", True) is True


class _Storages(NamedTuple):
    """Where each storage begins and how many bytes it has, and where the last one ends."""

    places: dict[str, tuple[int, int]]
    end: int


def _storages(content: Source, walks: list[Walk], code: list[str]) -> _Storages:
    """Where the numbers are: the storages in the order of the last pickle, each a count in 8 bytes
    and the items.
    """
    places: dict[str, tuple[int, int]] = {}
    sizes: dict[str, int] = {}
    for outside in walks[3].persistent:
        storage = storage_of(outside)
        if storage is not None:
            _, key, item_bytes, _ = storage
            sizes[key] = item_bytes
        elif not _is_module(outside, code):
            raise ReadError("an object outside of the pickle that is no storage")
    keys, at = walks[4].root, walks[4].end
    if type(keys) is not list:
        raise ReadError("there are no keys of the storages")
    for key in keys:
        if type(key) is not str or key not in sizes or at + 8 > content.end:
            raise ReadError("a storage that no tensor has, or that is not in the file")
        count = int.from_bytes(content.view[at : at + 8], "little")
        places[key] = (at + 8, count * sizes[key])
        at += 8 + count * sizes[key]
        if at > content.end:
            raise ReadError(f"a storage of {count:,} items, which are not in the file")
    return _Storages(places, at)


def _is_module(outside: Persistent, code: list[str]) -> bool:
    """A class of a whole module is written with its source code, which is never run."""
    id_ = outside.id
    if type(id_) is not tuple or len(id_) != 4 or id_[0] != "module":
        return False
    if id_[3] is not None:
        code.append(f"source code of {getattr(id_[1], 'full', 'a class')}")
    return True


READER = Reader(
    format=FORMAT, recognizes=recognizes, read=read, locate=locate, follows_pickles=True
)
