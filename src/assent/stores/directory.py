"""A store in a folder: an OCI image layout, with the pointers beside its blobs.

    oci-layout  index.json  blobs/sha256/<hex>     what OCI tools read
    <model>/stages/production  <model>/versions/12  what serving reads
    tmp/                                            bytes that are not complete yet

Everything appears by renaming a complete file, so a process that is killed at any moment leaves
a valid store and at most some files in `tmp`.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from assent.core.digest import Digest, canonical_json, digest_of, hex_of, is_digest
from assent.disk import flush_folder
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.ports import (
    BlobState,
    Held,
    Pointer,
    Progress,
    Source,
    Stored,
    Wanted,
)
from assent.stores import layout
from assent.stores.flushing import flush_files, make_folder
from assent.stores.folder_abilities import (
    LOCKLESS,
    FolderAbilities,
    can_replace,
    file_system_of,
    probe,
)
from assent.stores.folder_names import FolderNames
from assent.stores.folder_upkeep import FolderUpkeep
from assent.stores.layout import Index, Place
from assent.stores.local_files import (
    CHUNK_BYTES,
    Draft,
    buffer,
    bundle_of,
    corrupt,
    digest_of_file,
    is_file_of,
    missing,
    outside,
    pour,
    scratch,
    size_of,
    unsaid,
    write_all,
)
from assent.stores.parallel import Transfers
from assent.stores.pointing import LAST_WINS, Pointing

_TAIL_BYTES = 4096
_SMALL_BYTES = 256 << 10
_MAX_READ_BYTES = 64 << 20  # of manifests and evidence, which are read into memory
_MAX_SMALL_FILE_BYTES = 64 << 10
_SWEEP_AFTER_S = 24 * 60 * 60
_REPLACED = (errno.ESTALE, errno.ENOENT)

_writing: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""Those of this process wait for each other on any file system."""


