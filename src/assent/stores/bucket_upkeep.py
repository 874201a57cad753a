"""What is held in a bucket and how old it is; taking away what is old, beside writers.

    tmp/used/<hex>            since when the age of a blob is counted
    tmp/gone/<hex>-<random>   a blob while it is taken away

A service says when an object was written and not when it was used last. So the first clean-up that
meets a blob notes the time, whoever uses it later writes a new note, and only what was noted long
ago is taken away: it is copied aside, removed, and put back if the note has changed meanwhile. So
whoever has written a note and then finds the blob held keeps it. Each process has a copy of its own
aside, so that of two at once none takes the other's. What is aside when a process is killed is put
back by a clean-up a day later, when nobody can be at it any more.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

from assent.core.buckets import Service
from assent.core.bundle import begins_bundle
from assent.core.digest import Digest, hex_of, is_digest
from assent.ports import Held, StaysError
from assent.stores import layout
from assent.stores.age_notes import FRESH_S, Note, note_of_now, read_note
from assent.stores.buckets import Bucket
from assent.stores.folder_upkeep import named_by_others
from assent.stores.local_files import bundle_of
from assent.stores.parallel import Transfers

CONNECTIONS = 16
BLOBS = f"{layout.BLOBS}/sha256"
_USED, _GONE = f"{layout.TEMPORARY}/used", f"{layout.TEMPORARY}/gone"
MOST_COPIED_BYTES = 5 << 30
"""What S3 copies in one go."""
_ABANDONED_S = 24 * 60 * 60.0
_HEAD_BYTES = 64
_MAX_NOTE_BYTES = 4096
_MAX_INDEX_BYTES = 16 << 20
_MAX_MANIFEST_BYTES = 64 << 20


class BucketUpkeep:
    """The blobs of a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def held(self) -> Iterator[Held]:
        """See `Upkeep.held`."""
        sizes = {
            Digest(digest): size
            for name, size in self._bucket.sizes(BLOBS)
            if is_digest(digest := _digest_in(name))
        }
        noted, named = self._noted(), self._named_by_others()

        def look(digest: Digest) -> Held:
            size = sizes[digest]
            is_small = size <= _MAX_MANIFEST_BYTES
            most = min(size, _HEAD_BYTES) if is_small else 0
            beginning = self._bucket.start(f"{BLOBS}/{hex_of(digest)}", most)
            note = self._note(digest) if digest in noted else None
            return Held(
                digest=digest,
                size_bytes=size,
                age_s=None if note is None else note.age_s,
                may_be_bundle=begins_bundle(beginning),
                is_named=digest in named,
            )

        yield from Transfers().run(look, list(sizes), CONNECTIONS, most=CONNECTIONS)

    def renew(self, digests: Sequence[Digest]) -> None:
        """Note that blobs are used, if their age is counted at all."""
        noted = self._noted() if digests else frozenset()
        counted = [digest for digest in dict.fromkeys(digests) if digest in noted]
        Transfers().run(self.renew_one, counted, CONNECTIONS, most=CONNECTIONS)

    def renew_one(self, digest: Digest) -> None:
        """The same of one blob, by its own note alone."""
        note = self._note(digest)
        if note is not None and note.age_s >= FRESH_S:
            self._write_note(digest)

    def remove(self, digest: Digest, *, older_than_s: float) -> bool:
        """See `Upkeep.remove`."""
        blob = f"{BLOBS}/{hex_of(digest)}"
        before = self._note(digest)
        seen = self._bucket.head(blob)
        if seen is None:
            return False
        if before is None and older_than_s > 0:
            self._write_note(digest)
            return False
        if before is not None and before.age_s < older_than_s:
            return False
        if self._bucket.address.service is Service.S3 and seen.size > MOST_COPIED_BYTES:
            raise StaysError(
                f"removing {blob} in {self._bucket.address}",
                "S3 copies nothing above 5 GiB, so that it could not be put back for who needs it",
                hint="remove it with the tools of the service once nobody is at work",
            )
        return self._taken(digest, blob, before)

    def _taken(self, digest: Digest, blob: str, before: Note | None) -> bool:
        aside = f"{_GONE}/{hex_of(digest)}-{os.urandom(8).hex()}"
        try:
            self._bucket.copy(blob, aside)
        except FileNotFoundError:  # somebody else was first
            return False
        self._bucket.remove(blob)
        if self._note(digest) != before:
            self._put_back(aside, blob)
            return False
        self._bucket.remove(aside)
        self._bucket.remove(f"{_USED}/{hex_of(digest)}")
        return True

    def forget(self, bundles: Collection[Digest]) -> None:
        """See `Upkeep.forget`."""
        if not bundles:
            return
        models = [name for name in self._bucket.folders() if layout.is_model(name)]
        hints = [name for model in models for name in hint_names(self._bucket, model)]
        named = Transfers().run(self._hint, hints, CONNECTIONS, most=CONNECTIONS)
        for name, bundle in zip(hints, named, strict=True):
            if bundle in bundles:
                self._bucket.remove(name)

    def sweep(self) -> int:
        """See `Upkeep.sweep`: nothing that is not complete is to be seen in a bucket. What somebody
        was taking away a day ago is put back.
        """
        for name, age_s in self._bucket.ages(_GONE):
            if age_s >= _ABANDONED_S:
                self._put_back(name, f"{BLOBS}/{name.rpartition('/')[2].partition('-')[0]}")
        return 0

    # --- notes ------------------------------------------------------------------------------------

    def _noted(self) -> frozenset[Digest]:
        names = (_digest_in(name) for name in self._bucket.names(_USED))
        return frozenset(Digest(digest) for digest in names if is_digest(digest))

    def _note(self, digest: Digest) -> Note | None:
        answer = self._bucket.read(f"{_USED}/{hex_of(digest)}", _MAX_NOTE_BYTES)
        return None if answer is None else read_note(answer[0], digest)

    def _write_note(self, digest: Digest) -> None:
        self._bucket.put(f"{_USED}/{hex_of(digest)}", note_of_now(digest))

    def _put_back(self, aside: str, blob: str) -> None:
        if self._bucket.head(blob) is None:
            with suppress(FileNotFoundError):  # somebody else has put it back
                self._bucket.copy(aside, blob)
        self._bucket.remove(aside)

    # --- reading ----------------------------------------------------------------------------------

    def _named_by_others(self) -> set[str]:
        content = self._bucket.read(layout.INDEX_FILE, _MAX_INDEX_BYTES)
        return named_by_others(None if content is None else content[0], self._manifest)

    def _manifest(self, digest: str) -> bytes | None:
        name = f"{BLOBS}/{digest.partition(':')[2]}"
        content = self._bucket.read(name, _MAX_MANIFEST_BYTES)
        return None if content is None else content[0]

    def _hint(self, name: str) -> Digest | None:
        content = self._bucket.read(name, _MAX_NOTE_BYTES)
        return None if content is None else bundle_of(content[0])


def hint_names(bucket: Bucket, model: str) -> list[str]:
    """The names of the hints of a model."""
    kinds = [folder for folder in bucket.folders(model) if layout.is_of_hints(folder)]
    return [name for kind in kinds for name in bucket.names(f"{model}/{kind}")]


def _digest_in(name: str) -> str:
    return f"sha256:{name.rpartition('/')[2]}"
