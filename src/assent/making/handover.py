"""Bundles that another job has made: fetched through the forge, as data."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from assent.core.bundle import MAX_FILES, Bundle, read_manifest
from assent.core.digest import Digest, short
from assent.core.evidence import Run
from assent.errors import IntegrityError, UsageError
from assent.files import scratch_folder
from assent.making.attachments import MAX_BYTES
from assent.making.bundle_size import BESIDE_BYTES, limit_of_taken, require_size
from assent.making.bundles import decode_evidence, read_bundle
from assent.making.packing import BundleResult, hint_of, stored_already
from assent.making.storing import Parts, StoredBundle, store_whole
from assent.ports import NotInStoreError, Progress, Source, Store, Wanted
from assent.workspace import Workspace

_MADE_BY_ASSENT = "let the job write it with `assent bundle --output`, and change nothing in it"


def taken(
    workspace: Workspace,
    model: str,
    fetch: Callable[[Path, int], Run | None],
    *,
    progress: Progress | None = None,
) -> Digest | None:
    """Store the bundle that `fetch` writes to a folder, of no more than so many bytes, and return
    its digest; None if it has none. The forge has said which run it is of, and the bundle must say
    the same.
    """
    with scratch_folder(workspace.work, ".left-") as scratch:
        folder = scratch / "bundle"
        run = fetch(folder, limit_of_taken(workspace, model) + BESIDE_BYTES)
        if run is None:
            return None
        return take(workspace, model, folder, left_by=run, progress=progress).bundle


def take(
    workspace: Workspace,
    model: str,
    folder: Path,
    *,
    left_by: Run | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> BundleResult:
    """Store the bundle that `bundle` has written to `folder` in another job: one of the run
    `left_by`, where the forge has said so.

    The folder is data of code that nobody has reviewed: every byte is verified, what it says of
    itself becomes no hint for later runs, and nothing of it is run. A store elsewhere that has the
    manifest is sent nothing, unless there is `force`. Raises `UsageError` if it holds no bundle of
    this model, and `IntegrityError` for one that does not verify.
    """
    doing = f"taking the bundle of {model} from {folder}"
    _require_plain(folder, doing)
    source = workspace.folder_store(folder)
    digest = source.recall(hint_of(model))
    if digest is None:
        hint = "write it with `assent bundle --output`"
        raise UsageError(doing, "it holds no bundle of this model", hint=hint)
    try:
        manifest = source.read(digest)
    except NotInStoreError:
        # A locked bundle is handed over by its name. Whether the change may name it, whoever
        # judges it asks, as of bytes that the change has brought.
        return stored_already(workspace, read_bundle(workspace, model, digest))
    taken = read_manifest(manifest)
    evidence_bytes = source.read(taken.evidence.digest)
    known = decode_evidence(taken, evidence_bytes)
    if taken.model != model:
        raise IntegrityError(doing, f"bundle {short(digest)} is of {taken.model!r}")
    _require_of_run(known.run, left_by or workspace.context.woken_by, doing)
    if not taken.files:
        raise IntegrityError(doing, "it holds no file of a model", hint=_MADE_BY_ASSENT)
    if len(taken.files) + len(taken.attachments) > MAX_FILES:
        raise IntegrityError(doing, f"it has more than {MAX_FILES:,} files")
    if any(attachment.size > MAX_BYTES for attachment in taken.attachments):
        raise IntegrityError(doing, f"an attachment has more than {MAX_BYTES:,} bytes")
    sizes = [(file.path, file.size_bytes) for file in taken.files]
    sizes += [(attachment.path, attachment.size_bytes) for attachment in known.attachments]
    require_size(limit_of_taken(workspace, model), sizes, doing)
    config = Source(content=source.read(Digest(taken.config.digest)))
    parts = Parts(manifest=manifest, beside=lambda: [config, Source(content=evidence_bytes)])
    stored = _copied(workspace, source, taken, parts, progress, force=force)
    return BundleResult(
        model=model,
        bundle=digest,
        model_digest=taken.model_digest,
        inputs_digest=known.inputs_digest,
        files=len(taken.files),
        size_bytes=sum(file.size_bytes for file in taken.files),
        new_bytes=stored.new_bytes,
    )


def _copied(
    workspace: Workspace,
    source: Store,
    taken: Bundle,
    parts: Parts,
    progress: Progress | None,
    *,
    force: bool,
) -> StoredBundle:
    """Store a bundle that another store holds: its model files, its attachments, and the rest."""
    with scratch_folder(workspace.work, ".taken-") as scratch:
        # Verified while they are copied: only what has the digest that it is said to have gets
        # near the store. Each blob once: a thousand names of one large file are one file.
        sizes = {file.digest: file.size_bytes for file in taken.files}
        sizes |= {attachment.digest: attachment.size for attachment in taken.attachments}
        wanted = [
            Wanted(digest=digest, size_bytes=size, path=scratch / str(number), is_scratch=True)
            for number, (digest, size) in enumerate(sizes.items())
        ]
        source.fetch(wanted)

        def proven(digests: Sequence[Digest]) -> Parts:
            if list(digests) != list(sizes):
                raise IntegrityError(
                    f"taking the bundle of {taken.model}",
                    "its files were changed while they were read",
                )
            return parts

        files = [Source(path=blob.path, is_scratch=True) for blob in wanted]
        return store_whole(workspace.store, files, proven, progress, force=force)


def _require_of_run(run: Run | None, left_by: Run | None, doing: str) -> None:
    """Raise `IntegrityError` for a bundle that does not name the run which has handed it over. The
    code of the change writes the evidence, but whoever started the run must not approve what it
    made: it may name no other.
    """
    if left_by is None:
        return
    made = _as_a_whole(left_by)
    whole = None if run is None or run.system != left_by.system else _as_a_whole(run)
    if whole != made:
        named = "no run" if whole is None else f"attempt {whole[1]} of run {whole[0]}"
        raise IntegrityError(
            doing,
            f"its evidence names {named}, it comes from attempt {made[1]} of run {made[0]}",
            hint="let CI train and evaluate the newest revision, all jobs of the run together",
        )


def _as_a_whole(run: Run) -> tuple[str, int]:
    """The id and attempt of a run, whichever of its jobs it names after a slash."""
    return run.id.partition("/")[0], run.attempt


def _require_plain(folder: Path, doing: str) -> None:
    """Raise `IntegrityError` unless there is nothing but files and folders: a link leads to other
    files of this machine, and a pipe has no end.
    """
    count = 0
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            count += 1
            mode = os.lstat(os.path.join(parent, name)).st_mode  # noqa: PTH118  # many
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise IntegrityError(doing, f"{name!r} in it is neither a file nor a folder")
        if count > 2 * MAX_FILES:
            raise IntegrityError(doing, f"it holds more than {2 * MAX_FILES:,} files")
