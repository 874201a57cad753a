"""One reading of a ledger in a bucket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

import msgspec

from assent.buckets import Bucket
from assent.core.digest import Digest, canonical_json
from assent.core.entry import FORMAT, GENESIS, Entry, decode_entry, entry_digest
from assent.core.registry import ChainError, Record, Registry, State, linked
from assent.errors import IntegrityError
from assent.ledgers import layout
from assent.ledgers.index import Index
from assent.ledgers.layout import CLOSED, INDEX, REGISTRY, Closed, derived_digest
from assent.ledgers.objects.appends import CONNECTIONS, MOST_BYTES, Append, Appends, seq_shown_in
from assent.ledgers.objects.derived import DERIVED, Derived, Folder, Shelf, Tree, id_of, key_of
from assent.parallel import Transfers

SHA1, SHA256 = "sha1", "sha256"
OBJECT_FORMATS = (SHA1, SHA256)
"""What ids can be. A new ledger has the first, as most repositories; one that was moved here from
another repository has those of that one."""
SHOWN_WITHIN_S = (0.1, 0.4, 1.5)
"""The pauses within which a writer that goes on shows what it has written."""

_Read = TypeVar("_Read")


class ObjectView:
    """One reading of a ledger at its newest append; older objects are fetched as they are asked
    for. Nothing that it rests on is ever written again.
    """

    def __init__(
        self, bucket: Bucket, state: State, head: Digest, newest: Append | None, tree: Tree | None
    ) -> None:
        self.state = state
        self.head = head
        self.later_format: str | None = None
        self.object_format = SHA1
        self._bucket = bucket
        self._model = state.model
        self._appends = Appends(bucket, state.model)
        self._newest = newest
        self._tree = tree
        self._proven: dict[int, list[bytes]] = {}  # entries that lead to the newest, by the first

    @classmethod
    def at(cls, bucket: Bucket, model: str, newest: Append | None, *, strict: bool) -> ObjectView:
        """The view at an append. Raises `IntegrityError` if the state and the index are not those
        that its last entry states. Without `strict`, nothing derived is believed then, and the
        state is that of an empty ledger.
        """
        if newest is None:
            return cls(bucket, State(model=model), GENESIS, None, None)
        entry, head = _last_of(model, newest)
        shelf = Shelf(bucket, model)
        try:
            derived = shelf.object(key_of(entry.seq, head))
            state, object_format = _proven(model, entry, derived, shelf)
        except IntegrityError:
            if strict:
                raise
            return cls(bucket, State(model=model), GENESIS, newest, None)
        view = cls(bucket, state, head, newest, Tree(shelf, derived))
        view.object_format = object_format
        view.later_format = None if entry.format == FORMAT else entry.format
        return view

    @property
    def is_proven(self) -> bool:
        """Whether what is derived is what the newest entry states."""
        return self._newest is None or self._tree is not None

    @property
    def last(self) -> int:
        """The number of the newest entry, also where nothing that is derived can be believed."""
        return -1 if self._newest is None else self._newest.last

    def record(self, bundle: Digest) -> Record | None:
        """See `View.record`."""
        content = self._file(layout.record_path(bundle))
        return self._decoded(layout.records_in, content).get(bundle)

    def bundle_of(self, version: int) -> Digest | None:
        """See `View.bundle_of`."""
        for line in self.state.newest:
            if line.version == version:
                return line.bundle
        content = self._file(layout.version_path(version))
        return self._decoded(layout.versions_in, content).get(version)

    def entry(self, seq: int) -> bytes:
        """See `View.entry`."""
        if seq < 0 or seq > self.last:
            raise ChainError(self._model, seq, "it is missing")
        if self._tree is None:
            return next(self._appends.read(seq, seq))
        if seq >= layout.first_open(self.last):
            return self.opened(seq)[0]
        return layout.lines_of(self._block(seq))[seq % layout.BLOCK]

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """See `View.entries`: as they lie there, whatever is derived from them."""
        if start <= self.last:
            yield from self._appends.read(start, self.last)
        beyond = None if self._newest is None else self._appends.gap_after(self.last)
        if beyond is not None:
            problem = f"it is missing; an object of entry {beyond} is there"
            raise ChainError(self._model, self.last + 1, problem)

    def opened(self, start: int) -> list[bytes]:
        """The entries from `start` on, which is in no full block yet, proven to lead to the newest
        entry.
        """
        if self._newest is None:
            return []
        known = min(self._proven, default=self._newest.last + 1)
        if start < known:
            newest = self._newest
            older = self._appends.read(start, newest.first - 1) if start < newest.first else ()
            lines = [*older, *newest.lines[max(start - newest.first, 0) :]]
            self._require_chain(start, lines)
            self._proven = {start: lines}
        [(first, lines)] = self._proven.items()
        return lines[start - first :]

    def check(self) -> list[bytes]:
        """Verify what one write can afford, the chain of the entries that are in no full block yet
        and its link to the last block; those entries.
        """
        if self._newest is None:
            return []
        first = layout.first_open(self.last)
        lines = self.opened(first)
        if decode_entry(lines[0]).prev != self._closed.head:
            raise ChainError(self._model, first, "it does not follow from the entry before it")
        return lines

    def index(self, bundles: Iterable[Digest], count: int, opened: list[bytes]) -> Index:
        """The index as `count` more entries about these bundles change it; `opened` are the
        entries that are in no full block yet.
        """
        if self._tree is None:
            return Index({}, {}, self.object_format)
        paths = layout.files_read(self.state, bundles, count)
        contents = {path: self._file(path) for path in paths if path.startswith(f"{INDEX}/")}
        contents[layout.open_path(self.last)] = b"".join(opened)
        folders = {path: self._tree.folder(path) for path in layout.folders_of(contents)}
        return Index(
            {path: content for path, content in contents.items() if content is not None},
            {
                path: {name: place.id for name, place in folder.items()}
                for path, folder in folders.items()
                if folder
            },
            self.object_format,
        )

    @property
    def newest_paths(self) -> tuple[str, ...]:
        """The files that lie in the object of the newest append, if it can be believed."""
        return () if self._tree is None else self._tree.newest_paths

    def folder(self, path: str) -> Folder:
        """A folder of what is derived."""
        return {} if self._tree is None else self._tree.folder(path)

    # --- everything -------------------------------------------------------------------------------

    def astray(self, registry: Registry) -> tuple[str, ...] | None:
        """See `View.astray`. What nothing leads to is not looked at: nobody reads it."""
        if self._newest is None:
            return ()
        newest = decode_entry(self._newest.lines[-1])
        if newest.format != FORMAT:
            return None
        paths = [] if self._is_shown(registry) else [REGISTRY]
        if self._tree is None:
            return (*paths, f"{DERIVED}/…/{key_of(newest.seq, registry.head)}.json")
        wanted = self.rebuilt(registry)
        names = sorted(wanted)
        is_there = Transfers().run(
            lambda path: self._has(path, wanted[path]), names, CONNECTIONS, most=CONNECTIONS
        )
        return (*paths, *(path for path, there in zip(names, is_there, strict=True) if not there))

    def rebuilt(self, registry: Registry) -> dict[str, bytes]:
        """All files that are derived, made anew, and the full blocks. Raises `ChainError` if the
        newest entry states something else: then it lies, and nothing made from it would be right.
        """
        stated = decode_entry(self.entry(registry.state.seq)).derived
        for object_format in OBJECT_FORMATS:
            closed, blocks = self._blocks(registry.state.seq, object_format)
            files = layout.files_rebuilt(registry, closed)
            files.pop(REGISTRY)
            index = layout.index_id({}, files, object_format)
            if derived_digest(registry.state, index) == stated:
                self.object_format = object_format
                return {**files, **blocks}
        problem = "it states something else than what is derived from the entries"
        raise ChainError(self._model, registry.state.seq, problem)

    def _blocks(self, last: int, object_format: str) -> tuple[Closed, dict[str, bytes]]:
        """What `index/closed.json` is to say, and the full blocks, with `last` as the newest."""
        closed, blocks = Closed(), dict[str, bytes]()
        entries = self._appends.read(0, last)
        for first in range(0, layout.first_open(last), layout.BLOCK):
            lines = list(islice(entries, layout.BLOCK))
            block, head = b"".join(lines), entry_digest(lines[-1])
            blocks[layout.block_path(first)] = block
            end = first + layout.BLOCK - 1
            closed = layout.closing(closed, end, block, head, object_format)
        return closed, blocks

    def _has(self, path: str, content: bytes) -> bool:
        try:
            return self._file(path) == content
        except IntegrityError:
            return False

    def _is_shown(self, registry: Registry) -> bool:
        """Whether `registry.yaml` is what the entries add up to, or what later ones do. It is
        written last: who writes it just now has done so in a moment, and who was to write it and
        was killed never does.
        """
        state = registry.state
        for pause_s in (*SHOWN_WITHIN_S, None):
            answer = self._bucket.read(f"{self._model}/{REGISTRY}", MOST_BYTES)
            seq = None if answer is None else seq_shown_in(answer[0])
            if answer is not None and seq == state.seq:
                return answer[0] == layout.state_file(state)
            if seq is not None and seq > state.seq:
                newest = self._appends.newest()
                return newest is not None and seq <= newest.last
            if pause_s is not None:
                time.sleep(pause_s)
        return False

    # --- proofs -----------------------------------------------------------------------------------

    def _require_chain(self, start: int, lines: list[bytes]) -> None:
        prev = decode_entry(lines[0]).prev
        digests = [digest for _, digest in linked(self._model, lines, start, prev)]
        if digests[-1] != self.head:
            raise ChainError(self._model, self.last, "it is not the newest")

    def _block(self, seq: int) -> bytes:
        """The full block of an entry, proven to be the one that was closed."""
        path, folder = layout.block_path(seq), layout.folder_path(seq)
        objects = self._closed.objects
        content = self._file(path)
        place = self.folder(folder).get(path.rpartition("/")[2])
        wanted = objects.get(path) or objects.get(folder)
        if content is None or place is None or wanted is None:
            raise ChainError(self._model, layout.first_of(path), "its block is missing")
        proven = place.id if path in objects else id_of(self.folder(folder), wanted)
        if proven != wanted:
            raise ChainError(self._model, layout.first_of(path), "its block was changed")
        return content

    @property
    def _closed(self) -> Closed:
        return self._decoded(layout.closed_in, self._file(CLOSED))

    def _file(self, path: str) -> bytes | None:
        return None if self._tree is None else self._tree.file(path)

    def _decoded(self, decode: Callable[[bytes], _Read], content: bytes | None) -> _Read:
        try:
            return decode(content or b"")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise IntegrityError(
                f"reading the ledger of {self._model}",
                f"what is derived is damaged ({error})",
                hint="run `assent verify --repair` to derive it again from the entries",
            ) from None


def _last_of(model: str, newest: Append) -> tuple[Entry, Digest]:
    """The last entry of an append, which all others in it lead to, and its digest."""
    try:
        prev = decode_entry(newest.lines[0]).prev
    except IntegrityError as error:
        raise ChainError(model, newest.first, error.problem) from None
    return list(linked(model, newest.lines, newest.first, prev))[-1]


def _proven(model: str, entry: Entry, derived: Derived, shelf: Shelf) -> tuple[State, str]:
    """The state, and what the ids are, once they are known to be what an entry states."""
    is_known = entry.format == FORMAT
    try:
        state = msgspec.convert(derived.state, State)
    except msgspec.ValidationError as error:
        raise shelf.damaged(f"the state is damaged ({error})") from None
    is_more = canonical_json(state) != canonical_json(derived.state)
    is_of_entry = state.seq == entry.seq and state.standing == entry.state
    if not is_of_entry or state.model != model or (is_more and is_known):
        raise shelf.damaged(f"the state is not what entry {entry.seq} says")
    folder = derived.folders.get(INDEX, {})
    ids: Mapping[str, str] = {name: place.id for name, place in folder.items()}
    for object_format in OBJECT_FORMATS:
        index = layout.tree_id(ids, object_format)
        if entry.derived == derived_digest(derived.state, index):
            return state, object_format
    raise shelf.damaged(f"the state or {INDEX}/ is not what entry {entry.seq} says")
