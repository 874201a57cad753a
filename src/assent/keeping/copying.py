"""A bundle on its way from one store to another: what is held is not sent, the rest is verified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from assent.core.bundle import Bundle, read_manifest
from assent.core.digest import Digest, hex_of, short
from assent.core.kept_inspection import EMPTY, layer_of
from assent.errors import IntegrityError
from assent.keeping.contents import sizes_of
from assent.ports import BlobState, NotInStoreError, Progress, Source, Store, Wanted

BATCH_BYTES = 64 << 20
"""How much is fetched before it is sent: so much of the disk is needed, or the largest blob."""
BATCH = 64


class CopiedBundle(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one bundle: the bytes that were sent, and what the source lacks of it, or the
    target does not take. The other store has it whole if that is nothing.
    """

    sent_bytes: int = 0
    bundle: Bundle | None = None
    lacks: tuple[str, ...] = ()


class Copying:
    """From one store to another. `scratch` is a folder for what is no file of this machine."""

    def __init__(
        self, source: Store, target: Store, scratch: Path, progress: Progress | None = None
    ) -> None:
        self._source = source
        self._target = target
        self._scratch = scratch
        self._progress = progress
        self._done: set[Digest] = set()

    def bundle(self, digest: Digest, *, of: str | None = None) -> CopiedBundle:
        """Copy a bundle, its manifest last: it is there when all that it names is. One of another
        model than `of` is left alone: anybody may leave a hint that names it.
        """
        try:
            content = self._source.read(digest)
            bundle = read_manifest(content)
        except (NotInStoreError, IntegrityError) as error:
            return CopiedBundle(lacks=(f"the manifest: {error.problem}",))
        if of is not None and bundle.model != of:
            return CopiedBundle(lacks=(f"it is of {bundle.model!r}",))
        most = self._target.largest_manifest_bytes
        if len(content) > most:
            problem = f"the manifest has {len(content):,} bytes, and the other store takes {most:,}"
            return CopiedBundle(bundle=bundle, lacks=(problem,))
        sent, lacks = self._blobs(bundle)
        if not lacks:
            [stored] = self._target.add([Source(content=content, is_manifest=True)])
            self._target.flush(bundle.blobs)
            sent += stored.size_bytes if stored.is_new else 0
        return CopiedBundle(sent_bytes=sent, bundle=bundle, lacks=tuple(lacks))

    def inspection(self, digest: Digest) -> None:
        """Copy what was said of the files of a version, where it is held: it saves reading them."""
        try:
            manifest = self._source.read(digest)
            layer = layer_of(manifest)
            content = None if layer is None else self._source.read(layer)
        except (NotInStoreError, IntegrityError):
            return
        if content is not None:
            self._target.add([Source(content=EMPTY), Source(content=content)])
            self._target.add([Source(content=manifest, is_manifest=True)])

    def _blobs(self, bundle: Bundle) -> tuple[int, list[str]]:
        sizes = {blob: size for blob, size in sizes_of(bundle) if blob not in self._done}
        self._target.renew(list(sizes))  # who cleans up there keeps what is found now
        there = self._target.confirm(list(sizes))
        self._done |= {blob for blob, state in there.items() if state is BlobState.SOUND}
        missing = [
            Wanted(digest=blob, size_bytes=size, path=self._scratch / hex_of(blob), is_scratch=True)
            for blob, size in sizes.items()
            if there[blob] is not BlobState.SOUND
        ]
        names = {file.digest: file.path for file in bundle.files}
        sent, lacks = 0, list[str]()
        for batch in _batches(missing):
            for wanted, problem in self._sent(batch).items():
                if problem:
                    lacks.append(f"{names.get(wanted.digest, short(wanted.digest))}: {problem}")
                else:
                    sent += wanted.size_bytes
                    self._done.add(wanted.digest)
        return sent, lacks

    def _sent(self, batch: Sequence[Wanted]) -> dict[Wanted, str]:
        """What is wrong with each blob that was to be sent; nothing with what was."""
        problems: dict[Wanted, str] = {}
        places: dict[Wanted, Path] = {}
        for wanted in batch:
            is_elsewhere = self._source.is_elsewhere
            place = None if is_elsewhere else self._source.locate(wanted.digest)
            if place is not None:
                [state] = self._source.check([wanted.digest]).values()
                problems[wanted] = "" if state is BlobState.SOUND else f"it is {state.value}"
                places[wanted] = place
        away = [wanted for wanted in batch if wanted not in places]
        try:
            problems |= self._fetched(away)
            good = [blob for blob in batch if not problems[blob]]
            sources = [
                Source(path=places.get(blob, blob.path), is_scratch=blob not in places)
                for blob in good
            ]
            stored = self._target.add(sources, self._progress)
        finally:
            for blob in away:
                blob.path.unlink(missing_ok=True)
        for blob, kept in zip(good, stored, strict=True):
            if kept.digest != blob.digest:
                problems[blob] = "it has changed while it was copied"
        return problems

    def _fetched(self, away: Sequence[Wanted]) -> dict[Wanted, str]:
        """Bring blobs here, verified. Where one of them is bad, each is tried for itself."""
        try:
            self._source.fetch(away)
        except (NotInStoreError, IntegrityError) as error:
            if len(away) == 1:
                return {away[0]: error.problem}
            parts = [self._fetched([blob]) for blob in away]
            return {blob: problem for part in parts for blob, problem in part.items()}
        return dict.fromkeys(away, "")


def _batches(wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    batch: list[Wanted] = []
    for blob in wanted:
        total = sum(other.size_bytes for other in batch) + blob.size_bytes
        if batch and (total > BATCH_BYTES or len(batch) == BATCH):
            yield batch
            batch = []
        batch.append(blob)
    if batch:
        yield batch
