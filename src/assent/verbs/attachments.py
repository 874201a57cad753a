"""Attachments of the evidence: left by `evaluate`, stored by `bundle`, read by whoever judges."""

from __future__ import annotations

import shutil
from pathlib import Path

from assent.core.digest import Digest, digest_of, hex_of, short
from assent.core.evidence import Attachment, Evidence
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.ports import NotInStoreError, Source
from assent.verbs.work import write_atomically
from assent.verbs.workspace import Workspace

MAX_BYTES = 1_000_000_000
"""The largest attachment: predictions of some ten million rows."""


def attach(
    workspace: Workspace, model: str, path: str, content: bytes, media_type: str
) -> Attachment:
    """Leave `content` for `bundle`, as the attachment of this path. Raises `UsageError` for one
    that is too large.
    """
    if len(content) > MAX_BYTES:
        raise UsageError(
            f"attaching {path} to the evidence of {model}",
            f"it has {len(content):,} bytes, and at most {MAX_BYTES:,} are kept",
        )
    digest = digest_of(content)
    write_atomically(_folder(workspace, model) / hex_of(digest), content)
    return Attachment(path=path, digest=digest, size_bytes=len(content), media_type=media_type)


def detach(workspace: Workspace, model: str) -> None:
    """Take away what an earlier evaluation left."""
    folder = _folder(workspace, model)
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise OutsideError(f"removing {folder}", error.strerror or str(error)) from None


def attached(workspace: Workspace, model: str, evidence: Evidence) -> list[Source]:
    """The attachments of evidence that `evaluate` left or took over, to be stored. Raises
    `UsageError` if one is neither here nor in the store.
    """
    return [_source(workspace, model, one) for one in evidence.attachments]


def read_attachment(workspace: Workspace, evidence: Evidence, digest: Digest) -> bytes:
    """The bytes of an attachment from the store, verified. Raises `IntegrityError` if the evidence
    names none of this digest.
    """
    doing = f"reading the attachment {short(digest)} of {evidence.model}"
    found = next((one for one in evidence.attachments if one.digest == digest), None)
    if found is None:
        raise IntegrityError(doing, "the evidence does not name it among its attachments")
    if found.size_bytes > MAX_BYTES:
        raise IntegrityError(doing, f"it has more than {MAX_BYTES:,} bytes")
    return workspace.store.read(digest)


def _source(workspace: Workspace, model: str, one: Attachment) -> Source:
    doing = f"bundling {model}"
    path = _folder(workspace, model) / hex_of(one.digest)
    hint = "run `assent evaluate --force` again"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        try:
            return Source(content=workspace.store.read(one.digest))
        except NotInStoreError:
            problem = f"{one.path} of the evidence is gone"
            raise UsageError(doing, problem, hint=hint) from None
    except OSError as error:
        raise OutsideError(doing, f"{path}: {error.strerror or error}") from None
    if digest_of(content) != one.digest:
        raise UsageError(doing, f"{one.path} of the evidence was changed", hint=hint)
    return Source(content=content)


def _folder(workspace: Workspace, model: str) -> Path:
    return workspace.work / "work" / model / "attachments"
