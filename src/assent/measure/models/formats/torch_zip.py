"""PyTorch's zip files: checkpoints, whole modules and TorchScript."""

from __future__ import annotations

import hashlib
import sys
from pathlib import PurePosixPath
from typing import Any, Final

from assent.core.inspection import Danger, Part, Tensor
from assent.core.scalar import Scalar
from assent.measure.models.formats.pickles import Findings, begins_like_pickle, walk_inside
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
from assent.measure.models.inert.values import OPAQUE
from assent.measure.models.inert.walk import walk
from assent.measure.models.located import COMPRESSED, HIGH_FIRST, Place, Unread
from assent.measure.models.reader import HEAD_BYTES, ModelSource, Reader, ReadError
from assent.measure.models.wire.zips import MAGIC, Archive, Member, open_archive

FORMAT = "pytorch"

_SUFFIXES: Final = frozenset({".pt", ".pth", ".ckpt", ".ptl", ".torch"})
_MACHINE_CODE: Final = frozenset({".so", ".dll", ".dylib", ".pyd", ".exe", ".pyc"})
_MEMBERS: Final = frozenset(
    {
        "data.pkl",
        "constants.pkl",
        "attributes.pkl",
        "bytecode.pkl",
        "traced_inputs.pkl",
        "mobile_debug_handles.pkl",
        "version",
        "byteorder",
        ".format_version",
        ".storage_alignment",
        ".data/serialization_id",
    }
)
_FOLDERS: Final = ("data/", "constants/", "code/", "extra/")
"""What PyTorch writes. With anything else, the file may be meant for another reader as well."""
_MAX_CODE = 4 * 1024 * 1024


def recognizes(source: ModelSource) -> bool:
    """A zip with a suffix of PyTorch, or with a `data.pkl` in it."""
    if not source.head.startswith(MAGIC):
        return False
    if PurePosixPath(source.name).suffix.lower() in _SUFFIXES:
        return True
    try:
        return _main(open_archive(source.path)) is not None
    except ReadError:
        return False


