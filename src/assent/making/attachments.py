"""Attachments of the evidence: left by `evaluate`, stored by `bundle`, read by whoever judges."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.core.digest import Digest, digest_of, hex_of, short
from assent.core.evidence import Attachment, Evidence
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.files import scratch_folder, write_atomically
from assent.ports import NotInStoreError, Source, Wanted
from assent.workspace import Workspace

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
        raise OutsideError(
            f"removing {folder}",
            error.strerror or str(error),
            hint="make the folder writable and run the verb again",
        ) from None


def attached(workspace: Workspace, model: str, evidence: Evidence) -> list[Source]:
    """The attachments of evidence that `evaluate` left or took over, to be stored. Raises
    `UsageError` if one is neither here nor in the store.
    """
    return [_source(workspace, model, attachment) for attachment in evidence.attachments]


def read_attachment(
    workspace: Workspace, evidence: Evidence, digest: Digest, *, most: int = MAX_BYTES
) -> bytes:
    """The bytes of an attachment from the store, verified. Raises `IntegrityError` if the evidence
    names none of this digest, or if it has more than `most` bytes or others than it says.
    """
    attachment = _named(evidence, digest, most)
    content = workspace.store.read(digest)
    if len(content) != attachment.size_bytes:
        raise IntegrityError(_doing(evidence, digest), "it has another size than the evidence says")
    return content


@contextmanager
def attachment_file(workspace: Workspace, evidence: Evidence, digest: Digest) -> Iterator[Path]:
    """A copy of an attachment that may be too large for memory, verified, as long as it is looked
    at. Raises as `read_attachment` does.
    """
    attachment = _named(evidence, digest, MAX_BYTES)
    with scratch_folder(workspace.work, ".attached-") as scratch:
        place = scratch / "content"
        workspace.store.fetch([Wanted(digest=digest, size_bytes=attachment.size_bytes, path=place)])
        yield place


def _named(evidence: Evidence, digest: Digest, most: int) -> Attachment:
    listed = next(
        (attachment for attachment in evidence.attachments if attachment.digest == digest), None
    )
    if listed is None:
        problem = "the evidence does not name it among its attachments"
        raise IntegrityError(_doing(evidence, digest), problem)
    if listed.size_bytes > most:
        raise IntegrityError(_doing(evidence, digest), f"it has more than {most:,} bytes")
    return listed


def _doing(evidence: Evidence, digest: Digest) -> str:
    return f"reading the attachment {short(digest)} of {evidence.model}"


def _source(workspace: Workspace, model: str, attachment: Attachment) -> Source:
    """The file that `evaluate` left; where it took the evidence over, that of the store."""
    path = _folder(workspace, model) / hex_of(attachment.digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        workspace.store.fetch(
            [Wanted(digest=attachment.digest, size_bytes=attachment.size_bytes, path=path)]
        )  # verifies a file that is there, and leaves it alone
    except NotInStoreError:
        raise UsageError(
            f"bundling {model}",
            f"{attachment.path} of the evidence is gone, or was changed",
            hint="run `assent evaluate --force` again",
        ) from None
    return Source(path=path)


def _folder(workspace: Workspace, model: str) -> Path:
    return workspace.work / "work" / model / "attachments"
