"""A store in a bucket of an object store: S3, Google Cloud Storage, Azure Blob Storage.

Everything lies there under the name that it has in a folder (`stores/directory.py`), so that what
copies files copies stores. What a folder does with a lock is done with conditions here: an object
is replaced if it is still the one that was read. A service that ignores conditions is found by
trying; there pointers are as in a registry, and of two writers at once the last one stays.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from assent.core.addresses import opening
from assent.core.buckets import FORM, Address, bucket_of
from assent.core.digest import Digest, canonical_json, digest_of, hex_of, is_digest
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.ports import (
    BlobState,
    Held,
    NotInStoreError,
    Pointer,
    Progress,
    Source,
    Stored,
    Wanted,
)
from assent.stores import layout
from assent.stores.bucket_upkeep import BLOBS, CONNECTIONS, BucketUpkeep, hint_names
from assent.stores.buckets import (
    PART_BYTES,
    Bucket,
    CutOffError,
    MovedOnError,
    Seen,
    open_bucket,
    part_bytes,
)
from assent.stores.layout import Index, Place
from assent.stores.local_files import (
    CHUNK_BYTES,
    bundle_of,
    corrupt,
    digest_of_file,
    missing,
    outside,
    size_of,
)
from assent.stores.parallel import Transfers
from assent.stores.pointing import LAST_WINS, Pointing
from assent.stores.receiving import receive_all

Result = TypeVar("Result")

LARGE_AT_ONCE = 3
"""Each of them holds some parts in memory."""

_MAX_READ_BYTES = 64 << 20
_MAX_SMALL_BYTES = 64 << 10
_MAX_INDEX_BYTES = 16 << 20
_TRIED = f"{layout.TEMPORARY}/conditions"
_SENT_AGAIN = 3
_MOST_ROUNDS = 100
_PAUSE_S = 0.05

_writing: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""Where conditions are ignored: one writer of pointers at a time, of those of this process."""


class _Standing(Place, frozen=True, kw_only=True):
    """A place with what was seen there, which alone may be replaced."""

    seen: Seen | None = None


class Reached:
    """How far one file has come. What is sent again has been reported before."""

    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers
        self._furthest = 0

    def __call__(self, position: int) -> None:
        """Report a position. Raises `StoppedError` if the others have ended."""
        new = position - self._furthest
        if new <= 0:
            return self._transfers.proceed()
        self._furthest = position
        return self._transfers.advance(new)


def open_store(address: str, environ: Mapping[str, str]) -> ObjectStore:
    """The store at `s3://bucket/prefix` and the like. Raises `UsageError` for what is no such
    address, or without what talks to object stores.
    """
    return ObjectStore(open_bucket(parsed(address), environ))


def parsed(address: str) -> Address:
    """What an address names. Raises `UsageError` for what is none of a bucket."""
    bucket = bucket_of(address)
    if bucket is None:
        raise UsageError(
            opening(address),
            "that is no address of a bucket",
            hint=f"write it as {FORM}; how to log in is said in the environment",
        )
    return bucket


