"""What a Git repository on disk is made of, read and written without starting Git: objects as files
of their own, and refs. A test pushes hundreds of commits, and Git would be started for each thrice.

Whatever is not plain is left to Git, and answered with None: what is in a pack, names that have to
be looked for, tags with a message.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

_SHA = re.compile(r"[0-9a-f]{40}")
_REF = re.compile(r"refs(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+(?<!\.lock)(?<!\.)")
_NAME = re.compile(r"(?!\.git$)\.*\w[^/\0\n\"\\]*")
_FOLDER = "40000"
_FILE = "100644"


def is_sha(text: str) -> bool:
    return _SHA.fullmatch(text) is not None


class Loose:
    """The files of a bare repository with the object format SHA-1."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # --- objects ---

    def read(self, sha: str) -> tuple[str, bytes] | None:
        """The kind and the content of an object."""
        if not _SHA.fullmatch(sha):
            return None
        try:
            whole = zlib.decompress(self._place(sha).read_bytes())
        except FileNotFoundError:
            return None
        head, _, content = whole.partition(b"\0")
        return head.decode().partition(" ")[0], content

    def write(self, kind: str, content: bytes) -> str:
        """The name of an object that is there now."""
        whole = b"%s %d\0" % (kind.encode(), len(content)) + content
        sha = hashlib.sha1(whole).hexdigest()  # Git's own name of it
        place = self._place(sha)
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            _put(place, zlib.compress(whole, 1))
        return sha

    def _place(self, sha: str) -> Path:
        return self.folder / "objects" / sha[:2] / sha[2:]

    # --- trees ---

    def tree_with(self, tree: str | None, files: Mapping[str, bytes | None]) -> str | None:
        """A tree with other files in it; None deletes one. None where not all of it is plain."""
        entries = {} if tree is None else self._entries(tree)
        if entries is None:
            return None
        below: dict[str, dict[str, bytes | None]] = {}
        for path, content in files.items():
            name, _, rest = path.partition("/")
            if not _NAME.fullmatch(name) or (name in files and rest):
                return None
            if rest:
                below.setdefault(name, {})[rest] = content
            elif content is None:
                entries.pop(name, None)
            else:
                entries[name] = (_FILE, self.write("blob", content))
        for name, inner in below.items():
            mode, before = entries.get(name, (_FOLDER, None))
            if mode != _FOLDER and not any(one is not None for one in inner.values()):
                continue  # what is to be deleted below a file is not there
            made = self.tree_with(before if mode == _FOLDER else None, inner)
            if made is None:
                return None
            entries[name] = (_FOLDER, made)
            if made == _NOTHING:
                del entries[name]
        return self.write("tree", _encoded(entries))

    def _entries(self, tree: str) -> dict[str, tuple[str, str]] | None:
        found = self.read(tree)
        if found is None or found[0] != "tree":
            return None
        return {name: (mode, sha) for mode, name, sha in _decoded(found[1])}

    # --- refs ---

    def ref(self, name: str) -> str | None:
        """The commit that a ref names by its full name, or a SHA."""
        sha = name if _SHA.fullmatch(name) else self._ref(name)
        found = None if sha is None else self.read(sha)
        return sha if found is not None and found[0] == "commit" else None

    def lacks(self, name: str) -> bool:
        """Whether there is no such ref for certain."""
        if not _REF.fullmatch(name) or (self.folder / name).exists():
            return False
        try:
            return f" {name}\n" not in (self.folder / "packed-refs").read_text()
        except FileNotFoundError:
            return True

    def set_ref(self, name: str, sha: str) -> bool:
        """Let a ref name a commit that is there, unless somebody is about to change it."""
        if not _REF.fullmatch(name) or self.ref(sha) != sha:
            return False
        place = self.folder / name
        lock = place.with_name(f"{place.name}.lock")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with lock.open("x") as file:
                file.write(f"{sha}\n")
        except OSError:
            return False
        try:
            lock.replace(place)
        except OSError:
            lock.unlink()
            return False
        return True

    def _ref(self, name: str) -> str | None:
        if not _REF.fullmatch(name):
            return None
        try:
            text = (self.folder / name).read_text().strip()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        return text if _SHA.fullmatch(text) else None


def _put(place: Path, content: bytes) -> None:
    """Nobody sees a half of it."""
    part = place.with_name(f"tmp_{os.getpid()}_{id(content)}")
    part.write_bytes(content)
    part.replace(place)


def _decoded(content: bytes) -> Iterator[tuple[str, str, str]]:
    while content:
        head, _, rest = content.partition(b"\0")
        mode, _, name = os.fsdecode(head).partition(" ")
        yield mode, name, rest[:20].hex()
        content = rest[20:]


def _encoded(entries: Mapping[str, tuple[str, str]]) -> bytes:
    """In Git's order, in which a folder ends with a slash."""

    def key(name: str) -> bytes:
        return os.fsencode(f"{name}/" if entries[name][0] == _FOLDER else name)

    lines = []
    for name in sorted(entries, key=key):
        mode, sha = entries[name]
        lines.append(os.fsencode(f"{mode} {name}\0") + bytes.fromhex(sha))
    return b"".join(lines)


_NOTHING = hashlib.sha1(b"tree 0\0").hexdigest()
"""The tree without a file. Git keeps no folder that is empty."""