def read(source: ModelSource) -> Part:
    """Tensors, every name that loading would import, and the code of TorchScript."""
    archive = open_archive(source.path)
    main = _main(archive)
    if main is None:
        raise ReadError("a zip archive without the data.pkl of PyTorch")
    prefix = main.name.removesuffix("data.pkl")
    for name in archive.members:
        own = name.removeprefix(prefix)
        if not name.startswith(prefix) or not (own in _MEMBERS or own.startswith(_FOLDERS)):
            archive.note("a member that PyTorch does not write", name)
    root, walks = _walk_members(archive, main)
    findings = Findings(walks)
    code = _code(archive)
    is_script = f"{prefix}constants.pkl" in archive.members and bool(code)
    imports = tuple(name for name in findings.imports if not (is_script and _is_script_class(name)))
    dangers: dict[Danger, None] = dict.fromkeys([*archive.dangers, *findings.dangers])
    problem = findings.problem
    tensors: list[Stored] = []
    beside = remainder_of(None)
    if problem is None:
        try:
            tensors = tensors_of(root)
            beside = remainder_of(root)
            _require_storages(archive, prefix, walks[0])
        except ReadError as error:
            problem = str(error)
    more = beside.settings | (_program(archive) if is_script else {})
    return Part(
        path=source.name,
        format="torchscript" if is_script else FORMAT,
        size_bytes=source.size_bytes,
        parameters=parameters_of(tensors) if tensors else None,
        counted=COUNTED if tensors else None,
        tensors=tuple(
            Tensor(name=tensor.name, dtype=tensor.dtype, shape=tensor.shape) for tensor in tensors
        ),
        settings={} if problem else settings_of(root) | more,
        versions=_versions(archive, prefix),
        imports=imports,
        dangers=tuple(dangers),
        code=(*code, *findings.code),
        problem=problem,
        left_out=None if problem else left_out_of(tensors, walks[0].persistent, beside),
    )


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the numbers of each tensor lie in the file, by name. Raises `ReadError`."""
    archive = open_archive(source.path)
    main = _main(archive)
    if main is None:
        return {}
    prefix = main.name.removesuffix("data.pkl")
    seen = walk(archive.read(main), Budget(), persistent=True)
    if seen.problem is not None:
        raise ReadError(seen.problem)
    is_little = (_text(archive, f"{prefix}byteorder") or sys.byteorder) == "little"
    places: dict[str, Place] = {}
    for tensor in tensors_of(seen.root):
        member = archive.members.get(f"{prefix}data/{tensor.key}")
        if member is None:
            continue
        why = COMPRESSED if member.is_deflated else None if is_little else HIGH_FIRST
        if why is not None:
            places[tensor.name] = Unread(shape=tensor.shape, why=why)
        else:
            places[tensor.name] = placed(tensor, source.path, member.start, member.size_bytes)
    return places


def _main(archive: Archive) -> Member | None:
    """The pickle of the model. PyTorch looks below the folder of the first member; two of them
    are a trick.
    """
    pickles = [
        member
        for name, member in archive.members.items()
        if name == "data.pkl" or (name.endswith("/data.pkl") and name.count("/") == 1)
    ]
    if len(pickles) > 1:
        archive.note(
            "two pickles of PyTorch in one zip", ", ".join(member.name for member in pickles[:3])
        )
    return pickles[0] if pickles else None


def _walk_members(archive: Archive, main: Member) -> tuple[Any, list[Walk]]:
    """The value of the main pickle, and the walks of it and of every other member that begins
    like a pickle.
    """
    budget = Budget()
    content = archive.read(main)
    first = walk(content, budget, persistent=True)
    if first.problem is None and first.end < content.end:
        first.danger(f"{content.end - first.end:,} bytes behind the end of the pickle")
    walks = [first, *walk_inside(content, [first], budget)]
    for member in archive.members.values():
        if member is main or not member.size_bytes:
            continue
        head = archive.head(member, HEAD_BYTES)
        is_named = member.name.endswith(".pkl")
        is_whole = member.size_bytes <= len(head)
        if not is_named and not begins_like_pickle(head, is_whole=is_whole):
            continue
        content = archive.read(member)
        seen = walk(content, budget, persistent=is_named)
        is_script = member.name.endswith((".pkl", ".debug_pkl"))
        if not is_script:
            # Numbers can begin like a pickle; they do not reach its end, nor call anything.
            if seen.problem is not None and not seen.is_active:
                continue
            seen.problem = None
            seen.danger("a pickle where there should be none", member.name)
        elif seen.problem is None and seen.end < content.end:
            seen.danger("bytes behind the end of a pickle", member.name)
        walks.extend([seen, *walk_inside(content, [seen], budget)])
    root = first.root if first.problem is None else OPAQUE
    return root, walks


def _require_storages(archive: Archive, prefix: str, main: Walk) -> None:
    """Refuse storages that are not there, or not as large as the pickle says."""
    for outside in main.persistent:
        storage = storage_of(outside)
        if storage is None:
            raise ReadError("an object outside of the pickle that is no storage")
        _, key, item_bytes, count = storage
        member = archive.members.get(f"{prefix}data/{key}")
        if member is None:
            raise ReadError(f"the storage {key[:100]!r} is not in the file")
        if member.size_bytes != count * item_bytes:
            raise ReadError(f"the storage {key[:100]!r} is not as large as the pickle says")


def _code(archive: Archive) -> tuple[str, ...]:
    """The source code in the archive, with the start of its SHA-256: other code is another
    name.
    """
    sources = []
    for name, member in archive.members.items():
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in _MACHINE_CODE:
            archive.note("machine code in the archive", name)
        if suffix != ".py":
            continue
        if member.size_bytes > _MAX_CODE:
            raise ReadError(f"its code {name[:100]!r} is larger than 4 MiB")
        content = archive.read(member)
        digest = hashlib.sha256(content.view[content.start : content.end]).hexdigest()
        shown = name.partition("/")[2] if "/" in name else name
        sources.append(f"{shown} sha256:{digest[:16]}")
    return tuple(sorted(sources))


def _program(archive: Archive) -> dict[str, Scalar]:
    """The code of TorchScript and the constants that it uses: any other is another digest."""
    digest = hashlib.sha256()
    for name, member in sorted(archive.members.items()):
        own = name.partition("/")[2]
        if own.startswith(("code/", "constants/", "extra/")) or own == "constants.pkl":
            if name.endswith(".debug_pkl"):
                continue  # where the lines of the code came from
            content = archive.read(member)
            digest.update(f"{own} {member.size_bytes}\n".encode(errors="backslashreplace"))
            digest.update(content.view[content.start : content.end])
    return {"code and constants": f"sha256:{digest.hexdigest()[:16]}"}


def _is_script_class(name: str) -> bool:
    """Whether a name is one of TorchScript's own: its code is in the archive, and listed."""
    return name.startswith("__torch__.")


def _versions(archive: Archive, prefix: str) -> dict[str, str]:
    version = _text(archive, f"{prefix}version")
    return {} if version is None else {"pytorch file": version}


def _text(archive: Archive, name: str) -> str | None:
    member = archive.members.get(name)
    if member is None or member.size_bytes > 100:
        return None
    content = archive.read(member)
    return str(content.view[content.start : content.end], "ascii", "replace").strip()


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
