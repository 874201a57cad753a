"""The bare repository of Assent's own through which ledgers are read and written."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from assent.errors import OutsideError
from assent.git import GitError, Repository, git, settings_environment
from assent.ledgers.git.commits import branch_ref
from assent.ledgers.git.objects import LedgerObjects

_PASSED_ON = (
    "http.",
    "credential.",
    "url.",
    "ssh.",
    "protocol.",
    "core.sshcommand",
    "core.askpass",
)
_NOT_THERE = "couldn't find remote ref"


class LedgerRepository:
    """A bare repository inside the Git folder of the user's, so that a shallow fetch here never
    makes the user's clone shallow; one per address of a remote (None: the user's repository
    itself plays the remote).

    It fetches the newest commit alone (`tree:0`, the only filter by depth that GitHub grants),
    and then, by name, the files that are asked for and the folders on the way to them: reading
    the current state transfers the same with ten entries and with 100,000.
    """

    def __init__(self, repository: Repository, remote: str | None) -> None:
        settings = repository.own_settings()
        address = str(repository.common)
        if remote is not None:
            address = dict(settings).get(f"remote.{remote}.url", "")
            if "://" not in address and not _looks_like_ssh(address):
                address = str((repository.top / address).resolve())
        self.name = remote or "this repository"
        self._account = repository.account if remote is not None else ""
        key = hashlib.sha256(address.encode()).hexdigest()[:12]
        self.home = repository.common / "assent" / key
        self._folder = self.home / "ledger.git"
        self._lock_fds: tuple[int, ...] = ()
        # Credentials and proxies that CI put into the clone count here too.
        self._env = settings_environment(
            [(name, value) for name, value in settings if name.startswith(_PASSED_ON)]
            + [
                ("remote.ledger.url", address),
                ("remote.ledger.promisor", "true"),
                ("remote.ledger.partialclonefilter", "tree:0"),
                ("gc.auto", "0"),
            ]
        )

    def models(self) -> list[str]:
        """The models whose branches the remote has."""
        doing = f"listing the ledgers of {self.name}"
        try:
            shown = self.git("ls-remote", "--heads", "ledger", "assent/*", doing=doing)
        except GitError as error:
            raise self.outside(doing, error) from None
        names = [line.split("refs/heads/assent/", 1)[-1] for line in shown.decode().splitlines()]
        return sorted(names)

    def update(self, model: str) -> str | None:
        """Have the newest commit of a ledger here, and return it; None if the remote has none.

        Asking whether it is here already is a third of the work of a fetch, and after a write of
        our own a tenth.
        """
        doing = f"reading the ledger of {model} from {self.name}"
        ref = branch_ref(model)
        try:
            if (self._folder / ref).exists() and self.there(model, doing) == self.tip(model):
                return self.tip(model)
            self.git(
                "fetch",
                "--quiet",
                "--depth=1",
                "--filter=tree:0",
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
            raise self.outside(doing, error) from None
        return self.tip(model)

    def there(self, model: str, doing: str) -> str | None:
        """The newest commit that the remote has now, or None."""
        ref = branch_ref(model)
        shown = self.git("ls-remote", "ledger", ref, doing=doing).decode()
        # Git also lists branches whose names only end in this one.
        tips = {name: oid for oid, _, name in (line.partition("\t") for line in shown.splitlines())}
        return tips.get(ref)

    def tip(self, model: str) -> str:
        """The tip as Git's files hold it: a loose reference is one small file, and reading it
        spares a process.
        """
        ref = branch_ref(model)
        try:
            text = (self._folder / ref).read_text("ascii")
        except FileNotFoundError:
            text = self.git("rev-parse", ref, doing="reading the tip").decode()
        return text.strip()

    def objects(self) -> LedgerObjects:
        """The objects of this repository."""
        return LedgerObjects(self._folder, self._env)

    def git(self, *arguments: str, doing: str, stdin: bytes | None = None) -> bytes:
        """Git in this repository, which is made when it is first needed. Raises `GitError`."""
        if not (self._folder / "HEAD").exists():
            self._create()
        return git(
            arguments,
            folder=self._folder,
            doing=doing,
            stdin=stdin,
            env=self._env,
            pass_fds=self._lock_fds,
        )

    def outside(self, doing: str, error: GitError) -> OutsideError:
        """The error of Git with what may help."""
        if error.is_denied:
            hint = self._account or "may this account push to the branches assent/*?"
        else:
            hint = (
                "is the remote reachable from here, and may this account read it? try `git fetch`"
            )
        return OutsideError(doing, error.problem, hint=hint)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process of this clone at a time: two fetches into one reference disturb each other.
        Writers of other clones meet at the push.
        """
        doing = "locking the ledger's own repository"
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            lock = (self.home / "lock").open("w")
        except OSError as error:
            raise OutsideError(
                doing,
                f"{error.strerror}: {error.filename}",
                hint="Assent keeps its copy of the ledger inside the Git folder; "
                "make it writable for this user",
            ) from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # The lock is handed to the Git processes started under it, so it is free only when
            # they are gone too. Lock files of Git that are left now belong to killed ones.
            for left in [*self._folder.glob("*.lock"), *self._folder.glob("refs/heads/*/*.lock")]:
                left.unlink(missing_ok=True)
            self._lock_fds = (lock.fileno(),)
            try:
                yield
            finally:
                self._lock_fds = ()

    def _create(self) -> None:
        doing = "preparing the ledger's own repository"
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutsideError(doing, f"{error.strerror}: {error.filename}") from None
        git(["init", "--quiet", "--bare", str(self._folder)], folder=self.home, doing=doing)


def _looks_like_ssh(address: str) -> bool:
    head, colon, _ = address.partition(":")
    return bool(colon) and "/" not in head