class DirectoryStore(Pointing):
    """The store below `root`. Nothing is created before the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / layout.BLOBS / "sha256"
        self._blobs_text = str(self._blobs)
        self._temporary = root / layout.TEMPORARY
        self._names = FolderNames(root)
        self._upkeep = FolderUpkeep(self._blobs, self._temporary)
        self._lock = threading.Lock()
        self._is_open = False
        self._known_sound: set[Digest] = set()

    @property
    def largest_manifest_bytes(self) -> int:
        """See `Store.largest_manifest_bytes`: what `read` takes into memory."""
        return _MAX_READ_BYTES

    @property
    def is_elsewhere(self) -> bool:
        """See `Store.is_elsewhere`."""
        return False

    # --- blobs ----------------------------------------------------------------------------------

    def add(
        self,
        sources: Sequence[Source],
        progress: Progress | None = None,
        unless: Callable[[Sequence[Digest]], bool] | None = None,
    ) -> list[Stored]:
        """See `Store.add`. Content given in memory (manifests, evidence) is on the disk when this
        returns; files may still be in the system's cache until `flush`.
        """
        del unless
        if not sources:
            return []
        sizes = [size_of(source) for source in sources]
        self._open()
        twins = self._blobs_by_size({size for size in sizes if size > CHUNK_BYTES})
        transfers = Transfers(progress)

        def add_one(item: tuple[Source, int]) -> Stored:
            source, size = item
            if source.path is None:
                stored = self._keep(source.content or b"", is_durable=True)
            elif size <= CHUNK_BYTES:
                stored = self._keep(_small_content(source.path, size), is_durable=False)
            else:
                return self._keep_file(source.path, twins[size], transfers)
            transfers.advance(stored.size_bytes)
            return stored

        stored = transfers.run(add_one, list(zip(sources, sizes, strict=True)), _threads_for(sizes))
        if any(source.path is None for source in sources):
            with outside(f"storing in {self.root}"):
                flush_folder(self._blobs)
        return stored

    def keeps(self, manifest: bytes) -> bool:
        """See `Store.keeps`: it is not elsewhere."""
        del manifest
        return False

    def read(self, digest: Digest) -> bytes:
        """See `Store.read`; at most 64 MiB."""
        doing = f"reading {digest}"
        path = Path(self._path(digest))
        with outside(doing):
            try:
                with path.open("rb") as file:
                    content = file.read(_MAX_READ_BYTES + 1)
            except FileNotFoundError:
                raise missing(doing) from None
        if len(content) > _MAX_READ_BYTES:
            raise IntegrityError(doing, "it is larger than 64 MiB: no manifest and no evidence is")
        if digest_of(content) != digest:
            raise corrupt(doing)
        return content

    def fetch(self, wanted: Sequence[Wanted], progress: Progress | None = None) -> None:
        """See `Store.fetch`. A file that is there and right is left alone."""
        transfers = Transfers(progress)
        with outside("making the folders to write to"):
            for folder in {blob.path.parent for blob in wanted}:
                folder.mkdir(parents=True, exist_ok=True)
        threads = _threads_for([blob.size_bytes for blob in wanted])
        transfers.run(lambda blob: self._fetch_one(blob, transfers), wanted, threads)

    def locate(self, digest: Digest) -> Path | None:
        """See `Store.locate`."""
        path = Path(self._path(digest))
        return path if path.is_file() else None

    def check(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """See `Store.check`."""
        unique = list(dict.fromkeys(digests))
        transfers = Transfers()

        def check_one(digest: Digest) -> BlobState:
            with outside(f"checking {digest}"):
                try:
                    digest_now = digest_of_file(Path(self._path(digest)), transfers.advance)
                except FileNotFoundError:
                    return BlobState.MISSING
            return BlobState.SOUND if digest_now == digest else BlobState.CORRUPT

        threads = _threads_for([self._size(digest) or 0 for digest in unique])
        return dict(zip(unique, transfers.run(check_one, unique, threads), strict=True))

    def confirm(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """See `Store.confirm`: nobody answers for a folder."""
        return self.check(digests)

    def flush(self, digests: Sequence[Digest]) -> None:
        """See `Store.flush`. It matters not who wrote the blobs, nor in which way: the store may
        have been copied here a minute ago.
        """
        if not digests:
            return
        doing = f"flushing blobs of {self.root} to the disk"
        with outside(doing):
            if not all(self._renew(digest) for digest in dict.fromkeys(digests)):
                raise missing(doing)
            with suppress(PermissionError):  # of the account: whoever may write goes on with it
                self._require_replacing()
            try:
                flush_files([self._path(digest) for digest in dict.fromkeys(digests)])
                for folder in (self._blobs, self._blobs.parent, self.root, self.root.parent):
                    flush_folder(folder)
            except FileNotFoundError:
                raise missing(doing) from None

    def discard(self, digest: Digest) -> None:
        """See `Store.discard`. A sound blob stays: somebody may have written it again."""
        self._known_sound.discard(digest)
        if self.check([digest])[digest] is BlobState.CORRUPT:
            with outside(f"discarding {digest}"):
                Path(self._path(digest)).unlink(missing_ok=True)

    # --- pointers and hints ---------------------------------------------------------------------

    @property
    def lacking(self) -> str:
        """See `Pointers.lacking`: the writers of one machine wait for each other, where there are
        locks. What another machine has written, a share may show late.
        """
        if not self._abilities.has_locks:
            return f"its file system has no locks, so that {LAST_WINS}"
        if not self._abilities.is_of_one_machine:
            return f"several machines may have it mounted, and {LAST_WINS}"
        return ""

    @property
    def abilities(self) -> Mapping[str, str]:
        """See `Store.abilities`."""
        return self._abilities.words

    @cached_property
    def _abilities(self) -> FolderAbilities:
        self._open()
        with outside(f"trying what the file system of {self.root} can do"):
            return probe(self._temporary)

    def pointer(self, name: str) -> Pointer | None:
        """See `Store.pointer`."""
        place = layout.pointer_place(name)
        with outside(f"reading the pointer {name}"):
            return self._pointer(place)

    def pointers(self, model: str) -> dict[str, Pointer | None]:
        """See `Store.pointers`."""
        with outside(f"reading the pointers of {model}"):
            return {place.name: self._pointer(place) for place in self._places(model)}

    def astray(self, model: str, bundles: Collection[Digest] = ()) -> tuple[str, ...]:
        """See `Store.astray`: the tags in `index.json`. A blob needs no name to stay."""
        del bundles
        path = self.root / layout.INDEX_FILE
        with outside(f"comparing {path} with the pointers of {model}"):
            wanted = self._index_of([model])
            there = layout.read_index(_read(path) or b"")
        return layout.astray(Index() if there is None else there, wanted, model)

    def relist(self, model: str, bundles: Collection[Digest] = ()) -> None:
        """See `Store.relist`."""
        del bundles
        self._open()
        with outside(f"listing the pointers of {model}"), self._locked():
            index, wanted = self._index(), self._index_of([model])
            kept = [entry for entry in index.manifests if layout.model_of_tag(entry.tag) != model]
            merged = sorted((*kept, *wanted.manifests), key=lambda entry: (entry.tag, entry.digest))
            self._write_index(Index(manifests=tuple(merged)))

    def remember(self, name: str, bundle: Digest) -> None:
        """See `Store.remember`."""
        place = layout.hint_place(name)
        self._open()
        with outside(f"writing the hint {name}"):
            self._names.require_own(place)
            self._write(self.root / place.name, bundle.encode() + b"\n")

    def recall(self, name: str) -> Digest | None:
        """See `Store.recall`."""
        place = layout.hint_place(name)
        with outside(f"reading the hint {name}"):
            content = _small_file(self.root / place.name)
            return bundle_of(content) if content and self._names.has_own(place) else None

    def remembered(self, model: str) -> frozenset[Digest]:
        """See `Store.remembered`."""
        with outside(f"reading the hints of {model}"):
            is_own = self._names.has_own(Place(model=layout.check_model(model), kind=layout.HEAD))
            files = self._hints([model] if is_own else [])
            bundles = [bundle_of(_small_file(path)) for path in files]
        return frozenset(bundle for bundle in bundles if bundle is not None)

    # --- upkeep ---------------------------------------------------------------------------------

    @property
    def lists_blobs(self) -> bool:
        """See `Upkeep.lists_blobs`."""
        return True

    def held(self) -> Iterator[Held]:
        """See `Upkeep.held`. What an image index names that other tools have copied here is
        theirs.
        """
        path = self.root / layout.INDEX_FILE
        with outside(f"listing what {self.root} holds"):
            yield from self._upkeep.held(_read(path))

    def renew(self, digests: Sequence[Digest]) -> None:
        """See `Upkeep.renew`."""
        with outside(f"touching blobs of {self.root}"):
            for digest in digests:
                self._renew(digest)

    def remove(self, digest: Digest, *, older_than_s: float) -> bool:
        """See `Upkeep.remove`."""
        name = Path(self._path(digest)).name
        with outside(f"removing {digest}"):
            is_gone = self._upkeep.remove(name, older_than_s=older_than_s)
        if is_gone:
            self._known_sound.discard(digest)
        return is_gone

    def forget(self, bundles: Collection[Digest]) -> None:
        """See `Upkeep.forget`."""
        with outside(f"forgetting hints of {self.root}"):
            for path in self._hints(self._models()):
                if bundle_of(_small_file(path)) in bundles:
                    path.unlink(missing_ok=True)

    def sweep(self, *, older_than_s: float) -> int:
        """See `Upkeep.sweep`."""
        with outside(f"sweeping {self._temporary}"):
            return self._upkeep.sweep(older_than_s) if self._temporary.is_dir() else 0

    def _renew(self, digest: Digest) -> bool:
        return self._upkeep.renew(hex_of(digest))

    # --- opening for writing --------------------------------------------------------------------

    def _open(self) -> None:
        with self._lock:
            if self._is_open:
                return
            with outside(f"opening the store {self.root}"):
                make_folder(self._blobs)
                self._temporary.mkdir(exist_ok=True)
                self._write_what_oci_needs()
                self._upkeep.sweep(_SWEEP_AFTER_S)
            self._is_open = True

    def _require_replacing(self) -> None:
        """Before anything is decided that a pointer has to follow."""
        self._temporary.mkdir(exist_ok=True)
        if not can_replace(self._temporary):
            kind = file_system_of(self.root)
            raise OutsideError(
                f"opening the store {self.root}",
                f"its file system{kind and f' ({kind})'} does not let one file take the place of "
                "another by being renamed, and a pointer moves in no other way",
                hint="keep the store on another one, in a registry or in a bucket: docs/stores.md",
            )

    def _write_what_oci_needs(self) -> None:
        has_layout, has_index = (
            (self.root / name).exists() for name in (layout.LAYOUT_FILE, layout.INDEX_FILE)
        )
        if not (has_layout and has_index):
            self._require_replacing()
        if not has_layout:
            self._write(self.root / layout.LAYOUT_FILE, layout.LAYOUT)
        if not has_index:
            with self._locked():
                self._write_index(self._index())

    # --- writing --------------------------------------------------------------------------------

    def _keep(self, content: bytes | memoryview, *, is_durable: bool) -> Stored:
        digest = Digest("sha256:" + hashlib.sha256(content).hexdigest())
        size = len(content)
        with outside(f"storing {digest}"):
            if self._holds(digest, size, content) and self._renew(digest):
                return Stored(digest=digest, size_bytes=size, is_new=False)
        with outside(f"storing {digest}"), scratch(self._temporary) as draft:
            write_all(draft.target, content)
            if is_durable:
                os.fsync(draft.target)
            is_new = self._publish(draft, digest, size)
        return Stored(digest=digest, size_bytes=size, is_new=is_new)

    def _keep_file(self, source: Path, twins: Sequence[Path], transfers: Transfers) -> Stored:
        """Store a large file. If it looks like a blob that is there, it is hashed first and, most
        often, not written at all; a large file that is new is read and hashed once.
        """
        advance: Progress = transfers.advance
        with outside(f"storing {source}"):
            if twins and _tail(source) in map(_tail, twins):
                digest, size = pour(source, None, advance)
                if self._holds(digest, size) and self._renew(digest):
                    return Stored(digest=digest, size_bytes=size, is_new=False)
                advance = transfers.proceed
            with scratch(self._temporary) as draft:
                digest, size = pour(source, draft.target, advance)
                is_new = self._publish(draft, digest, size)
        return Stored(digest=digest, size_bytes=size, is_new=is_new)

    def _fetch_one(self, wanted: Wanted, transfers: Transfers) -> None:
        doing = f"fetching {wanted.digest} to {wanted.path}"
        advance: Progress = transfers.advance
        with outside(doing):
            if is_file_of(wanted.path, wanted.size_bytes):
                if digest_of_file(wanted.path, advance) == wanted.digest:
                    return
                advance = transfers.proceed
            size = self._size(wanted.digest)
            if size is None:
                raise missing(doing)
            if size != wanted.size_bytes:
                raise corrupt(doing)
            if wanted.is_scratch and self._linked(wanted, transfers):
                return
            with scratch(wanted.path.parent, prefix=".assent-") as draft:
                digest, _ = pour(Path(self._path(wanted.digest)), draft.target, advance)
                if digest != wanted.digest:
                    raise corrupt(doing)
                draft.become(wanted.path)

    def _linked(self, wanted: Wanted, transfers: Transfers) -> bool:
        """Let a file that nobody writes to be the blob itself, verified, and on no disk twice;
        False where the file system cannot do that, or there is such a file.
        """
        blob = Path(self._path(wanted.digest))
        try:
            os.link(blob, wanted.path, follow_symlinks=False)
        except OSError:
            return False
        if wanted.path.is_symlink() or digest_of_file(wanted.path, transfers.proceed) != (
            wanted.digest
        ):
            wanted.path.unlink()
            raise corrupt(f"fetching {wanted.digest} to {wanted.path}")
        transfers.advance(wanted.size_bytes)
        return True

    def _publish(self, draft: Draft, digest: Digest, size: int) -> bool:
        """Let a complete file appear under its digest; say whether it was missing or damaged."""
        draft.close()
        with self._lock:  # of two equal sources of one call, one is new
            if self._holds(digest, size) and self._renew(digest):
                draft.drop()
                return False
            draft.become(self._path(digest))
            self._known_sound.add(digest)
            return True

    def _write(self, path: Path, content: bytes) -> None:
        """Replace a small file at once and for good."""
        make_folder(path.parent)
        with scratch(self._temporary) as draft:
            write_all(draft.target, content)
            os.fsync(draft.target)
            draft.become(path)
        flush_folder(path.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer of pointers and index at a time, on all processes of this machine, if the file
        system has locks: without them it is as in a registry, and `lacking` says so.
        """
        path = self.root / layout.LOCK_FILE
        with _writing[str(path.absolute())], path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                if error.errno not in LOCKLESS:
                    raise
            yield

    # --- pointers ---------------------------------------------------------------------------------

    @contextmanager
    def _pointing(self, name: str) -> Iterator[tuple[Place, Pointer | None]]:
        """The place of a pointer and what stands there, while nobody else writes one."""
        place = layout.pointer_place(name)
        self._open()
        with outside(f"writing the pointer {name}"), self._locked():
            self._names.require_own(place)
            yield place, self._pointer(place)

    def _write_pointer(self, place: Place, pointer: Pointer) -> None:
        self._write(self.root / place.name, canonical_json(pointer) + b"\n")

    # --- index ----------------------------------------------------------------------------------

    def _list(self, place: Place, pointer: Pointer) -> None:
        if place.kind == layout.HEAD:
            return  # it names no bundle
        index = self._index()
        self._write_index(self._relisted(index, place, pointer))

    def _relisted(self, index: Index, place: Place, pointer: Pointer | None) -> Index:
        bundle = pointer.bundle if pointer is not None else None
        size = self._size(bundle) if bundle is not None else None
        if bundle is None or size is None:
            return layout.relist(index, place, None)
        return layout.relist(index, place, layout.index_entry(place, bundle, size))

    def _index(self) -> Index:
        """The index as it is, or made again from the pointers if it is missing or damaged."""
        index = layout.read_index(_read(self.root / layout.INDEX_FILE) or b"")
        return self._index_of(self._models()) if index is None else index

    def _index_of(self, models: Sequence[str]) -> Index:
        """What the pointers of these models ask for."""
        index = Index()
        for model in models:
            for name, pointer in self.pointers(model).items():
                index = self._relisted(index, layout.pointer_place(name), pointer)
        return index

    def _models(self) -> list[str]:
        paths = self.root.iterdir() if self.root.is_dir() else ()
        return sorted(path.name for path in paths if layout.is_model(path.name))

    def _hints(self, models: Sequence[str]) -> Iterator[Path]:
        """The files of the hints of these models."""
        roots = [self.root / model for model in models]
        kinds = [path for root in roots if root.is_dir() for path in root.iterdir()]
        for kind in kinds:
            if kind.is_dir() and layout.is_of_hints(kind.name):
                yield from kind.iterdir()

    def _write_index(self, index: Index) -> None:
        path = self.root / layout.INDEX_FILE
        content = layout.index_bytes(index)
        if _read(path) != content:
            self._write(path, content)

    # --- reading --------------------------------------------------------------------------------

    def _path(self, digest: Digest) -> str:
        """The blob's file, as text: for many small files, `Path` takes as long as hashing."""
        if not is_digest(digest):  # a pointer moved by hand may hold a path
            raise IntegrityError(f"looking for {digest!r}", "that is no SHA-256 digest")
        return f"{self._blobs_text}/{hex_of(digest)}"

    def _size(self, digest: Digest) -> int | None:
        try:
            return os.stat(self._path(digest)).st_size  # noqa: PTH116  # see `_path`
        except FileNotFoundError:
            return None

    def _holds(self, digest: Digest, size: int, content: bytes | memoryview | None = None) -> bool:
        """Whether the blob is there and sound: `content`, where that is given. One that is not,
        such as a disk leaves behind that lost its power, is written again; its size says little.
        """
        if self._size(digest) != size:
            return False
        if digest in self._known_sound:
            return True
        path = Path(self._path(digest))
        try:
            # Not hashed where it can be compared: whoever has the content in the buffer of this
            # thread would lose it.
            is_sound = (
                path.read_bytes() == content
                if content is not None
                else digest_of_file(path, unsaid) == digest
            )
        except FileNotFoundError:  # taken away since
            return False
        if is_sound:
            self._known_sound.add(digest)
        return is_sound

    def _blobs_by_size(self, sizes: set[int]) -> dict[int, list[Path]]:
        by_size: dict[int, list[Path]] = {size: [] for size in sizes}
        if not sizes:
            return by_size
        with outside(f"reading {self._blobs}"), os.scandir(self._blobs) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    size = entry.stat().st_size
                    if size in by_size:
                        by_size[size].append(Path(entry.path))
        return by_size

    def _pointer(self, place: Place) -> Pointer | None:
        content = _small_file(self.root / place.name)
        return layout.read_pointer(content) if content and self._names.has_own(place) else None

    def _places(self, model: str) -> Iterator[Place]:
        """The places of a model's pointers, in the order of their names."""
        root = self.root / layout.check_model(model)
        if not self._names.has_own(Place(model=model, kind=layout.HEAD)):
            return
        if (root / layout.HEAD).is_file():
            yield Place(model=model, kind=layout.HEAD)
        for kind in (layout.STAGES, layout.VERSIONS):
            folder = root / kind
            for name in sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []:
                with suppress(UsageError):  # not ours: what an editor or a file browser left
                    yield layout.pointer_place(f"{model}/{kind}/{name}")


