"""Objects of a Git repository that filtered fetches have left incomplete."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from assent.errors import IntegrityError
from assent.git import EndedError, GitError, Object, Objects, Patience, git

FILE_MODE = "100644"
"""A plain file, in Git."""
_READING = "reading objects of the ledger"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a commit: its Git mode and the id of its blob."""

    mode: str
    oid: str


class LedgerObjects:
    """Objects of a Git repository that filtered fetches have left incomplete. What is asked for
    and is not here is fetched by its id. Git would do that by itself, but object by object, and a
    folder with all folders below it.

    What cannot be had that way may be damaged here: then `heal` is called, once, which makes the
    repository anew, and all is fetched again. What was read stays.
    """

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str],
        settings: Sequence[tuple[str, str]],
        patience: Patience,
        *,
        heal: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._env = env
        self._settings = settings
        self._patience = patience
        self._heal = heal
        self._is_healed = False
        # Without the settings by which Git would fetch by itself.
        self._here = Objects(folder, env=env)
        self._read: dict[str, bytes] = {}  # by object id: what has one id never changes
        self._trees: dict[str, dict[str, str]] = {}

    def files(self, commit: str, paths: Sequence[str]) -> list[bytes | None]:
        """The contents of files of a commit, None for those it has not. What is missing of one
        level of folders is fetched in one request.
        """
        reached = self.reach(commit, paths)
        return [self.read(reached[path]) if path in reached else None for path in paths]

    def find(self, commit: str, path: str) -> str | None:
        """The id of a file or folder of a commit, itself brought here."""
        return self.reach(commit, [path]).get(path)

    def reach(self, commit: str, paths: Sequence[str]) -> dict[str, str]:
        """The ids of those files and folders that a commit has (the empty path is its root), all
        of them brought here.
        """
        header, _, _ = (self.read(commit) or b"").partition(b"\n")
        root = header.removeprefix(b"tree ").decode()
        rest = {path: path.split("/") if path else [] for path in paths}
        reached = dict.fromkeys(paths, root)
        while True:
            self._require(list(reached.values()))
            further = {path: oid for path, oid in reached.items() if rest[path]}
            if not further:
                return reached
            for path, oid in further.items():
                below = self.tree(oid).get(rest[path].pop(0))
                if below is None:
                    del reached[path]
                else:
                    reached[path] = below

    def read(self, oid: str) -> bytes | None:
        """The content of an object, or None if it is not here."""
        if oid not in self._read:
            object_ = self._found(oid)
            if object_ is None:
                return None
            self._read[oid] = object_.content
        return self._read[oid]

    def _found(self, oid: str) -> Object | None:
        try:
            return self._here.read(oid)
        except EndedError:
            if not self._healed():
                raise
            return None

    def tree(self, oid: str) -> dict[str, str]:
        """Object ids by name of a tree, in Git's order; empty if it is not here."""
        if oid not in self._trees:
            content = self.read(oid)
            if content is None:
                return {}
            try:
                self._trees[oid] = _tree(content, len(oid))
            except ValueError:
                problem = f"the Git object {oid} is where a folder should be, and is none"
                raise IntegrityError("reading the ledger", problem) from None
        return self._trees[oid]

    def read_all(self, names: Sequence[str]) -> list[bytes]:
        """The contents of many objects, asked for at once."""
        contents = self._batch(names)
        if None in contents and self._healed():
            self._fetch("blob:limit=1g", list(dict.fromkeys(names)))
            contents = self._batch(names)
        for name, content in zip(names, contents, strict=True):
            if content is None:
                raise IntegrityError(_READING, f"the Git object {name} is missing")
        return [content for content in contents if content is not None]

    def _batch(self, names: Sequence[str]) -> list[bytes | None]:
        request = "".join(f"{name}\n" for name in names).encode()
        shown = self._git("cat-file", "--batch", doing=_READING, stdin=request)
        contents: list[bytes | None] = []
        position = 0
        for _ in names:
            end = shown.index(b"\n", position)
            words = shown[position:end].split(b" ")
            position = end + 1
            if len(words) != 3:
                contents.append(None)
                continue
            size = int(words[2])
            contents.append(shown[position : position + size])
            position += size + 1
        return contents

    def listing(self, commit: str) -> dict[str, Listed]:
        """Everything that a commit holds, by path. Brings all of it here."""
        self.bring(list(self.reach(commit, [""]).values()))
        shown = self._git("ls-tree", "-r", "-z", "--full-tree", commit, doing="listing the ledger")
        files: dict[str, Listed] = {}
        for line in shown.decode(errors="replace").split("\0")[:-1]:
            head, _, path = line.partition("\t")
            mode, _, oid = head.split(" ")
            files[path] = Listed(mode=mode, oid=oid)
        return files

    def bring(self, trees: Sequence[str]) -> None:
        """Fetch everything below these trees that a filtered fetch left out, in one request or
        two: Git itself would fetch object by object.
        """
        # Of a tree that is here already, Git takes for granted that all below it is here too.
        # So first the trees are fetched, and then, by their own names, what others still lack.
        for _ in range(2):
            missing = self._missing(trees)
            if not missing:
                return
            self._fetch("blob:limit=1g", missing)

    def _require(self, oids: Sequence[str]) -> None:
        """Have these objects here, without what is below them."""
        missing = [oid for oid in dict.fromkeys(oids) if self.read(oid) is None]
        if not missing:
            return
        self._fetch("tree:0", missing)
        if any(self.read(oid) is None for oid in missing) and self._healed():
            self._fetch("tree:0", missing)

    def _fetch(self, filtered: str, oids: Sequence[str]) -> None:
        self._git(
            *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags"),
            *("--no-write-fetch-head", "--no-auto-maintenance", f"--filter={filtered}"),
            *("--stdin", "ledger"),
            doing="fetching what the ledger holds",
            stdin="".join(f"{oid}\n" for oid in oids).encode(),
        )

    def _missing(self, trees: Sequence[str]) -> list[str]:
        """What is not here of these trees and below them; all of them if one itself is not."""
        if not trees:
            return []
        try:
            shown = self._once(
                *("rev-list", "--objects", "--missing=print", "--no-object-names", *trees),
                doing="looking for the entries of the ledger",
            )
        except GitError:  # one of the trees themselves is missing
            return list(trees)
        return [line[1:] for line in shown.decode().splitlines() if line.startswith("?")]

    def _healed(self) -> bool:
        """Whether the repository was made anew just now: once, and not for ever."""
        if self._is_healed:
            return False
        self._is_healed = True
        self._heal()
        self._here = Objects(self._folder, env=self._env)
        return True

    def _git(self, *arguments: str, doing: str, stdin: bytes | None = None) -> bytes:
        try:
            return self._once(*arguments, doing=doing, stdin=stdin)
        except GitError as error:
            if not error.may_be_of_damage or not self._healed():
                raise
        return self._once(*arguments, doing=doing, stdin=stdin)

    def _once(self, *arguments: str, doing: str, stdin: bytes | None = None) -> bytes:
        return git(
            arguments,
            folder=self._folder,
            doing=doing,
            stdin=stdin,
            env=self._env,
            settings=self._settings,
            patience=self._patience,
        )


def _tree(content: bytes, id_digits: int) -> dict[str, str]:
    """Object ids by name in a Git tree: mode, blank, name, NUL and the bytes of the id."""
    ids: dict[str, str] = {}
    position = 0
    while position < len(content):
        blank = content.index(b" ", position)
        end = content.index(b"\0", blank)
        position = end + 1 + id_digits // 2
        oid = content[end + 1 : position].hex()
        ids[content[blank + 1 : end].decode(errors="replace")] = oid
    return ids
