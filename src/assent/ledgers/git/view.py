"""One reading of a ledger in Git."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from assent.core.digest import Digest, canonical_json
from assent.core.entry import FORMAT, GENESIS, decode_entry, entry_digest
from assent.core.registry import ChainError, Record, Registry, State, linked
from assent.errors import IntegrityError
from assent.ledgers import layout
from assent.ledgers.git.objects import FILE_MODE, LedgerObjects, Listed
from assent.ledgers.index import Index
from assent.ledgers.layout import (
    CLOSED,
    ENTRIES,
    INDEX,
    REGISTRY,
    Closed,
    RegistryFile,
    derived_digest,
    format_of,
    index_id,
    tree_id,
)
from assent.parsing import ParseError, parse_yaml

_Read = TypeVar("_Read")


class GitView:
    """One reading of a ledger at one commit; objects are fetched as they are asked for."""

    def __init__(
        self,
        state: State,
        head: Digest,
        tip: str | None,
        objects: LedgerObjects | None,
        *,
        later_format: str | None = None,
        is_proven: bool = True,
    ) -> None:
        self.state = state
        self.head = head
        self.tip = tip
        self.later_format = later_format
        self._is_proven = is_proven
        self._objects = objects

    @classmethod
    def empty(cls, model: str) -> GitView:
        """The view of a ledger that has no entry yet."""
        return cls(State(model=model), GENESIS, None, None)

    @classmethod
    def at(cls, model: str, tip: str, objects: LedgerObjects) -> GitView:
        """The view at a commit. Raises `IntegrityError` if the state and the index are not those
        that the newest entry states, or if there is anything else. What is read below the index
        then needs no other proof: Git holds each file by the digest of its content.
        """
        doing = f"reading the ledger of {model}"
        hint = "run `assent verify` to see what is wrong"
        oid = objects.reach(tip, [""])[""]
        root = objects.tree(oid)
        opened = sorted(filter(layout.is_open, root))
        if REGISTRY not in root or len(opened) != 1:
            problem = f"it needs {REGISTRY} and one file of the newest entries"
            raise IntegrityError(doing, problem, hint=hint)
        content, newest = objects.files(tip, [REGISTRY, *opened])  # in one request
        try:
            shown = parse_yaml(content or b"")
            file = msgspec.convert(shown, RegistryFile)
            is_more = canonical_json(file) != canonical_json(shown)
            shown = msgspec.convert(shown, dict[str, Any])
        except (ParseError, msgspec.ValidationError, TypeError) as error:
            raise IntegrityError(doing, f"{REGISTRY} is damaged ({error})", hint=hint) from None
        state = file.state
        lines = layout.lines_of(newest or b"")
        if not lines or opened[0] != layout.open_path(state.seq):
            raise IntegrityError(doing, f"{REGISTRY} is not at the newest entry", hint=hint)
        entry = decode_entry(lines[-1])
        if entry.seq != state.seq:
            raise IntegrityError(doing, f"{REGISTRY} is not at the newest entry", hint=hint)
        if entry.state != state.standing or entry.model != model or state.model != model:
            problem = f"{REGISTRY} does not say what entry {entry.seq} says"
            raise IntegrityError(doing, problem, hint=hint)
        foreign = root.keys() - {REGISTRY, *opened, ENTRIES, INDEX}
        if foreign and entry.format == FORMAT:
            raise IntegrityError(doing, f"its branch holds {min(foreign)!r}", hint=hint)
        if tree_id(root, format_of(tip)) != oid:
            problem = f"{REGISTRY} or {opened[0]} is no plain file"
            raise IntegrityError(doing, problem, hint=hint)
        index = root.get(INDEX) or tree_id({}, format_of(tip))
        # All that registry.yaml says is proven, also what a later minor format has added.
        fields = {key: shown[key] for key in shown if key != "format"}
        is_more = is_more and entry.format == FORMAT
        if is_more or entry.derived != derived_digest(fields, index):
            problem = f"{REGISTRY} or {INDEX}/ is not what entry {entry.seq} says"
            raise IntegrityError(doing, problem, hint=hint)
        later = None if entry.format == FORMAT else entry.format
        return cls(state, entry_digest(lines[-1]), tip, objects, later_format=later)

    def record(self, bundle: Digest) -> Record | None:
        """See `View.record`."""
        return self._decoded(layout.record_path(bundle), layout.records_in).get(bundle)

    def bundle_of(self, version: int) -> Digest | None:
        """See `View.bundle_of`."""
        for line in self.state.newest:
            if line.version == version:
                return line.bundle
        return self._decoded(layout.version_path(version), layout.versions_in).get(version)

    def entry(self, seq: int) -> bytes:
        """See `View.entry`."""
        if not self._is_proven:
            return self._unproven(seq)
        if seq < 0 or seq > self.state.seq:
            raise ChainError(self.state.model, seq, "it is missing")
        first = layout.first_open(self.state.seq)
        if seq >= first:
            return self._opened[seq - first]
        self._require_closed(seq)
        return self._unproven(seq)

    @cached_property
    def _opened(self) -> list[bytes]:
        """The entries that are in no full block yet, proven to lead from the last block to the
        newest entry.
        """
        model, last = self.state.model, self.state.seq
        first = layout.first_open(last)
        path = layout.open_path(last)
        assert self._objects is not None
        content, _ = self._objects.files(self.tip or "", [path, CLOSED])  # in one request
        contents = _lines(model, first, content)
        head = self._closed.head
        for _, digest in linked(model, contents, first, head):
            head = digest
        if head != self.head:
            raise ChainError(model, last, "it is not the newest")
        return contents

    @cached_property
    def _closed(self) -> Closed:
        return self._decoded(CLOSED, layout.closed_in)

    def _require_closed(self, seq: int) -> None:
        """Raise `ChainError` unless the block or the folder of an entry is the one that was
        closed.
        """
        block, folder = layout.block_path(seq), layout.folder_path(seq)
        place = block if block in self._closed.objects else folder
        oid = None if self._objects is None else self._objects.find(self.tip or "", place)
        if oid is None or self._closed.objects.get(place) != oid:
            raise _changed(self.state.model, place)

    def _unproven(self, seq: int) -> bytes:
        paths = (layout.block_path(seq), layout.open_path(seq))
        block = next((block for block in map(self._read, paths) if block is not None), b"")
        content = dict(enumerate(layout.lines_of(block))).get(seq % layout.BLOCK)
        if content is None:
            raise ChainError(self.state.model, seq, "it is missing")
        return content

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """See `View.entries`."""
        if self._objects is None:
            return
        expected = layout.first_open(start - 1)  # so that there is one, if `start` is to come
        folders = sorted(
            (int(name), oid)
            for name, oid in self._tree(ENTRIES).items()
            if name.isdecimal() and int(name) >= expected // (layout.BLOCK * layout.FILES)
        )
        self._objects.bring([oid for _, oid in folders])
        for _, oid in folders:
            files = {
                name: blob
                for name, blob in self._objects.tree(oid).items()
                if not _precedes(name, expected)
            }
            contents = self._objects.read_all(list(files.values()))
            for name, content in zip(files, contents, strict=True):
                if name != layout.block_path(expected).rpartition("/")[2]:
                    problem = f"it is missing; {name!r} is where it should be"
                    raise ChainError(self.state.model, expected, problem)
                yield from _from(start, expected, self._full(expected, content))
                expected += layout.BLOCK
        opened = self._read(layout.open_path(expected))
        yield from _from(start, expected, _lines(self.state.model, expected, opened))

    def _full(self, first: int, content: bytes) -> list[bytes]:
        lines = _lines(self.state.model, first, content)
        if len(lines) != layout.BLOCK:
            missing = first + min(len(lines), layout.BLOCK)
            problem = f"its block has not {layout.BLOCK} lines"
            raise ChainError(self.state.model, missing, problem)
        return lines

    def astray(self, registry: Registry) -> tuple[str, ...] | None:
        """See `View.astray`."""
        if self.tip is None or self._objects is None:
            return ()
        newest = decode_entry(self.entry(registry.state.seq))
        if newest.format != FORMAT:
            return None
        ids: dict[str, str | None] = {
            **layout.blob_ids(self.rebuilt(registry), format_of(self.tip))
        }
        # What is in those the chain says.
        ids |= dict.fromkeys(layout.entry_files(registry.state.seq))
        there = self._objects.listing(self.tip)
        paths_astray = tuple(
            path
            for path in sorted(ids.keys() | there.keys())
            if path not in ids
            or path not in there
            or there[path].mode != FILE_MODE
            or ids[path] not in (None, there[path].oid)
        )
        if paths_astray or layout.root_id(_oids(there), format_of(self.tip)) == self._root():
            return paths_astray
        return ("its folders",)  # empty ones, names that are there twice, odd modes and orders

    def _root(self) -> str | None:
        return None if self._objects is None else self._objects.find(self.tip or "", "")

    def entry_ids(self, registry: Registry) -> dict[str, str]:
        """The Git ids of the files of all entries, which are kept as they are."""
        if self.tip is None or self._objects is None:
            return {}
        there = _oids(self._objects.listing(self.tip))
        return {path: there[path] for path in layout.entry_files(registry.state.seq)}

    def rebuilt(self, registry: Registry) -> dict[str, bytes]:
        """Everything derived, made anew. Raises `ChainError` if the newest entry states something
        else: then it lies, and nothing made from it would be right.
        """
        seq = registry.state.seq
        newest = self.entry(seq)
        files = layout.files_rebuilt(registry, self.closed(seq))
        index = index_id({}, files, format_of(self.tip or ""))
        if decode_entry(newest).derived != derived_digest(registry.state, index):
            problem = "it states something else than what is derived from the entries"
            raise ChainError(registry.state.model, seq, problem)
        return files

    def index(self, bundles: Iterable[Digest], count: int, object_format: str) -> Index:
        """The index as `count` more entries about these bundles change it, and the entries that
        are in no full block yet.
        """
        if self.tip is None or self._objects is None:
            return Index({}, {}, object_format)
        paths = layout.files_read(self.state, bundles, count)
        folders = layout.folders_of(paths)
        reached = self._objects.reach(self.tip, [*paths, *folders])
        contents = {path: self._objects.read(reached[path]) for path in paths if path in reached}
        return Index(
            {path: content for path, content in contents.items() if content is not None},
            {
                folder: dict(self._objects.tree(reached[folder]))
                for folder in folders
                if folder in reached
            },
            object_format,
        )

    def check(self) -> None:
        """Verify what one write can afford: the chain of the entries that are in no full block
        yet, its link to the last block, and that no full block or folder has changed. `assent
        verify` reads everything.

        Raises `ChainError` with the first bad entry, or the first of a bad block.
        """
        if self.tip is None:
            return
        model, last = self.state.model, self.state.seq
        if self._read(REGISTRY) != layout.state_file(self.state):
            raise IntegrityError(
                f"reading the ledger of {model}",
                f"{REGISTRY} does not have the bytes that the entries give it",
                hint="run `assent verify --repair` to derive it again from the entries",
            )
        full = layout.closed_paths(last)
        there = {f"{ENTRIES}/{name}": oid for name, oid in self._plain(ENTRIES).items()}
        folder = layout.folder_path(last)
        if folder not in full:
            there.pop(folder, None)
            files = self._plain(folder).items()
            there |= {f"{folder}/{name}": oid for name, oid in files}
        for path in full:
            if path not in there or self._closed.objects.get(path) != there[path]:
                raise _changed(model, path)
        _ = self._opened
        unknown = there.keys() - set(full)
        if unknown:
            raise ChainError(model, last + 1, f"{min(unknown)} is no entry of this ledger")

    def closed(self, last: int) -> Closed:
        """What `index/closed.json` is to say with `last` as the newest entry, by what stands in
        the branch.
        """
        opened = layout.first_open(last)
        paths = layout.closed_paths(last)
        if not paths or self.tip is None or self._objects is None:
            return Closed()
        trees = {path.rpartition("/")[0] for path in paths}
        ids = {
            f"{tree}/{name}": oid
            for tree in sorted(trees)
            for name, oid in self._tree(tree).items()
        }
        head = entry_digest(self.entry(opened - 1))
        return Closed(head=head, objects={path: ids[path] for path in paths})

    def _decoded(self, path: str, decode: Callable[[bytes], _Read]) -> _Read:
        try:
            return decode(self._read(path) or b"")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise IntegrityError(
                f"reading the ledger of {self.state.model}",
                f"{path} is damaged ({error})",
                hint="run `assent verify --repair` to derive it again from the entries",
            ) from None

    def _read(self, path: str) -> bytes | None:
        if self._objects is None or self.tip is None:
            return None
        [content] = self._objects.files(self.tip, [path])
        return content

    def _plain(self, path: str) -> dict[str, str]:
        """The ids by name in a folder that must hold plain files and folders alone."""
        tree = self._tree(path)
        oid = None if self._objects is None else self._objects.find(self.tip or "", path)
        if oid is not None and tree_id(tree, format_of(oid)) != oid:
            problem = f"{path} holds something else than plain files and folders"
            raise ChainError(self.state.model, self.state.seq + 1, problem)
        return tree

    def _tree(self, path: str) -> dict[str, str]:
        if self._objects is None or self.tip is None:
            return {}
        oid = self._objects.find(self.tip, path)
        return {} if oid is None else self._objects.tree(oid)


def _oids(there: Mapping[str, Listed]) -> dict[str, str]:
    return {path: listed.oid for path, listed in there.items()}


def _changed(model: str, path: str) -> ChainError:
    problem = "the block that begins with it was changed"
    return ChainError(model, layout.first_of(path), problem)


def _lines(model: str, first: int, content: bytes | None) -> list[bytes]:
    """The entries in a file that begins with entry `first`: there is at least one."""
    lines = layout.lines_of(content or b"")
    if content is None or not lines:
        raise ChainError(model, first, "it is missing")
    if b"".join(lines) != content or len(lines) > layout.BLOCK:
        missing = first + min(len(lines), layout.BLOCK)
        raise ChainError(model, missing, "its block is damaged")
    return lines


def _from(start: int, first: int, lines: list[bytes]) -> list[bytes]:
    """Of the lines that begin with entry `first`, those from entry `start`."""
    return lines[max(start - first, 0) :]


def _precedes(name: str, seq: int) -> bool:
    """Whether a full block ends before entry `seq`, the first of another one."""
    number = name.partition(".")[0]
    return number.isdecimal() and int(number) < seq
