"""What a disk may hold after its power was cut at some point of a program.

`strace` writes down what the program and all that it starts did to files; `Disk` does it again,
step by step, and knows at each what was flushed. So one run gives every point at which it could
have been cut, and of each point what may be left, from all that was written (as after a kill of all
its processes at once) to nothing but what was flushed.

The rules: what a file holds is safe when the file was flushed. A name is safe when its folder was;
on a file system with a journal also when anything was flushed after it. Names that are not safe
may be there or not, and files whose names are there and whose content is not safe are empty, or
full of zeros. File systems do not wait for each other.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

_PATHS = "rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,chdir,fchdir"
_FILES = "openat,open,creat,write,pwrite64,writev,pwritev,ftruncate,truncate,lseek,fallocate"
_OTHERS = "symlink,symlinkat,copy_file_range,sendfile,splice,fsync,fdatasync,sync,syncfs"
TRACED = f"{_PATHS},{_FILES},{_OTHERS}"
FLUSHES = ("fsync", "fdatasync", "sync", "syncfs")

_LINE = re.compile(r"(\d+) +(.*)")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (\d+|0x[0-9a-f]+)(?:<.*>)?(?: \(.*\))?", re.DOTALL)
_QUOTED = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_OPENED = re.compile(r"(?:\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>")
_HOME = re.compile(r"AT_FDCWD<((?:\\x[0-9a-f]{2})*)>")
_SHOWN = re.compile(r"<[^>]*>")
_WRITES = ("write", "pwrite64", "writev", "pwritev")


def tracer(log: Path) -> tuple[str, ...]:
    """What to run a program with to have all that it does to files written down."""
    options = ("-f", "-y", "-xx", "-qq", "-s", "33554432", "--seccomp-bpf", "-e", "signal=none")
    return ("strace", *options, "-e", f"trace={TRACED}", "-o", str(log))


@dataclass(frozen=True)
class Step:
    """One call that went well: `paths` are the files and folders it names, made absolute, first
    those of open files.
    """

    name: str
    thread: str
    paths: tuple[str, ...]
    words: tuple[str, ...]
    data: bytes
    result: int

    @property
    def is_flush(self) -> bool:
        return self.name in FLUSHES


def steps(log: Path) -> list[Step]:
    """What was written down, in the order in which it ended."""
    found: list[Step] = []
    begun: dict[str, str] = {}
    homes: dict[str, str] = {}
    for line in log.read_text("ascii").splitlines():
        number, text = _fields(_LINE, line)
        if text.endswith("<unfinished ...>"):
            begun[number] = text.removesuffix("<unfinished ...>")
            continue
        resumed = _RESUMED.fullmatch(text)
        if resumed is not None:
            text = begun.pop(number) + resumed[1]
        step = _step(number, text, homes)
        if step is not None:
            found.append(step)
    return found


def _fields(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    matched = pattern.fullmatch(text)
    assert matched is not None, text[:200]
    return matched[1], matched[2]


def _step(thread: str, text: str, homes: dict[str, str]) -> Step | None:
    """One call, or None for one that failed or changed nothing. `homes` are the folders that the
    threads are in, as far as they have shown it.
    """
    home = _HOME.search(text)
    if home is not None:
        homes[thread] = _text(home[1])
    if "O_RDONLY" in text:
        return None
    matched = _CALL.fullmatch(text)
    if matched is None:
        return None  # it failed, or the process ended in it
    name, arguments, result = matched[1], matched[2], int(matched[3], 0)
    opened = [_text(one) for one in _OPENED.findall(arguments)]
    quoted = [_bytes(one) for one in _QUOTED.findall(arguments)]
    words = tuple(_SHOWN.sub("", arguments).split(", "))
    if name in _WRITES:
        data = b"".join(quoted)[:result]
        assert len(data) == result, "strace has cut off what was written"
        return Step(name, thread, tuple(opened[:1]), words, data, result)
    if quoted:
        here = homes.get(thread, "/")
        named = zip(opened or [here] * len(quoted), map(bytes.decode, quoted), strict=True)
        opened = [posixpath.normpath(posixpath.join(*one)) for one in named]
    if name in ("chdir", "fchdir"):
        homes[thread] = opened[0]
        return None
    return Step(name, thread, tuple(opened), words, b"", result)


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


@cache
def _text(escaped: str) -> str:
    return _bytes(escaped).decode()


class Names(StrEnum):
    """Which names of a file system are there after a cut, of those that are not safe."""

    KEPT = "kept"
    LOST = "lost"


class Data(StrEnum):
    """What is in files after a cut, where it was not flushed."""

    KEPT = "kept"
    EMPTY = "empty"
    ZEROS = "zeros"


@dataclass(eq=False)
class _File:
    content: bytearray
    safe: bytes | None
    position: int = 0
    writer: str = ""
    appends: bool = False

    def after(self, data: Data) -> bytes:
        if self.safe is not None and (data is not Data.KEPT or self.safe == self.content):
            return self.safe  # of what was written over it since, nothing
        if data is Data.KEPT:
            return bytes(self.content)
        return b"" if data is Data.EMPTY else bytes(len(self.content))


@dataclass(eq=False)
class _Folder:
    names: dict[str, _File | _Folder] = field(default_factory=dict)
    safe: dict[str, _File | _Folder] = field(default_factory=dict)


Image = dict[str, bytes | None]
"""What is left: the content of files by path below the root; None for a folder."""


class Disk:
    """The folder `root`, as it is now: all of it safe. Its subfolders `journalled` and the others
    are file systems of their own, those others without a journal.
    """

    def __init__(self, root: Path, journalled: Sequence[str]) -> None:
        self.root = root
        self._journalled = journalled
        self._tree = _load(root)

    def do(self, step: Step) -> None:
        """Have a step done."""
        places = [self._place(path) for path in step.paths]
        match step.name:
            case "openat" | "open" | "creat":
                self._open(step, places[-1])
            case "write" | "writev" | "pwrite64" | "pwritev":
                self._write(step, places)
            case "lseek":
                file = self._file(places[0])
                if file is not None and file.writer == step.thread:
                    file.position = step.result
            case "ftruncate" | "truncate":
                file = self._file(places[0])
                if file is not None:
                    size = int(step.words[1], 0)
                    file.content[:] = file.content[:size].ljust(size, b"\0")
            case "mkdir" | "mkdirat":
                self._name(places[-1], _Folder())
            case "rename" | "renameat" | "renameat2":
                self._name(places[1], self._unname(places[0]))
            case "link" | "linkat":
                self._name(places[1], self._at(places[0]))
            case "symlink" | "symlinkat":  # Git tries one when it makes a repository
                self._name(places[-1], _File(bytearray(), b""))
            case "unlink" | "unlinkat" | "rmdir":
                self._unname(places[-1])
            case "fsync" | "fdatasync":
                self._flush(places[0])
            case "syncfs":
                if places[0]:
                    _make_safe(self._tree.names[places[0][0]], everything=True)
            case "sync":
                _make_safe(self._tree, everything=True)
            case _:
                assert not any(places), f"the model of a disk does not know {step.name}"

    def has(self, step: Step) -> bool:
        """Whether a step is about anything here."""
        return any(map(self._place, step.paths))

    def image(self, names: dict[str, Names], data: Data) -> Image:
        """What may be left if the power is cut now, by file system."""
        found: Image = {}
        for system, folder in self._tree.names.items():
            kept = names[system] is Names.KEPT
            found[system] = None
            assert isinstance(folder, _Folder)
            found |= {f"{system}/{path}": left for path, left in _left(folder, data, kept=kept)}
        return found

    def _place(self, path: str) -> list[str]:
        prefix = f"{self.root}/"
        return path.removeprefix(prefix).split("/") if path.startswith(prefix) else []

    def _at(self, place: list[str]) -> _File | _Folder | None:
        found: _File | _Folder | None = self._tree if place else None
        for part in place:
            found = found.names.get(part) if isinstance(found, _Folder) else None
        return found

    def _file(self, place: list[str]) -> _File | None:
        found = self._at(place)
        return found if isinstance(found, _File) else None

    def _name(self, place: list[str], what: _File | _Folder | None) -> None:
        if place:
            above = self._at(place[:-1]) if place[1:] else self._tree
            assert isinstance(above, _Folder), place
            assert what is not None, place
            above.names[place[-1]] = what

    def _unname(self, place: list[str]) -> _File | _Folder | None:
        above = self._at(place[:-1]) if place[1:] else self._tree
        return above.names.pop(place[-1]) if place and isinstance(above, _Folder) else None

    def _open(self, step: Step, place: list[str]) -> None:
        flags = step.words[2] if step.name == "openat" else step.words[1]
        if not place or not re.search("O_WRONLY|O_RDWR", flags):
            return
        if self._at(place) is None:
            assert "O_CREAT" in flags, place
            self._name(place, _File(bytearray(), None))
        file = self._file(place)
        assert file is not None, place
        if "O_TRUNC" in flags:
            file.content.clear()
        file.position, file.writer, file.appends = 0, step.thread, "O_APPEND" in flags

    def _write(self, step: Step, places: list[list[str]]) -> None:
        file = self._file(places[0]) if places else None
        if file is None:
            return
        is_placed = step.name.startswith("p")
        start = int(step.words[-1], 0) if is_placed else file.position
        start = len(file.content) if file.appends else start
        file.content.extend(bytes(max(0, start - len(file.content))))
        file.content[start : start + len(step.data)] = step.data
        if not is_placed:
            file.position = start + len(step.data)

    def _flush(self, place: list[str]) -> None:
        found = self._at(place)
        if found is None:
            return
        if place[0] in self._journalled:
            _make_safe(self._tree.names[place[0]], everything=False)
        if isinstance(found, _File):
            found.safe = bytes(found.content)
        else:
            found.safe = dict(found.names)


def _load(path: Path) -> _Folder:
    folder = _Folder()
    for one in path.iterdir():
        assert not one.is_symlink(), one
        content = None if one.is_dir() else one.read_bytes()
        folder.names[one.name] = (
            _load(one) if content is None else _File(bytearray(content), content)
        )
    folder.safe = dict(folder.names)
    return folder


def _make_safe(found: _File | _Folder, *, everything: bool) -> None:
    """The names in a folder and below; with `everything` also what is in the files."""
    if isinstance(found, _Folder):
        found.safe = dict(found.names)
        for one in found.names.values():
            _make_safe(one, everything=everything)
    elif everything:
        found.safe = bytes(found.content)


def _left(folder: _Folder, data: Data, *, kept: bool) -> Iterator[tuple[str, bytes | None]]:
    for name, one in sorted((folder.names if kept else folder.safe).items()):
        if isinstance(one, _File):
            yield name, one.after(data)
        else:
            yield name, None
            yield from ((f"{name}/{path}", left) for path, left in _left(one, data, kept=kept))


def write(image: Image, root: Path) -> None:
    """Have an image in the place of what is at `root`."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for path, content in image.items():
        if content is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(content)


def read(root: Path) -> Image:
    """What is at `root`, as an image."""
    found: Image = {}
    for parent, folders, files in os.walk(root):
        below = Path(parent).relative_to(root)
        found |= {str(below / name): None for name in folders}
        found |= {str(below / name): Path(parent, name).read_bytes() for name in files}
    return found
