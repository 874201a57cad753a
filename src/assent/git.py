"""Git as a subprocess: one way to call it, and the facts of a working tree.

The command line is used and not a library because only it honours the user's own credentials,
proxies, partial clones and `safe.directory`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple

from assent.errors import OutsideError, UsageError

_CREDENTIALS = re.compile(r"://[^/@\s]+@")
_PREFIX = re.compile(r"^(?:fatal|error|remote): ")
_BOILERPLATE = frozenset(
    {
        "Could not read from remote repository.",
        "Please make sure you have the correct access rights",
        "and the repository exists.",
    }
)
"""What Git adds to every cause; without it the cause itself is seen."""
_DENIALS = (
    *("protected", "declined", "denied", "not allowed", "Authentication failed"),
    *("could not read Username", "could not read Password", "error: 401", "error: 403"),
)
"""How servers say no; 404 may mean no as well, and that nothing is there."""
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


class GitError(OutsideError):
    """Git ended with an error; `stderr` is what it said."""

    def __init__(self, doing: str, stderr: str) -> None:
        shown = _CREDENTIALS.sub("://[redacted]@", stderr)
        lines = [_PREFIX.sub("", line) for line in shown.splitlines() if line.strip()]
        causes = [line for line in lines if line not in _BOILERPLATE] or lines
        super().__init__(doing, "git says: " + ("; ".join(causes[-3:]) or "nothing"))
        self.stderr = stderr

    @property
    def is_denied(self) -> bool:
        """Whether the account that asked may not do this, or is nobody."""
        return any(word in self.stderr for word in _DENIALS)


def git(
    arguments: Sequence[str],
    *,
    folder: Path,
    doing: str,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> bytes:
    """Run Git in `folder` and return what it wrote. Raises `GitError`."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env={**os.environ, **_QUIET, **(env or {})},
            pass_fds=pass_fds,
            check=False,
        )
    except FileNotFoundError:
        if not folder.is_dir():
            raise UsageError(doing, f"there is no folder {folder}") from None
        raise UsageError(doing, "git is not installed", hint="install git and try again") from None
    if done.returncode != 0:
        raise GitError(doing, done.stderr.decode(errors="replace"))
    return done.stdout


