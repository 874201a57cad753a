"""The facts of a working tree and of the repository around it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from assent.errors import OutsideError
from assent.git.objects import Object, Objects, is_commit
from assent.git.place import find_top
from assent.git.process import GitError, git
from assent.git.remotes import bearing, limit_s
from assent.git.silence import Patience

_LONGEST_LINK = 4096
_OWN = ".assent"
"""The folder that Assent writes to beside every `assent.yaml`."""


class Repository:
    """The Git repository around a folder. Reads only, but for objects that it is told to fetch.

    `settings` are settings of Git beside those of the clone, for this process alone: credentials
    that must not be written down. `account` says whose they are and what they need, for people
    whom a remote has refused. `say` tells whoever waits that a remote does not answer.
    """

    def __init__(
        self,
        folder: Path,
        settings: Sequence[tuple[str, str]] = (),
        *,
        account: str = "",
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._given = tuple(settings)
        self.account = account
        self.say = say
        self.top, self._env = find_top(folder)
        # Each is asked for alone: a path may hold a line break.
        self.common = self._folder("--git-common-dir")
        # Held weakly: in a circle of references the process that reads objects would outlive both.
        own = weakref.ref(self)

        def patience() -> Patience:
            here = own()
            return Patience() if here is None else here.patience("a remote of this clone")

        self._objects = Objects(self.top, env=self._env, patience=patience)

    def git(
        self,
        *arguments: str,
        doing: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
    ) -> bytes:
        """Git in the top folder. Raises `GitError`."""
        given = {**self._env, **(env or {})}
        return git(arguments, folder=self.top, doing=doing, stdin=stdin, env=given)

    def run(self, *arguments: str, doing: str) -> str:
        """As `git`: its output as text, for people or by line, without the last newline."""
        shown = self.git(*arguments, doing=doing)
        return shown.decode(errors="replace").removesuffix("\n")

    def names(self, *arguments: str, doing: str) -> list[str]:
        """As `git`, for what writes names of files with `-z`: a name may be any bytes but NUL, and
        is spelled as Python spells it everywhere.
        """
        shown = self.git(*arguments, doing=doing)
        return [os.fsdecode(name) for name in shown.split(b"\0") if name]

    def _folder(self, option: str) -> Path:
        doing = f"looking for the Git repository of {self.top}"
        shown = self.git("rev-parse", "--path-format=absolute", option, doing=doing)
        return Path(os.fsdecode(shown.removesuffix(b"\n")))

    @cached_property
    def object_format(self) -> str:
        """What ids of objects are: `sha1`, or `sha256`."""
        shown = self.run("rev-parse", "--show-object-format", doing="reading the object format")
        return shown if shown in ("sha1", "sha256") else "sha1"  # an old Git knows no other

    def resolve(self, revision: str) -> str | None:
        """The full SHA of the commit that `revision` names, or None."""
        commit_object = self._objects.read(f"{revision}^{{commit}}")
        return None if commit_object is None else commit_object.oid

    def tree(self, commit: str) -> str:
        """The tree of a commit. Raises `OutsideError` if it is not here."""
        tree = self._objects.read(f"{commit}^{{tree}}")
        if tree is None:
            raise OutsideError(f"reading the tree of {commit}", "it is not in this clone")
        return tree.oid

    def branch(self) -> str | None:
        """The branch that is checked out, or None for a detached head."""
        branch = self.points_at("HEAD", doing="reading HEAD")
        return None if branch is None else branch.removeprefix("refs/heads/")

    def points_at(self, reference: str, *, doing: str) -> str | None:
        """The whole name of the reference that another one stands for; None if it stands for
        none. Git's short names are no names: where a tag is called like the branch, they differ.
        """
        try:
            return self.run("symbolic-ref", "--quiet", reference, doing=doing)
        except GitError as error:
            if error.code == 1:
                return None
            raise

    def is_dirty(self, paths: Sequence[str] = ()) -> bool:
        """Whether tracked files (or those of `paths`, files or folders, that are tracked) differ
        from the commit. What Assent itself has written to a folder `.assent` is none of them.
        """
        return bool(self.changed_files(paths))

    def changed_files(self, paths: Sequence[str] = ()) -> tuple[str, ...]:
        """As `is_dirty`: the files that differ, as Git names them, sorted."""
        shown = self.names(
            *("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no"),
            "--ignore-submodules=untracked",
            doing="reading the state of the working tree",
        )
        # Not asked by path: a command line holds fewer names than a model has inputs.
        differ = {entry[3:] for entry in shown} | set(self._differ_unwatched())
        chosen = None if not paths else set(paths)
        return tuple(
            sorted(
                name
                for name in differ
                if _OWN not in name.split("/") and (chosen is None or _is_among(name, chosen))
            )
        )

    def _differ_unwatched(self) -> Iterator[str]:
        """Files that Git was told not to look at (`assume-unchanged`, `skip-worktree`) and that
        stand in the working tree with another content than the commit has. A file that a sparse
        checkout has left out is not there and does not differ.
        """
        doing = "reading files that Git does not watch"
        flags = self.names("ls-files", "-z", "-v", doing=doing)
        for flag, name in ((entry[0], entry[2:]) for entry in flags):
            if flag.islower() or flag == "S":
                path = self.top / name
                if path.is_symlink():
                    yield name  # rare, and nothing is known of it
                elif path.is_file():
                    held = self.id_of("HEAD", name)
                    if self.git("hash-object", "--", name, doing=doing).decode().strip() != held:
                        yield name

    def is_shallow(self) -> bool:
        """Whether history is cut off."""
        return (self.common / "shallow").exists()

    def cut_commits(self) -> frozenset[str]:
        """The commits whose parents a shallow clone left out."""
        try:
            return frozenset((self.common / "shallow").read_text("ascii").split())
        except FileNotFoundError:
            return frozenset()

    def parents(self, commit: str) -> list[str]:
        """The parents of a commit as it names them, whether this clone has them or not."""
        header, _ = self._commit(commit)
        lines = header.splitlines()
        return [line.removeprefix("parent ") for line in lines if line.startswith("parent ")]

    def first_parents(
        self, commit: str, *, most: int, without: Sequence[str] = (), path: str | None = None
    ) -> list[str]:
        """The commit and what came before it on its own branch, newest first: each step along the
        first parent, as far as history is here, `most` of them at most. None of those that a
        commit of `without` contains; with `path`, only those that change that file.
        """
        paths = [] if path is None else [path]
        shown = self.run(
            *("--literal-pathspecs", "rev-list", "--first-parent", f"--max-count={most}", commit),
            *(f"^{excluded}" for excluded in without),
            *("--", *paths),
            doing=f"reading what has led to {commit[:12]}",
        )
        return shown.splitlines()

    def steps(
        self, commit: str, *, most: int, without: Sequence[str] = ()
    ) -> dict[str, tuple[str, ...]]:
        """As `first_parents`, with the parents of each, in the same order."""
        shown = self.run(
            *("rev-list", "--first-parent", "--parents", f"--max-count={most}", commit),
            *(f"^{excluded}" for excluded in without),
            "--",
            doing=f"reading what has led to {commit[:12]}",
        )
        lines = (line.split() for line in shown.splitlines())
        return {step: tuple(parents) for step, *parents in lines}

    def was(self, reference: str, *, most: int) -> tuple[str, ...]:
        """The newest commits that a reference is known to have pointed at in this clone."""
        try:
            shown = self.run(
                *("log", "-g", "--format=%H", f"--max-count={most}", reference, "--"),
                doing=f"reading what {reference} was",
            )
        except GitError:
            return ()  # there is no such reference
        return tuple(shown.splitlines())

    def forks(self, first: str, other: str) -> list[str]:
        """The newest commits that two have in common, as far as history is here."""
        try:
            return self.run(
                "merge-base", "--all", first, other, doing="comparing revisions"
            ).splitlines()
        except GitError as error:
            if error.code == 1:
                return []
            raise

    def deepen(self, remote: str, commit: str, *, most: int) -> None:
        """Have the last `most` generations before a commit here, where a shallow clone has left
        them out. Raises `GitError`.
        """
        self.remotely(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", f"--depth={most}"),
            *(remote, commit),
            doing=f"fetching what has led to {commit[:12]}",
        )

    def subject(self, commit: str) -> str:
        """The first paragraph of a commit's message, as one line."""
        _, message = self._commit(commit)
        return " ".join(message.strip().partition("\n\n")[0].splitlines())

    def dates(self, commits: Collection[str]) -> dict[str, str]:
        """When each of these commits says that it was made, RFC 3339 in UTC; only those that are
        in this clone. Nothing is fetched for it.
        """
        known = "".join(f"{commit}\n" for commit in commits if is_commit(commit))
        if not known:
            return {}
        shown = self.git(
            *("rev-list", "--no-walk=unsorted", "--ignore-missing", "--format=%H %ct", "--stdin"),
            doing="reading when commits were made",
            stdin=known.encode("ascii"),
            env={"GIT_NO_LAZY_FETCH": "1"},
        )
        lines = (line.split() for line in shown.decode(errors="replace").splitlines())
        dates = {
            words[0]: _date(words[1]) for words in lines if len(words) == 2 and is_commit(words[0])
        }
        return {commit: date for commit, date in dates.items() if date is not None}

    def _commit(self, commit: str) -> tuple[str, str]:
        """Header and message of a commit."""
        object_ = self._objects.read(commit)
        if object_ is None or object_.kind != "commit":
            raise OutsideError(f"reading the commit {commit}", "it is not in this clone")
        header, _, message = object_.content.decode(errors="replace").partition("\n\n")
        return header, message

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether `ancestor` is `commit` or one of its ancestors, as far as history is here."""
        if commit == ancestor:
            return True
        try:
            self.run("merge-base", "--is-ancestor", ancestor, commit, doing="comparing revisions")
        except GitError as error:
            if error.code == 1 or None in (self.resolve(commit), self.resolve(ancestor)):
                return False
            raise
        return True

    def show(self, commit: str, path: str) -> bytes | None:
        """The content of a file at a commit, or None if it is not there."""
        object_ = self._objects.read(f"{commit}:{path}")
        return None if object_ is None or object_.kind != "blob" else object_.content

    def id_of(self, commit: str, path: str) -> str | None:
        """The id of a file or folder at a commit, or None if it is not there."""
        return self._objects.id_of(f"{commit}:{path}")

    def commit_of(self, name: str) -> str | None:
        """The commit of a submodule as `HEAD` has it, whose objects are not here; None if there is
        no submodule of this name.
        """
        lines = self.names(
            *("--literal-pathspecs", "ls-tree", "-z", "--full-tree", "HEAD", "--", name),
            doing="looking for a submodule",
        )
        entries = [line.partition("\t") for line in lines]
        entries_of_it = (
            header.split(" ") for header, _, path in entries if path == name and " " in header
        )
        return next((oid for _, kind, oid in entries_of_it if kind == "commit"), None)

    def links(self, commit: str, *, most: int) -> dict[str, str] | None:
        """The links of a commit by path, and where they lead; None if there are more than `most`
        of them. One that is longer than a path can be leads nowhere.
        """
        lines = self.names("ls-tree", "-r", "-z", commit, doing="looking for links")
        entries = [line.partition("\t") for line in lines if line.startswith("120000 ")]
        if len(entries) > most:
            return None
        targets: dict[str, str] = {}
        for header, _, path in entries:
            target = self._objects.read_small(header.split(" ")[2], most=_LONGEST_LINK)
            if isinstance(target, Object):
                targets[path] = os.fsdecode(target.content)
        return targets

    def config(self, key: str) -> str | None:
        """A value of the Git configuration; of several, the last."""
        return next(reversed(self.configured(key)), None)

    def configured(self, key: str) -> list[str]:
        """All values of a key of the Git configuration, in order."""
        return [value for _, name, value in self._settings if name == key]

    def rewritten(self, address: str, *, pushed: bool = False) -> str:
        """What an address is for Git after `url.*.insteadOf`, and after `url.*.pushInsteadOf`
        where it is the one for fetching and `pushed` to as well.
        """
        for key in ("pushinsteadof", "insteadof") if pushed else ("insteadof",):
            aliases = [
                (value, name[len("url.") : -len(f".{key}")])
                for _, name, value in self._settings
                if name.startswith("url.") and name.endswith(f".{key}")
            ]
            of_it = [(alias, base) for alias, base in aliases if address.startswith(alias)]
            if of_it:
                alias, base = max(of_it, key=lambda pair: len(pair[0]))
                return base + address.removeprefix(alias)
        return address

    def remotes(self) -> list[str]:
        """The names of the remotes that have an address, in the order of the settings."""
        parts = [
            name.partition(".")[2].rpartition(".")
            for _, name, _ in self._settings
            if name.startswith("remote.")
        ]
        return list(dict.fromkeys(name for name, _, key in parts if name and key == "url"))

    def own_settings(self) -> list[tuple[str, str]]:
        """The settings of this clone alone, in order, without the user's and the machine's, and
        those that were given.
        """
        own = ("local", "worktree")
        of_its_own = [(name, value) for scope, name, value in self._settings if scope in own]
        return [*of_its_own, *self._given]

    @cached_property
    def _settings(self) -> list[tuple[str, str, str]]:
        """Scope, name and value of every setting."""
        shown = self.git(
            "config", "--includes", "--show-scope", "--list", "-z", doing="reading the Git settings"
        )
        parts = os.fsdecode(shown).split("\0")
        settings: list[tuple[str, str, str]] = []
        for scope, item in zip(parts[::2], parts[1::2], strict=False):  # ends with an empty part
            name, _, value = item.partition("\n")
            settings.append((scope, name, value))
        return settings

    def fetch(self, remote: str, refspec: str, *, doing: str) -> None:
        """Fetch a commit from a remote, without its history if this clone has none. Raises
        `GitError`.
        """
        depth = ["--depth=1"] if self.is_shallow() else []
        self.remotely(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
            *(*depth, remote, refspec),
            doing=doing,
        )

    def bring(self, remote: str, commit: str) -> None:
        """Have a commit here that no branch of this clone may have. Raises `OutsideError`."""
        if not is_commit(commit):
            raise OutsideError(f"fetching {commit[:100]!r}", "it is no commit")
        if self.resolve(commit) is None:
            self.fetch(remote, commit, doing=f"fetching the commit {commit[:12]}")

    def remotely(self, *arguments: str, doing: str) -> str:
        """As `run`, for what talks to a remote: with the settings that were given."""
        remote = next(
            (argument for argument in arguments if argument in self.remotes()), "the remote"
        )
        try:
            shown = git(
                arguments,
                folder=self.top,
                doing=doing,
                env=self._env,
                settings=[*self.bearing(self.configured(f"remote.{remote}.url")), *self._given],
                patience=self.patience(remote),
            )
        except GitError as error:
            if error.is_denied and self.account:
                error.hint = self.account
            raise
        return shown.decode(errors="replace").removesuffix("\n")

    def patience(self, remote: str) -> Patience:
        """How long a remote is waited for: as long as Git itself waits over HTTP."""
        return Patience(limit_s(self.config("http.lowspeedtime")), self.say, remote)

    def bearing(self, addresses: Sequence[str]) -> list[tuple[str, str]]:
        """Settings by which Git itself gives up on a remote at one of these addresses that does
        not answer, as far as the user has none.
        """
        return bearing({name for _, name, _ in self._settings}, addresses)

    def relative(self, path: Path) -> str:
        """A path of the working tree as Git names it."""
        return path.resolve().relative_to(self.top.resolve()).as_posix()


def _is_among(name: str, chosen: Set[str]) -> bool:
    """Whether `chosen` names this file or a folder above it."""
    parts = name.split("/")
    return any("/".join(parts[:end]) in chosen for end in range(len(parts), 0, -1))


def _date(epoch: str) -> str | None:
    try:
        return datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None
