"""One reading of a ledger in Git."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from assent.core.digest import Digest
from assent.core.entry import GENESIS, decode_entry, entry_digest
from assent.core.registry import ChainError, Record, Registry, State, linked
from assent.errors import IntegrityError
from assent.ledgers.git import layout
from assent.ledgers.git.layout import CLOSED, NEWEST, REGISTRY, Closed, RegistryFile
from assent.ledgers.git.objects import LedgerObjects
from assent.parsing import ParseError, parse_yaml

_Read = TypeVar("_Read")


class GitView:
    """One reading of a ledger at one commit; objects are fetched as they are asked for."""

    def __init__(
        self, state: State, head: Digest, tip: str | None, objects: LedgerObjects | None
    ) -> None:
        self.state = state
        self.head = head
        self.tip = tip
        self._objects = objects

    @classmethod
    def empty(cls, model: str) -> GitView:
        """The view of a ledger that has no entry yet."""
        return cls(State(model=model), GENESIS, None, None)

    @classmethod
    def at(cls, model: str, tip: str, objects: LedgerObjects) -> GitView:
        """The view at a commit. Raises `IntegrityError` if the state is not that of the newest
        entry.
        """
        doing = f"reading the ledger of {model}"
        hint = "run `assent verify` to see what is wrong"
        content, newest = objects.files(tip, [REGISTRY, NEWEST])
        if content is None or newest is None:
            raise IntegrityError(doing, f"{REGISTRY} or {NEWEST} is missing", hint=hint)
        try:
            file = msgspec.convert(parse_yaml(content), RegistryFile)
        except (ParseError, msgspec.ValidationError) as error:
            raise IntegrityError(doing, f"{REGISTRY} is damaged ({error})", hint=hint) from None
        entry = decode_entry(newest)
        state = file.state
        if entry_digest(newest) != file.entry or entry.seq != state.seq:
            raise IntegrityError(doing, f"{REGISTRY} is not at the newest entry", hint=hint)
        if entry.state != state.standing or entry.model != model or state.model != model:
            problem = f"{REGISTRY} does not say what entry {entry.seq} says"
            raise IntegrityError(doing, problem, hint=hint)
        return cls(state, file.entry, tip, objects)

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
        block = self._read(layout.block_path(seq))
        if block is None:
            content = self._read(layout.entry_path(seq))
        else:
            content = dict(enumerate(layout.lines_of(block))).get(seq % layout.BLOCK)
        if content is None:
            raise ChainError(self.state.model, seq, "it is missing")
        return content

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """See `View.entries`."""
        if self._objects is None:
            return
        folders = sorted(
            (int(name), oid)
            for name, oid in self._tree("entries").items()
            if name.isdecimal() and int(name) >= start // layout.FOLDER
        )
        self._objects.bring([oid for _, oid in folders])
        expected = start // layout.BLOCK * layout.BLOCK
        for _, oid in folders:
            files = {
                name: blob
                for name, blob in self._objects.tree(oid).items()
                if not _precedes(name, expected)
            }
            contents = self._objects.read_all(list(files.values()))
            for name, content in zip(files, contents, strict=True):
                for line in self._lines_at(expected, name, content):
                    if expected >= start:
                        yield line
                    expected += 1

    def _lines_at(self, expected: int, name: str, content: bytes) -> list[bytes]:
        """The entries in a file that begins with entry `expected`."""
        if name == layout.block_path(expected).rpartition("/")[2] and expected % layout.BLOCK == 0:
            lines = layout.lines_of(content)
            if len(lines) == layout.BLOCK and b"".join(lines) == content:
                return lines
            missing = expected + min(len(lines), layout.BLOCK)
            raise ChainError(self.state.model, missing, "its block has not a hundred lines")
        if name != layout.entry_path(expected).rpartition("/")[2]:
            raise ChainError(self.state.model, expected, "it is missing")
        return [content]

    def derived(self) -> Registry:
        """See `View.derived`."""
        records: dict[Digest, Record] = {}
        versions: dict[int, Digest] = {}
        if self._objects is not None:
            self._objects.bring([oid for name, oid in self._tree("").items() if name == "index"])
            for path, content in self._below("index/bundles"):
                records |= self._parsed(path, layout.records_in, content)
            for path, content in self._below("index/versions"):
                versions |= self._parsed(path, layout.versions_in, content)
        return Registry(state=self.state, records=records, versions=versions, head=self.head)

    def prepare(self, bundles: Iterable[Digest], count: int) -> dict[str, bytes]:
        """The contents of the files that writing `count` entries about these bundles reads, by
        path. Brings the folders that it changes along.
        """
        if self.tip is None or self._objects is None:
            return {}
        paths = layout.files_read(self.state, bundles, count)
        contents = self._objects.files(self.tip, paths)
        return {path: one for path, one in zip(paths, contents, strict=True) if one is not None}

    def check(self) -> None:
        """Verify what one write can afford: the chain of the entries that are in no full block
        yet, its link to the last block, and that no full block or folder has changed. `assent
        verify` reads everything.

        Raises `ChainError` with the first bad entry, or the first of a bad block.
        """
        if self.tip is None:
            return
        model, last = self.state.model, self.state.seq
        closed = self._decoded(CLOSED, layout.closed_in)
        full = layout.closed_paths(last)
        there = {f"entries/{name}": oid for name, oid in self._tree("entries").items()}
        folder = layout.folder_path(last)
        if folder not in full:
            there.pop(folder, None)
            files = self._tree(folder).items()
            there |= {f"{folder}/{name}": oid for name, oid in files}
        for path in full:
            if path not in there or closed.objects.get(path) != there[path]:
                first = layout.first_of(path)
                raise ChainError(model, first, "the block that begins with it was changed")
        head = closed.head
        start = layout.first_open(last)
        opened = (self.entry(seq) for seq in range(start, last + 1))
        for _, digest in linked(model, opened, start, head):
            head = digest
        if head != self.head:
            raise ChainError(model, last, f"{REGISTRY} stands at another entry")
        unknown = there.keys() - {*full, *layout.entry_files(start, last)}
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
        return self._parsed(path, decode, self._read(path) or b"")

    def _parsed(self, path: str, decode: Callable[[bytes], _Read], content: bytes) -> _Read:
        try:
            return decode(content)
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

    def _tree(self, path: str) -> dict[str, str]:
        if self._objects is None or self.tip is None:
            return {}
        oid = self._objects.find(self.tip, path)
        return {} if oid is None else self._objects.tree(oid)

    def _below(self, path: str) -> Iterator[tuple[str, bytes]]:
        """Every file two levels below `path`."""
        assert self._objects is not None
        for folder, tree in self._tree(path).items():
            files = self._objects.tree(tree)
            contents = self._objects.read_all(list(files.values()))
            for name, content in zip(files, contents, strict=True):
                yield f"{path}/{folder}/{name}", content


def _precedes(name: str, seq: int) -> bool:
    """Whether a file of entries ends before entry `seq`, the first of a block."""
    number = name.partition(".")[0].partition("-")[0]
    return number.isdecimal() and int(number) < seq