class ObjectStore(Pointing):
    """The store in a bucket. Nothing is asked before the first use."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._upkeep = BucketUpkeep(bucket)
        self._lock = threading.Lock()
        self._sound: dict[Digest, str] = {}  # which content was sent or read whole, by its tag

    @property
    def is_elsewhere(self) -> bool:
        """See `Store.is_elsewhere`."""
        return True

    @property
    def abilities(self) -> Mapping[str, str]:
        """See `Store.abilities`: what lies beneath is the service's own."""
        return {}

    @property
    def largest_manifest_bytes(self) -> int:
        """See `Store.largest_manifest_bytes`: what `read` takes into memory."""
        return _MAX_READ_BYTES

    @cached_property
    def _has_conditions(self) -> bool:
        return self._bucket.keeps_conditions(_TRIED)

    @property
    def lacking(self) -> str:
        """See `Pointers.lacking`."""
        if self._has_conditions:
            return ""
        return f"it ignores conditions: {LAST_WINS}"

    # --- blobs ------------------------------------------------------------------------------------

    def add(
        self,
        sources: Sequence[Source],
        progress: Progress | None = None,
        unless: Callable[[Sequence[Digest]], bool] | None = None,
    ) -> list[Stored]:
        """See `Store.add`. What is held is told by the service's own checksum where it is one that
        can be computed here, and is read otherwise.
        """
        transfers = Transfers(progress)
        sizes = [size_of(source) for source in sources]
        digests = transfers.run(_digest_of, sources, CONNECTIONS)
        first = {digest: place for place, digest in reversed(list(enumerate(digests)))}
        if unless is not None and unless(digests):
            first = {}
        new: dict[int, bool] = {}

        def send(place: int) -> None:
            new[place] = self._sent(sources[place], digests[place], sizes[place], transfers)

        self._upkeep.renew(list(first))
        large = [place for place in first.values() if sizes[place] > CHUNK_BYTES]
        small = [place for place in first.values() if sizes[place] <= CHUNK_BYTES]
        transfers.run(send, small, CONNECTIONS, most=CONNECTIONS)
        transfers.run(send, large, LARGE_AT_ONCE, most=LARGE_AT_ONCE)
        for place, size in enumerate(sizes):
            if place not in new:
                transfers.advance(size)
        return [
            Stored(digest=digest, size_bytes=size, is_new=new.get(place, False))
            for place, (digest, size) in enumerate(zip(digests, sizes, strict=True))
        ]

    def keeps(self, manifest: bytes) -> bool:
        """See `Store.keeps`: whether the manifest lies there, byte for byte. While it does, no
        clean-up takes what it names. It takes two requests.
        """
        digest = digest_of(manifest)
        self._upkeep.renew_one(digest)
        try:
            return self.read(digest) == manifest
        except (IntegrityError, NotInStoreError):
            return False

    def read(self, digest: Digest) -> bytes:
        """See `Store.read`; at most 64 MiB."""
        doing = f"reading {digest}"
        answer = self._bucket.read(_blob(digest), _MAX_READ_BYTES)
        if answer is None:
            raise missing(doing)
        content, seen = answer
        if len(content) > _MAX_READ_BYTES:
            raise IntegrityError(doing, "it is larger than 64 MiB: no manifest and no evidence is")
        if digest_of(content) != digest:
            raise corrupt(doing)
        self._see(digest, seen)
        return content

    def fetch(self, wanted: Sequence[Wanted], progress: Progress | None = None) -> None:
        """See `Store.fetch`. A file that is there and right is left alone."""

        def pour(blob: Wanted, into: Callable[[bytes], None]) -> bool:
            return self._bucket.pour(_blob(blob.digest), into) is not None

        receive_all(wanted, progress, pour, connections=CONNECTIONS)

    def locate(self, digest: Digest) -> Path | None:
        """See `Store.locate`: nothing here is a file."""
        del digest
        return None

    def check(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """See `Store.check`."""
        return self._each(digests, self._state)

    def confirm(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """See `Store.confirm`: what this process has sent or read whole, and is still the same
        object, is not read again. Nobody answers for the rest: whoever may write there may write
        anything under any name.
        """
        return self._each(digests, self._confirmed)

    def flush(self, digests: Sequence[Digest]) -> None:
        """See `Store.flush`: what a service has taken is its own to keep, so that it has it is all
        that can be asked.
        """
        self._upkeep.renew(digests)
        there = self._each(digests, lambda digest: self._bucket.head(_blob(digest)) is not None)
        for digest, is_there in there.items():
            if not is_there:
                raise missing(f"asking for {digest} in {self._bucket.address}")

    def discard(self, digest: Digest) -> None:
        """See `Store.discard`."""
        if self._state(digest) is BlobState.CORRUPT:
            self._bucket.remove(_blob(digest))

    # --- pointers and hints -----------------------------------------------------------------------

    def point(self, name: str, pointer: Pointer) -> bool:
        """See `Store.point`."""
        return self._until_alone(name, pointer, partial(super().point, name, pointer))

    def restore(self, name: str, pointer: Pointer, *, instead_of: Pointer | None) -> bool:
        """See `Store.restore`."""
        restore = partial(super().restore, name, pointer, instead_of=instead_of)
        return self._until_alone(name, pointer, restore)

    def pointer(self, name: str) -> Pointer | None:
        """See `Store.pointer`."""
        return self._pointer(layout.pointer_place(name))[0]

    def pointers(self, model: str) -> dict[str, Pointer | None]:
        """See `Store.pointers`."""
        places = self._places(model)
        transfers = Transfers()
        pointers = transfers.run(self._pointer, places, CONNECTIONS, most=CONNECTIONS)
        pairs = zip(places, pointers, strict=True)
        return {place.name: pointer for place, (pointer, seen) in pairs if seen is not None}

    def astray(self, model: str, bundles: Collection[Digest] = ()) -> tuple[str, ...]:
        """See `Store.astray`: the tags in `index.json`. A blob needs no name to stay."""
        del bundles
        wanted = self._index_of([model])
        return layout.astray(self._index()[0] or Index(), wanted, model)

    def relist(self, model: str, bundles: Collection[Digest] = ()) -> None:
        """See `Store.relist`."""
        del bundles

        def relisted(index: Index) -> Index:
            kept = [entry for entry in index.manifests if layout.model_of_tag(entry.tag) != model]
            merged = (*kept, *self._index_of([model]).manifests)
            return Index(
                manifests=tuple(sorted(merged, key=lambda entry: (entry.tag, entry.digest)))
            )

        with self._alone():
            self._change_index(relisted)

    def remember(self, name: str, bundle: Digest) -> None:
        """See `Store.remember`."""
        self._bucket.put(layout.hint_place(name).name, bundle.encode() + b"\n")

    def recall(self, name: str) -> Digest | None:
        """See `Store.recall`."""
        return self._hint(layout.hint_place(name).name)

    def remembered(self, model: str) -> frozenset[Digest]:
        """See `Store.remembered`."""
        names = hint_names(self._bucket, layout.check_model(model))
        bundles = Transfers().run(self._hint, names, CONNECTIONS, most=CONNECTIONS)
        return frozenset(bundle for bundle in bundles if bundle is not None)

    # --- upkeep -----------------------------------------------------------------------------------

    @property
    def lists_blobs(self) -> bool:
        """See `Upkeep.lists_blobs`."""
        return True

    def held(self) -> Iterator[Held]:
        """See `Upkeep.held`."""
        return self._upkeep.held()

    def renew(self, digests: Sequence[Digest]) -> None:
        """See `Upkeep.renew`."""
        self._upkeep.renew(digests)

    def remove(self, digest: Digest, *, older_than_s: float) -> bool:
        """See `Upkeep.remove`."""
        return self._upkeep.remove(digest, older_than_s=older_than_s)

    def forget(self, bundles: Collection[Digest]) -> None:
        """See `Upkeep.forget`."""
        self._upkeep.forget(bundles)

    def sweep(self, *, older_than_s: float) -> int:
        """See `Upkeep.sweep`."""
        del older_than_s
        return self._upkeep.sweep()

    # --- writing ----------------------------------------------------------------------------------

    def _sent(self, source: Source, digest: Digest, size: int, transfers: Transfers) -> bool:
        """Send what is not there, or damaged; whether it was."""
        seen = self._bucket.head(_blob(digest))
        if seen is not None and self._holds(digest, size, seen, source):
            transfers.advance(size)
            return False
        if size > PART_BYTES and source.path is not None:
            self._send(source.path, digest, size, Reached(transfers))
            return True
        is_new = self._put(digest, _content(source, digest, size), seen, source)
        transfers.advance(size)
        return is_new

    def _send(self, path: Path, digest: Digest, size: int, reached: Reached) -> None:
        """Send a large file, again if nobody can say whether it came."""
        parts = partial(_parts, path, digest, size, reached)
        for left in reversed(range(_SENT_AGAIN)):
            try:
                self._see(digest, self._bucket.send(_blob(digest), size, parts))
            except CutOffError:
                seen = self._bucket.head(_blob(digest))
                if seen is not None and self._holds(digest, size, seen, Source(path=path)):
                    return
                if not left:
                    raise
            else:
                return

    def _put(self, digest: Digest, content: bytes, seen: Seen | None, source: Source) -> bool:
        try:
            write = self._bucket.create if seen is None else self._bucket.put
            sent = write(_blob(digest), content)
        except MovedOnError:  # somebody else was faster, or an answer was lost
            seen = self._bucket.head(_blob(digest))
            if seen is not None and self._holds(digest, len(content), seen, source):
                return False
            sent = self._bucket.put(_blob(digest), content)
        self._see(digest, sent)
        return True

    def _holds(self, digest: Digest, size: int, seen: Seen, source: Source) -> bool:
        """Whether an object is the content of `source`, by what the service says of it. An MD5
        spares the sending and proves nothing: who has to know reads the object, in `confirm`.
        """
        if seen.size != size:
            return False
        if seen.tag is not None and self._sound.get(digest) == seen.tag:
            return True
        return seen.tag in _checksums(source, size) or self._state(digest) is BlobState.SOUND

    def _see(self, digest: Digest, seen: Seen) -> None:
        if seen.tag is not None:
            with self._lock:
                self._sound[digest] = seen.tag

    # --- writing pointers -------------------------------------------------------------------------

    def _until_alone(self, name: str, pointer: Pointer, write: Callable[[], bool]) -> bool:
        """What `write` says, once nobody else has written in between. What somebody else wrote may
        be this pointer, and so may what was written when an answer was lost.
        """
        for number in range(_MOST_ROUNDS):
            try:
                with self._alone():
                    return write()
            except MovedOnError:
                place = layout.pointer_place(name)
                if self._pointer(place)[0] == pointer:
                    self._list(place, pointer)
                    return True
                _pause(number)
        raise self._too_many(f"writing the pointer {name}")

    def _alone(self) -> AbstractContextManager[object]:
        if self._has_conditions:
            return nullcontext()
        return _writing[str(self._bucket.address)]

    @contextmanager
    def _pointing(self, name: str) -> Iterator[tuple[Place, Pointer | None]]:
        place = layout.pointer_place(name)
        pointer, seen = self._pointer(place)
        yield (
            _Standing(model=place.model, kind=place.kind, label=place.label, seen=seen),
            pointer,
        )

    def _write_pointer(self, place: Place, pointer: Pointer) -> None:
        seen = place.seen if isinstance(place, _Standing) else None
        self._replace(place.name, canonical_json(pointer) + b"\n", seen)

    def _replace(self, name: str, content: bytes, seen: Seen | None) -> None:
        """Write an object if what was seen still stands there, where the service can tell."""
        if not self._has_conditions:
            self._bucket.put(name, content)
        elif seen is None:
            self._bucket.create(name, content)
        else:
            self._bucket.replace(name, content, seen)

    # --- index ------------------------------------------------------------------------------------

    def _list(self, place: Place, pointer: Pointer) -> None:
        """Whoever writes the index last reads the pointer once more: what was listed is what stands
        there, in whichever order two wrote.
        """
        if place.kind == layout.HEAD:
            return  # it names no bundle
        standing: Pointer | None = pointer
        for _ in range(_MOST_ROUNDS):
            listed = standing
            self._change_index(partial(self._relisted, [(place, listed)]))
            standing, _ = self._pointer(place)
            if standing == listed:
                return
        raise self._too_many(f"listing {place.name}")

    def _change_index(self, change: Callable[[Index], Index]) -> None:
        for number in range(_MOST_ROUNDS):
            index, seen = self._index()
            whole = self._index_of(self._models()) if index is None else index
            content = layout.index_bytes(change(whole))
            if index is not None and content == layout.index_bytes(index):
                return
            try:
                if seen is None:
                    self._bucket.put(layout.LAYOUT_FILE, layout.LAYOUT)
                self._replace(layout.INDEX_FILE, content, seen)
            except MovedOnError:
                _pause(number)
            else:
                return
        raise self._too_many(f"writing {layout.INDEX_FILE}")

    def _relisted(self, wanted: Sequence[tuple[Place, Pointer | None]], index: Index) -> Index:
        """The index with these pointers in it; those that name no bundle that is held are not."""
        named = [
            pointer.bundle
            for _, pointer in wanted
            if pointer is not None and pointer.bundle is not None
        ]
        held = self._each(named, lambda bundle: self._bucket.head(_blob(bundle)))
        for place, pointer in wanted:
            bundle = None if pointer is None else pointer.bundle
            seen = None if bundle is None else held[bundle]
            entry = None
            if bundle is not None and seen is not None:
                entry = layout.index_entry(place, bundle, seen.size)
            index = layout.relist(index, place, entry)
        return index

    def _index(self) -> tuple[Index | None, Seen | None]:
        """The index as it is, None if it is missing or damaged; and the object."""
        answer = self._bucket.read(layout.INDEX_FILE, _MAX_INDEX_BYTES)
        return (None, None) if answer is None else (layout.read_index(answer[0]), answer[1])

    def _index_of(self, models: Sequence[str]) -> Index:
        """What the pointers of these models ask for."""
        there = [pair for model in models for pair in self.pointers(model).items()]
        places = [(layout.pointer_place(name), pointer) for name, pointer in there]
        listed = [pair for pair in places if pair[0].kind != layout.HEAD]
        return self._relisted(listed, Index())

    def _models(self) -> list[str]:
        return [name for name in self._bucket.folders() if layout.is_model(name)]

    # --- reading ----------------------------------------------------------------------------------

    def _each(
        self, digests: Sequence[Digest], look: Callable[[Digest], Result]
    ) -> dict[Digest, Result]:
        unique = list(dict.fromkeys(digests))
        answers = Transfers().run(look, unique, CONNECTIONS, most=CONNECTIONS)
        return dict(zip(unique, answers, strict=True))

    def _confirmed(self, digest: Digest) -> BlobState:
        known = self._sound.get(digest)
        seen = self._bucket.head(_blob(digest)) if known is not None else None
        if seen is not None and seen.tag == known:
            return BlobState.SOUND
        return self._state(digest)

    def _state(self, digest: Digest) -> BlobState:
        hasher = hashlib.sha256()
        seen = self._bucket.pour(_blob(digest), hasher.update)
        if seen is None:
            return BlobState.MISSING
        if f"sha256:{hasher.hexdigest()}" != digest:
            return BlobState.CORRUPT
        self._see(digest, seen)
        return BlobState.SOUND

    def _pointer(self, place: Place) -> tuple[Pointer | None, Seen | None]:
        """The pointer that stands at a place, if it can be read; and the object."""
        answer = self._bucket.read(place.name, _MAX_SMALL_BYTES)
        if answer is None:
            return None, None
        content, seen = answer
        is_small = len(content) <= _MAX_SMALL_BYTES
        return (layout.read_pointer(content) if is_small else None), seen

    def _hint(self, name: str) -> Digest | None:
        answer = self._bucket.read(name, _MAX_SMALL_BYTES)
        return None if answer is None else bundle_of(answer[0])

    def _places(self, model: str) -> list[Place]:
        """The places at which pointers of a model may stand, in the order of their names."""
        places = [Place(model=layout.check_model(model), kind=layout.HEAD)]
        for kind in (layout.STAGES, layout.VERSIONS):
            for name in self._bucket.names(f"{model}/{kind}"):
                with suppress(UsageError):  # not ours: what another tool left
                    places.append(layout.pointer_place(name))
        return places

    def _too_many(self, doing: str) -> OutsideError:
        problem = f"others wrote there at the same moment, {_MOST_ROUNDS} times"
        return OutsideError(doing, problem, hint="run the verb again")


def _blob(digest: Digest) -> str:
    if not is_digest(digest):  # a pointer moved by hand may hold anything
        raise IntegrityError(f"looking for {digest!r}", "that is no SHA-256 digest")
    return f"{BLOBS}/{hex_of(digest)}"


def _digest_of(source: Source) -> Digest:
    if source.path is None:
        return digest_of(source.content or b"")
    with outside(f"storing {source.path}"):
        return digest_of_file(source.path, lambda _: None)


def _content(source: Source, digest: Digest, size: int) -> bytes:
    """What is sent in one go."""
    if source.path is None:
        return source.content or b""
    return b"".join(_parts(source.path, digest, size, Reached(Transfers())))


def _parts(path: Path, digest: Digest, size: int, reached: Reached) -> Iterator[bytes]:
    """The content of a file, the last of it once it is known to be the one that was asked for."""
    doing = f"storing {path}"
    hasher, left = hashlib.sha256(), size
    with outside(doing), path.open("rb") as file:
        while left:
            part = file.read(min(CHUNK_BYTES, left))
            hasher.update(part)
            left -= len(part)
            is_whole = left or (not file.read(1) and f"sha256:{hasher.hexdigest()}" == digest)
            if not part or not is_whole:
                raise OutsideError(doing, "it changed while it was read", hint="run it again")
            reached(size - left)
            yield part


def _checksums(source: Source, size: int) -> tuple[str, str]:
    """What services that name content by MD5 call this content: as a whole, and sent in parts as
    they are sent here. It is compared with what the service says, and proves nothing to others.
    """
    whole, of_parts, count = _md5(), _md5(), 0
    for part in _in_parts(source, part_bytes(size)):
        whole.update(part)
        of_parts.update(hashlib.md5(part, usedforsecurity=False).digest())
        count += 1
    return whole.hexdigest(), f"{of_parts.hexdigest()}-{count}"


def _in_parts(source: Source, size: int) -> Iterator[bytes]:
    if source.path is None:
        content = source.content or b""
        yield from (content[start : start + size] for start in range(0, len(content), size))
        return
    with outside(f"storing {source.path}"), source.path.open("rb") as file:
        while part := file.read(size):
            yield part


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


def _pause(number: int) -> None:
    """Let the others finish: the more often they were met, the longer."""
    time.sleep(random.random() * _PAUSE_S * min(number + 1, 10))  # noqa: S311  # no secret