def _threads_for(sizes: Sequence[int]) -> int:
    """One per file that is not small. To write a small file is to make a name, and threads that
    make names in one folder wait for each other: two took 1.5 times as long as one.
    """
    return sum(size > _SMALL_BYTES for size in sizes)


def _small_file(path: Path) -> bytes | None:
    """The content of a pointer or a hint; None if there is none or it cannot be one."""
    content = _read(path, _MAX_SMALL_FILE_BYTES + 1)
    return content if content is None or len(content) <= _MAX_SMALL_FILE_BYTES else None


def _read(path: Path, most: int = -1, goes: int = 3) -> bytes | None:
    """What a file holds that others replace; None if there is none. What was replaced between its
    opening and its reading, a share may not have any more: then what stands there now is read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most)
    except IsADirectoryError:
        return None
    except OSError as error:
        if goes > 1 and error.errno in _REPLACED and path.exists():
            return _read(path, most, goes - 1)
        if isinstance(error, FileNotFoundError):
            return None
        raise


def _small_content(path: Path, size: int) -> memoryview:
    """What a file of at most one chunk holds, until this thread reads the next one."""
    doing = f"storing {path}"
    count = 0
    with outside(doing), path.open("rb", buffering=0) as file:
        while part := file.readinto(buffer.view[count:]):
            count += part
    if count != size:  # it may even be longer than the buffer
        raise OutsideError(doing, "it changed while it was read", hint="run it again")
    return buffer.view[:count]


def _tail(path: Path) -> bytes:
    """The last bytes of a file. Two trainings of one network often give files of one size with
    one header, and differ in the last weights.
    """
    with path.open("rb") as file:
        file.seek(-_TAIL_BYTES, os.SEEK_END)
        return file.read()