class Objects:
    """Objects of a repository by any name that Git has for them, read through one `git cat-file
    --batch`: a process for each would take most of a verb's time.
    """

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._env = {**os.environ, **_QUIET, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, name: str) -> Object | None:
        """The object of this name (`HEAD^{commit}`, `main:assent.yaml`, an id), or None."""
        if "\n" in name:
            return None
        stdin, stdout = self._pipes()
        stdin.write(os.fsencode(name) + b"\n")
        stdin.flush()
        header = stdout.readline()
        words = header.split()
        if len(words) == 3 and words[2].isdigit():
            content = stdout.read(int(words[2]))
            stdout.read(1)
            return Object(oid=words[0].decode(), kind=words[1].decode(), content=content)
        if header.rstrip().endswith((b" missing", b" ambiguous")):
            return None
        raise OutsideError(
            f"reading Git objects in {self._folder}",
            f"git ended while reading {name}",
            hint="is the remote still reachable?",
        )

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = subprocess.Popen(
                ["git", "cat-file", "--batch"],
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def __del__(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process.wait()


def settings_environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Settings for Git by its environment, where no list of processes shows them; after those
    that are there already.
    """
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    start = int(count) if count.isascii() and count.isdigit() else 0
    env = {"GIT_CONFIG_COUNT": str(start + len(settings))}
    for number, (key, value) in enumerate(settings, start):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env


def is_commit(name: str) -> bool:
    """Whether `name` can only be the complete id of a commit."""
    return _COMMIT.fullmatch(name) is not None


class Object(NamedTuple):
    """A Git object: its id, its kind (`blob`, `commit`, …) and its content."""

    oid: str
    kind: str
    content: bytes


class Repository:
    """The Git repository around a folder. Reads only, but for objects that it is told to fetch.

    `settings` are settings of Git beside those of the clone, for this process alone: credentials
    that must not be written down. `account` says whose they are and what they need, for people
    whom a remote has refused.
    """

    def __init__(
        self, folder: Path, settings: Sequence[tuple[str, str]] = (), *, account: str = ""
    ) -> None:
        self._given = tuple(settings)
        self.account = account
        doing = f"looking for the Git repository of {folder}"
        try:
            shown = git(
                ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir"],
                folder=folder,
                doing=doing,
            )
        except GitError as error:
            if "not a git repository" not in error.stderr:
                raise
            raise UsageError(
                doing, "there is none", hint="run `git init` here, or change to your repository"
            ) from None
        top, common = shown.decode().splitlines()
        self.top = Path(top)
        self.common = Path(common)
        self._objects = Objects(self.top)

    def run(self, *arguments: str, doing: str) -> str:
        """Git in the top folder; its output as text without the last newline."""
        shown = git(arguments, folder=self.top, doing=doing)
        return shown.decode(errors="replace").removesuffix("\n")

    def resolve(self, revision: str) -> str | None:
        """The full SHA of the commit that `revision` names, or None."""
        found = self._objects.read(f"{revision}^{{commit}}")
        return None if found is None else found.oid

    def tree(self, commit: str) -> str:
        """The tree of a commit. Raises `OutsideError` if it is not here."""
        found = self._objects.read(f"{commit}^{{tree}}")
        if found is None:
            raise OutsideError(f"reading the tree of {commit}", "it is not in this clone")
        return found.oid

    def branch(self) -> str | None:
        """The branch that is checked out, or None for a detached head."""
        try:
            return self.run("symbolic-ref", "--quiet", "--short", "HEAD", doing="reading HEAD")
        except GitError:
            return None

    def is_dirty(self, paths: Sequence[str] = ()) -> bool:
        """Whether tracked files (or those of `paths` that are tracked) differ from the commit."""
        arguments = ["status", "--porcelain", "--untracked-files=no", "--", *paths]
        return bool(self.run(*arguments, doing="reading the state of the working tree"))

    def changed_files(self) -> tuple[str, ...]:
        """The tracked files that differ from the commit, as Git names them."""
        shown = self.run(
            *("diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", "HEAD", "--"),
            doing="reading the state of the working tree",
        )
        return tuple(filter(None, shown.split("\0")))

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

    def subject(self, commit: str) -> str:
        """The first paragraph of a commit's message, as one line."""
        _, message = self._commit(commit)
        return " ".join(message.strip().partition("\n\n")[0].splitlines())

    def _commit(self, commit: str) -> tuple[str, str]:
        """Header and message of a commit."""
        found = self._objects.read(commit)
        if found is None or found.kind != "commit":
            raise OutsideError(f"reading the commit {commit}", "it is not in this clone")
        header, _, message = found.content.decode(errors="replace").partition("\n\n")
        return header, message

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether `ancestor` is `commit` or one of its ancestors, as far as history is here."""
        if commit == ancestor:
            return True
        try:
            self.run("merge-base", "--is-ancestor", ancestor, commit, doing="comparing revisions")
        except GitError:
            return False
        return True

    def show(self, commit: str, path: str) -> bytes | None:
        """The content of a file at a commit, or None if it is not there."""
        found = self._objects.read(f"{commit}:{path}")
        return None if found is None or found.kind != "blob" else found.content

    def id_of(self, commit: str, path: str) -> str | None:
        """The id of a file or folder at a commit, or None if it is not there."""
        found = self._objects.read(f"{commit}:{path}")
        return None if found is None else found.oid

    def links(self, commit: str) -> dict[str, str]:
        """The links of a commit by path, and where they lead."""
        shown = self.run("ls-tree", "-r", "-z", commit, doing="looking for links")
        found: dict[str, str] = {}
        for line in filter(None, shown.split("\0")):
            header, _, path = line.partition("\t")
            mode, _, oid = header.split(" ")[:3]
            content = self._objects.read(oid) if mode == "120000" else None
            if content is not None:
                found[path] = content.content.decode(errors="replace")
        return found

    def config(self, key: str) -> str | None:
        """A value of the Git configuration; of several, the last."""
        return next((value for _, name, value in reversed(self._settings) if name == key), None)

    def own_settings(self) -> list[tuple[str, str]]:
        """The settings of this clone alone, in order, without the user's and the machine's, and
        those that were given.
        """
        own = ("local", "worktree")
        found = [(name, value) for scope, name, value in self._settings if scope in own]
        return [*found, *self._given]

    @cached_property
    def _settings(self) -> list[tuple[str, str, str]]:
        """Scope, name and value of every setting."""
        shown = self.run(
            "config", "--includes", "--show-scope", "--list", "-z", doing="reading the Git settings"
        )
        parts = shown.split("\0")
        found: list[tuple[str, str, str]] = []
        for scope, item in zip(parts[::2], parts[1::2], strict=False):  # ends with an empty part
            name, _, value = item.partition("\n")
            found.append((scope, name, value))
        return found

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
        given = settings_environment(self._given)
        try:
            shown = git(arguments, folder=self.top, doing=doing, env=given)
        except GitError as error:
            if error.is_denied and self.account:
                error.hint = self.account
            raise
        return shown.decode(errors="replace").removesuffix("\n")

    def relative(self, path: Path) -> str:
        """A path of the working tree as Git names it."""
        return path.resolve().relative_to(self.top.resolve()).as_posix()


class Trunk:
    """The branch that changes are merged into; looked up when somebody first asks, because many
    verbs never do. `remote` is the remote that it is the branch of, or None.

    With `ask`, its name is what that says (a forge knows), and its newest commit is fetched first:
    a CI job may have waited for days since its checkout.
    """

    def __init__(
        self,
        repository: Repository,
        remote: str | None,
        *,
        ask: Callable[[], str | None] | None = None,
    ) -> None:
        self._repository = repository
        self._remote = remote
        self._ask = ask

    @property
    def remote(self) -> str | None:
        """The remote that it is the branch of, or None."""
        return self._remote

    @property
    def name(self) -> str | None:
        """Its name: the remote's default branch as this clone knows it, else `main` or `master`;
        None if there is none of them.
        """
        return self._found[0]

    @property
    def commit(self) -> str | None:
        """Its newest commit: the remote's where there is one, because a local branch of the same
        name is whatever its owner made it.
        """
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[str | None, str | None]:
        default = self._default() if self._ask is None else self._fetched(self._ask())
        for name in ("main", "master") if default is None else (default,):
            commit = self._newest(name)
            if commit is not None:
                return name, commit
        return default, None

    def _fetched(self, name: str | None) -> str | None:
        if name is not None and self._remote is not None:
            refspec = f"+refs/heads/{name}:refs/remotes/{self._remote}/{name}"
            self._repository.fetch(self._remote, refspec, doing=f"fetching the newest {name}")
        return name

    def _default(self) -> str | None:
        if self._remote is None:
            return None
        reference = f"refs/remotes/{self._remote}/HEAD"
        doing = "reading the remote's default branch"
        try:
            head = self._repository.run(
                "symbolic-ref", "--quiet", "--short", reference, doing=doing
            )
        except GitError:
            return None
        return head.removeprefix(f"{self._remote}/")

    def _newest(self, name: str) -> str | None:
        if self._remote is not None:
            found = self._repository.resolve(f"refs/remotes/{self._remote}/{name}")
            if found is not None:
                return found
        return self._repository.resolve(f"refs/heads/{name}")
