"""The bare repository of Assent's own through which ledgers are read and written."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from assent.errors import AssentError, IntegrityError, OutsideError
from assent.files import remove_whatever_is_at, scratch_folder
from assent.git import EndedError, GitError, Refusal, Repository, SilentError, git, is_commit
from assent.git.addresses import is_path
from assent.ledgers.git import flushing
from assent.ledgers.git.commits import branch_ref
from assent.ledgers.git.objects import LedgerObjects
from assent.ledgers.git.tidying import tidy
from assent.ledgers.layout import format_of
from assent.ledgers.queue import NOTICE_S, Lock, turn

_PASSED_ON = (
    "http.",
    "credential.",
    "url.",
    "ssh.",
    "protocol.",
    "core.sshcommand",
    "core.askpass",
)
_OF_REMOTE = ("pushurl", "proxy", "proxyauthmethod", "uploadpack", "receivepack")
_NOT_THERE = "couldn't find remote ref"
_OTHER_FORMAT = ("mismatched algorithms", "hash algorithm", "unexpected capabilities^{}")
_BRANCHES = "refs/heads/assent/"
_RECENT_S = 60
_LONGEST = 10
"""How many times as long as a remote may be silent another process of this clone may work."""


class LedgerRepository:
    """A bare repository inside the Git folder of the user's, so that a shallow fetch here never
    makes the user's clone shallow; one per address of a remote (None: the user's repository
    itself plays the remote).

    It fetches the newest commit alone (`tree:0`, the only filter by depth that GitHub grants),
    and then, by name, the files that are asked for and the folders on the way to them: reading
    the current state transfers the same with ten entries and with 100,000.
    """

    def __init__(self, repository: Repository, remote: str | None) -> None:
        address, of_remote = str(repository.common), list[tuple[str, str]]()
        if remote is not None:
            # Git fetches from the first address, and pushes to those for pushing if there are any.
            address = _address(repository, repository.configured(f"remote.{remote}.url")[0])
            of_remote = [
                (f"remote.ledger.{key}", _address(repository, value) if key == "pushurl" else value)
                for key in _OF_REMOTE
                for value in repository.configured(f"remote.{remote}.{key}")
            ]
        self._queued_at = repository.rewritten(address)
        self._patience = repository.patience(remote or "this repository")
        self.name = remote or "this repository"
        self._pushed_to = [
            repository.rewritten(url) for key, url in of_remote if key.endswith(".pushurl")
        ] or [repository.rewritten(address, pushed=True)]
        self._listed: dict[Path, dict[Path, int]] = {}
        self._receives = any(key.endswith(".receivepack") for key, _ in of_remote)
        self._account = repository.account if remote is not None else ""
        self._repository = repository
        key = hashlib.sha256(address.encode()).hexdigest()[:12]
        self.home = repository.common / "assent" / key
        self._folder = self.home / "ledger.git"
        # Told, not looked for: `safe.bareRepository` forbids Git to find a bare repository.
        self._env = {"GIT_DIR": str(self._folder)}
        self._format: str | None = None
        self._lock_fds: tuple[int, ...] = ()
        self._is_behind = False  # others have written since: there is no need to ask
        self._address = None if remote is None else address
        self._of_remote = [("remote.ledger.url", address), *of_remote]

    @cached_property
    def _settings(self) -> list[tuple[str, str]]:
        """The settings of every Git here: SSH may have to be asked what it does by itself, which
        takes a process, and many a verb never comes to the ledger.
        """
        repository, address = self._repository, self._address
        return [
            *([] if address is None else repository.bearing([address])),
            # Credentials and proxies that CI put into the clone count here too.
            *(
                setting
                for setting in repository.own_settings()
                if setting[0].startswith(_PASSED_ON)
            ),
            *self._of_remote,
            ("remote.ledger.promisor", "true"),
            ("remote.ledger.partialclonefilter", "tree:0"),
            ("gc.auto", "0"),
            # The hooks of this machine's user are for commits of their own.
            ("core.hooksPath", os.devnull),
        ]

    def models(self) -> list[str]:
        """The models whose branches the remote has."""
        doing = f"listing the ledgers of {self.name}"
        try:
            shown = self.git("ls-remote", "--heads", "ledger", "assent/*", doing=doing)
        except GitError as error:
            raise self.outside(doing, error) from None
        # Git also lists branches whose names only end so, and a model's name holds no slash.
        heads = [line.partition("\t")[2] for line in shown.decode(errors="replace").splitlines()]
        names = [head.removeprefix(_BRANCHES) for head in heads if head.startswith(_BRANCHES)]
        return sorted(name for name in names if "/" not in name)

    def update(self, model: str) -> str | None:
        """Have the newest commit of a ledger here, and return it; None if the remote has none.

        Asking whether it is here already is a third of the work of a fetch, and after a write of
        our own a tenth.
        """
        doing = f"reading the ledger of {model} from {self.name}"
        ref = branch_ref(model)
        self._require()
        with suppress(GitError, OSError, ValueError):  # it is a copy, and was not asked for
            tidy(self._folder, self.git)
        try:
            is_here = (self._folder / ref).exists() and not self._is_behind
            self._is_behind = False
            if is_here and self.there(model, doing) == self.tip(model):
                return self.tip(model)
            self.git(
                "fetch",
                "--quiet",
                "--depth=1",
                f"--filter={self._filter(ref)}",
                "--no-tags",
                "--no-write-fetch-head",
                "--no-auto-maintenance",
                "ledger",
                f"+{ref}:{ref}",
                doing=doing,
            )
        except GitError as error:
            if _NOT_THERE in error.stderr:
                return None
            if self.made_anew(error):
                return self.update(model)
            raise self.outside(doing, error) from None
        return self.tip(model)

    def _filter(self, ref: str) -> str:
        """What a fetch is to leave out: all but the commit, as the ledger may have grown by any
        number of entries. Not where the copy is of this very minute: what is new since then is
        little, and with it all that will be asked for comes at once.
        """
        with suppress(FileNotFoundError):
            age_s = time.time() - (self._folder / ref).stat().st_mtime
            if 0 <= age_s < _RECENT_S:
                return "blob:limit=1g"
        return "tree:0"

    def is_there(self) -> bool:
        """Whether there is a copy of the remote here, whole or not."""
        return os.path.lexists(self._folder)

    def renew(self) -> None:
        """Make this copy of the remote anew, which is damaged; nothing is in it yet."""
        remove_whatever_is_at(self._folder)
        self._require()

    def heal(self) -> None:
        """The same for whoever has not `locked` it."""
        with self.locked():
            self.renew()

    def there(self, model: str, doing: str) -> str | None:
        """The newest commit that the remote has now, or None."""
        ref = branch_ref(model)
        shown = self.git("ls-remote", "ledger", ref, doing=doing).decode()
        # Git also lists branches whose names only end in this one.
        tips = {name: oid for oid, _, name in (line.partition("\t") for line in shown.splitlines())}
        return tips.get(ref)

    def durably(self) -> tuple[str, ...]:
        """The options with which a push lets nothing be lost with the power, as far as that is in
        our hands: a server, or a program that the user has chosen to receive, has its own ways.
        """
        self._listed = {folder: flushing.listed(folder) for folder in self._folders}
        if not self._folders or self._receives:
            return ()
        return (f"--receive-pack={flushing.receiving(with_references=self._flushes_references)}",)

    def flushed(self, model: str) -> None:
        """Have what was pushed on the disk where the remote is a folder."""
        for folder, before in self._listed.items():
            with_reference = not self._flushes_references
            flushing.flush(folder, branch_ref(model), before, with_reference=with_reference)

    @cached_property
    def _flushes_references(self) -> bool:
        return flushing.flushes_references()

    @cached_property
    def _folders(self) -> Sequence[Path]:
        """The Git folders that are pushed to; none if one of the addresses is no folder."""
        folders = [flushing.folder_of(address) for address in self._pushed_to]
        return [] if None in folders else [folder for folder in folders if folder is not None]

    def tip(self, model: str) -> str:
        """The tip as Git's files hold it: a loose reference is one small file, and reading it
        spares a process. Raises `OSError` or `ValueError` if that is damaged.
        """
        ref = branch_ref(model)
        try:
            text = (self._folder / ref).read_text("ascii")
        except FileNotFoundError:
            text = self.git("rev-parse", ref, doing="reading the tip").decode()
        if not is_commit(text.strip()):
            raise ValueError(f"{ref} of the copy names no commit")
        return text.strip()

    def format_of(self, tip: str | None) -> str:
        """What the ids are: `sha1` or `sha256`, as those of a commit; None: as of a new one."""
        if tip is not None:
            return format_of(tip)
        shown = self.git("rev-parse", "--show-object-format", doing="reading the object format")
        return shown.decode().strip()

    def objects(self) -> LedgerObjects:
        """The objects of this repository. Reading them needs no lock, and must not be `locked`."""
        return LedgerObjects(
            self._folder, self._env, self._settings, self._patience, heal=self.heal
        )

    def git(self, *arguments: str, doing: str, stdin: bytes | None = None) -> bytes:
        """Git in this repository, which is made when it is first needed. Raises `GitError`."""
        self._require()
        return git(
            arguments,
            folder=self._folder,
            doing=doing,
            stdin=stdin,
            env=self._env,
            settings=self._settings,
            pass_fds=self._lock_fds,
            patience=self._patience,
        )

    def outside(self, doing: str, error: GitError) -> OutsideError:
        """The error of Git with what may help."""
        if isinstance(error, SilentError):
            hint = (
                f"does `git ls-remote {self.name}` answer? Git's own setting `http.lowSpeedTime` "
                "says for how many seconds a remote may be silent"
            )
        elif error.is_denied:
            hint = self._account or "may this account push to the branches assent/*?"
        elif "dubious ownership" in error.stderr:
            hint = "it belongs to another user: if you trust it, add it to Git's `safe.directory`"
        else:
            hint = (
                "is the remote reachable from here, and may this account read it? try `git fetch`"
            )
        return OutsideError(doing, error.problem, hint=hint)

    def refused(self, model: str, doing: str, refused: Refusal, error: GitError) -> OutsideError:
        """The error of a push that was refused and would be again: the server's words, and what
        to do.
        """
        problem = f"{self.name} has refused the push: {refused.words}"
        blocking = self._blocking(model, doing)
        if blocking:
            shown = ", ".join(repr(name) for name in blocking[:3])
            problem = f"the branch {shown} of {self.name} is in the way of {_branch(model)!r}"
            hint = f"rename or delete it: Git cannot keep both ({refused.words})"
        elif "unpack" in refused.reason:
            hint = f"may this account write to {self.name}, and is there room?"
        elif "checked out" in refused.reason:
            hint = f"{self.name} is a clone that somebody works in: check out another branch there"
        elif error.is_denied:
            hint = self._account or (
                f"may this account push to the branches assent/*? a rule or a hook of {self.name} "
                "that protects branches must let it"
            )
        else:
            hint = f"put that right at {self.name}, or let it accept pushes to assent/*"
        return OutsideError(doing, problem, hint=hint)

    def _blocking(self, model: str, doing: str) -> list[str]:
        """Branches that cannot be beside the ledger's: `assent`, and those below its own name."""
        try:
            shown = self.git(
                *("ls-remote", "ledger", "refs/heads/assent", f"refs/heads/{_branch(model)}/*"),
                doing=doing,
            )
        except GitError:
            return []
        refs = [line.partition("\t")[2] for line in shown.decode(errors="replace").splitlines()]
        names = [ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")]
        return [name for name in names if name == "assent" or name.startswith(f"{_branch(model)}/")]

    def made_anew(self, error: GitError) -> bool:
        """Whether the remote has ids of another kind than this repository, which holds nothing
        of its own, and it was made anew with those. A clone has the remote's, but the ledger may
        be in another repository than the code; an empty one says so only when it is pushed to.
        """
        if self._format is not None or not any(phrase in error.stderr for phrase in _OTHER_FORMAT):
            return False
        self._format = "sha1" if self.format_of(None) == "sha256" else "sha256"
        shutil.rmtree(self._folder)
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process of this clone at a time: two fetches into one reference disturb each other.
        Writers of other clones meet at the push.
        """
        doing = "locking the ledger's own repository"
        place = self.home / "lock"
        try:
            if not self.home.is_dir():
                remove_whatever_is_at(self.home)
            if place.is_dir():
                remove_whatever_is_at(place)
            self.home.mkdir(parents=True, exist_ok=True)
            file = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise OutsideError(
                doing,
                f"{error.strerror}: {error.filename}",
                hint="Assent keeps its copy of the ledger inside the Git folder: make it writable "
                "for this user, or remove what is there",
            ) from None
        lock = Lock(file)
        try:
            self._wait(lock, doing)
            # The lock is handed to the Git processes started under it, so it is free only when
            # they are gone too. Lock files of Git that are left now belong to killed ones.
            for left in [*self._folder.glob("*.lock"), *self._folder.glob("refs/heads/*/*.lock")]:
                remove_whatever_is_at(left)
            self._lock_fds = (file,)
            yield
        finally:
            self._lock_fds = ()
            lock.release()

    def _wait(self, lock: Lock, doing: str) -> None:
        """Wait for another process of this clone. What it does with the lock ends by itself when
        the remote is silent, so that only one that was stopped keeps it.
        """
        if lock.wait(NOTICE_S):
            return
        self._patience.say("waiting for another process of this clone")
        if not lock.wait(_LONGEST * self._patience.limit_s):
            raise OutsideError(
                doing,
                "another process of this clone keeps the lock",
                hint=f"is one stopped, or are very many running? the lock is {self.home / 'lock'}",
            )

    @contextmanager
    def turn(self, model: str) -> Iterator[bool]:
        """See `Ledger.turn`."""
        seen: list[str | None] = []

        def has_moved() -> bool:
            try:
                seen.append(self.there(model, f"looking whether others write to {model}"))
            except AssentError:
                return False
            return len(seen) == 1 or seen[-1] != seen[-2]

        def notice() -> None:
            self._patience.say(f"waiting for other writers to the ledger of {model}")

        with turn(self._queued_at, model, has_moved, notice) as had_to_wait:
            self._is_behind = had_to_wait
            yield had_to_wait

    def _require(self) -> None:
        if not (self._folder / "HEAD").exists():
            self._create()

    def _create(self) -> None:
        """Make the repository. It appears whole or not at all: a part of one, left by a process
        that was killed or a disk that was full, would be an error for ever.
        """
        doing = "preparing the ledger's own repository"
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            with scratch_folder(self.home, "new-") as scratch:
                draft = scratch / self._folder.name
                git(
                    ["init", "--quiet", "--bare", "--template=", str(draft)],
                    folder=self.home,
                    doing=doing,
                    env={
                        "GIT_DEFAULT_HASH": self._format or self._repository.object_format,
                        "GIT_DEFAULT_REF_FORMAT": "files",  # references are read as files here
                    },
                )
                if not (self._folder / "HEAD").exists():
                    # Of the part that another process may have left.
                    remove_whatever_is_at(self._folder)
                draft.rename(self._folder)
        except OSError as error:
            if not (self._folder / "HEAD").exists():  # nor has another process made it
                raise OutsideError(doing, f"{error.strerror}: {error.filename}") from None


def may_be_of_copy(error: Exception) -> bool:
    """Whether an error may come from a damaged copy of a ledger, and not from the ledger itself or
    whoever keeps it: then it is worth to make the copy anew.
    """
    if isinstance(error, OutsideError) and not isinstance(error, EndedError):
        cause = error if isinstance(error, GitError) else error.__context__
        return isinstance(cause, GitError) and cause.may_be_of_damage
    return isinstance(error, (IntegrityError, EndedError, OSError, ValueError))


def _branch(model: str) -> str:
    return branch_ref(model).removeprefix("refs/heads/")


def _address(repository: Repository, configured: str) -> str:
    """An address that is the same in every folder. What Git makes of it by `url.*.insteadOf` is
    left to Git, which may put credentials there, unless it is the path of a folder.
    """
    real = repository.rewritten(configured)
    if not is_path(real) or (not is_path(configured) and Path(real).is_absolute()):
        return configured
    return str((repository.top / real).resolve())
