"""The Git side of the stand-in: a real bare repository on disk.

Commits, contents and merges are Git's own, so that what the API says and what `git fetch` brings
always agree. A fork shares the objects of its parent, as on GitHub: a commit of a fork can be read
by its SHA through the parent.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.standin.loose import Loose, is_sha


@dataclass(frozen=True)
class Signature:
    """Who wrote or committed, as the commit says."""

    name: str
    email: str
    at: datetime

    def line(self) -> str:
        return f"{self.name} <{self.email}> {int(self.at.timestamp())} +0000"


@dataclass(frozen=True)
class Commit:
    """A commit as Git has it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class Item:
    """One name in a folder of a tree."""

    mode: str
    kind: str
    sha: str
    size: int
    path: str


@dataclass(frozen=True)
class Changed:
    """One file between two trees."""

    path: str
    status: str
    sha: str
    added: int
    removed: int
    old_path: str | None = None


class GitRefusedError(Exception):
    """Git said no; the text is its own."""


class Objects:
    """A bare repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._commits: dict[str, Commit] = {}
        self._said: dict[tuple[str, ...], str | GitRefusedError] = {}
        self._loose = Loose(folder)
        if not (folder / "HEAD").exists():
            folder.mkdir(parents=True, exist_ok=True)
            self.run("init", "-q", "--bare", "-b", "main")

    def run(self, *arguments: str, stdin: bytes = b"") -> str:
        return self.raw(*arguments, stdin=stdin).decode(errors="replace").strip()

    def raw(self, *arguments: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, input=stdin, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise GitRefusedError(done.stderr.decode(errors="replace"))
        return done.stdout

    def _of_commits(self, words: tuple[str, ...], *commits: str) -> str:
        """As `run`, for what only hangs on commits: it is said once of those that are named by
        their SHA.
        """
        if words in self._said:
            found = self._said[words]
        else:
            try:
                found = self.run(*words)
            except GitRefusedError as error:
                found = error
            if all(map(is_sha, commits)) and all(map(self._loose.read, commits)):
                self._said[words] = found
        if isinstance(found, GitRefusedError):
            raise found
        return found

    def resolve(self, name: str) -> str | None:
        """The SHA of a commit that a full ref or a SHA names."""
        if found := self._loose.ref(name):
            return found
        if self._loose.lacks(name):
            return None
        try:
            return self.run("rev-parse", "--verify", "-q", f"{name}^{{commit}}")
        except GitRefusedError:
            return None

    def set_ref(self, ref: str, sha: str) -> None:
        if not self._loose.set_ref(ref, sha):
            self.run("update-ref", ref, sha)

    def delete_ref(self, ref: str) -> None:
        self.run("update-ref", "-d", ref)

    def refs(self, prefix: str) -> dict[str, str]:
        lines = self.run("for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def commit(self, sha: str) -> Commit:
        """The commit, read once: it never changes."""
        if sha not in self._commits:
            kind, content = self._loose.read(sha) or ("", b"")
            if kind != "commit":
                content = self.raw("cat-file", "commit", sha)
            self._commits[sha] = parsed(sha, content)
        return self._commits[sha]

    def between(self, base: str, head: str) -> list[str]:
        """Commits of `head` that `base` has not, oldest first."""
        words = ("rev-list", "--reverse", "--topo-order", head, f"^{base}")
        return self._of_commits(words, base, head).splitlines()

    def has(self, tip: str, sha: str) -> bool:
        """Whether `sha` can be reached from `tip`."""
        try:
            self._of_commits(("merge-base", "--is-ancestor", sha, tip), sha, tip)
        except GitRefusedError:
            return False
        return True

    def merge_base(self, one: str, other: str) -> str:
        return self._of_commits(("merge-base", one, other), one, other)

    def folder_items(self, commit: str, path: str) -> list[Item]:
        where = f"{path.rstrip('/')}/" if path.strip("/") else ""
        out = self.raw("ls-tree", "-z", "--long", commit, *([where] if where else []))
        items = []
        for line in out.decode().split("\0")[:-1]:
            facts, name = line.split("\t", 1)
            mode, kind, sha, size = facts.split()
            items.append(Item(mode, kind, sha, int(size) if size.isdigit() else 0, name))
        return items

    def item(self, commit: str, path: str) -> Item | None:
        """The file or folder at `path`."""
        parent = path.strip("/").rpartition("/")[0]
        found = [one for one in self.folder_items(commit, parent) if one.path == path.strip("/")]
        return found[0] if found else None

    def blob(self, sha: str) -> bytes:
        kind, content = self._loose.read(sha) or ("", b"")
        return content if kind == "blob" else self.raw("cat-file", "blob", sha)

    def changed(self, old: str, new: str) -> list[Changed]:
        """Files that differ between two commits, renames found."""
        words = ("diff-tree", "-r", "-M", "--no-commit-id", "-z")
        raw = self._of_commits((*words, "--raw", old, new), old, new)
        counts = self._of_commits((*words, "--numstat", old, new), old, new)
        numbers: dict[str, tuple[int, int]] = {}
        parts = counts.split("\0")
        while len(parts) > 1:
            added, removed, path = parts.pop(0).split("\t")
            if not path:  # a rename: old and new name follow
                parts.pop(0)
                path = parts.pop(0)
            numbers[path] = (
                int(added) if added.isdigit() else 0,
                int(removed) if removed.isdigit() else 0,
            )
        found = []
        parts = raw.split("\0")
        while len(parts) > 1:
            facts = parts.pop(0).split()
            path, old_path = parts.pop(0), None
            if facts[4][0] in "RC":
                old_path, path = path, parts.pop(0)
            status = {"A": "added", "D": "removed", "R": "renamed", "C": "copied"}
            sha = facts[3] if facts[4] != "D" else facts[2]
            found.append(
                Changed(
                    path,
                    status.get(facts[4][0], "modified"),
                    sha,
                    *numbers.get(path, (0, 0)),
                    old_path,
                )
            )
        return found

    def write(
        self,
        *,
        message: str,
        author: Signature,
        committer: Signature,
        parents: Sequence[str],
        files: Mapping[str, str | bytes | None] | None = None,
        tree: str | None = None,
    ) -> str:
        """A new commit: `tree`, or the first parent's tree with `files` in it (None deletes)."""
        if tree is None:
            tree = self._tree(parents[0] if parents else None, files or {})
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents)]
        lines += [f"author {author.line()}", f"committer {committer.line()}", "", message]
        text = ("\n".join(lines) + "\n").encode()
        return self._loose.write("commit", text)

    def _tree(self, parent: str | None, files: Mapping[str, str | bytes | None]) -> str:
        """The tree of `parent` with `files` in it. What is not plain goes through fast-import: the
        only way without an index or a working tree.
        """
        before = None if parent is None else self.commit(parent).tree
        if before is not None and not files:
            return before
        content = {
            path: one.encode() if isinstance(one, str) else one for path, one in files.items()
        }
        if made := self._loose.tree_with(before, content):
            return made
        scratch = "refs/standin/scratch"
        lines = [f"commit {scratch}\ncommitter x <x@example.com> 0 +0000\ndata 0\n".encode()]
        if parent is not None:
            lines.append(f"from {parent}\n".encode())
        for path, data in content.items():
            if data is None:
                lines.append(f"D {path}\n".encode())
                continue
            lines.append(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
        self.run("fast-import", "--quiet", "--force", stdin=b"".join(lines))
        tree = self.run("rev-parse", f"{scratch}^{{tree}}")
        self.delete_ref(scratch)
        return tree

    def merged_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of a merge; None if there are conflicts."""
        try:
            words = ("merge-tree", "--write-tree", ours, theirs)
            return self._of_commits(words, ours, theirs).splitlines()[0]
        except GitRefusedError:
            return None

    def picked_tree(self, onto: str, sha: str) -> str | None:
        """The tree of the commit `sha` replayed on `onto`; None if there are conflicts. Git 2.39
        cannot be told the merge base, so that a commit is made whose only parent is that of `sha`.
        """
        parent = self.commit(sha).parents[0]
        who = Signature("x", "x@example.com", datetime.fromtimestamp(0, UTC))
        ours = self.write(
            message="replay",
            author=who,
            committer=who,
            parents=[parent],
            tree=self.commit(onto).tree,
        )
        return self.merged_tree(ours, sha)


def parsed(sha: str, content: bytes) -> Commit:
    """A commit object as text."""
    head, _, message = content.decode(errors="replace").partition("\n\n")
    facts: dict[str, list[str]] = {}
    for line in head.splitlines():
        name, _, value = line.partition(" ")
        facts.setdefault(name, []).append(value)
    return Commit(
        sha=sha,
        tree=facts["tree"][0],
        parents=tuple(facts.get("parent", [])),
        author=signature(facts["author"][0]),
        committer=signature(facts["committer"][0]),
        message=message.rstrip("\n"),
    )


def signature(text: str) -> Signature:
    name, _, rest = text.partition(" <")
    email, _, when = rest.partition("> ")
    return Signature(name, email, datetime.fromtimestamp(int(when.split()[0]), UTC))
