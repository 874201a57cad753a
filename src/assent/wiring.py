"""The only file that names concrete adapters: from a folder to a workspace."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import msgspec

from assent.ci.environment import read_context
from assent.config.read import read_config
from assent.config.settings import FILE, Config
from assent.core import buckets, ledgers
from assent.core.addresses import opening
from assent.core.clock import Start
from assent.core.context import Context
from assent.core.registries import SCHEME
from assent.errors import AssentError, OutsideError, UsageError
from assent.forges.local import LocalForge, Person
from assent.forges.registry import FILES, FORGES, registry_login
from assent.git import BaseBranch, Repository
from assent.ledgers.git.ledger import GitLedger
from assent.ports import Forge, Ledger, Store
from assent.setup.pipelines import Pipelines
from assent.stores.directory import DirectoryStore
from assent.workspace import Workspace

STORE = "ASSENT_STORE"
"""The variable that names another store than `assent.yaml` does."""


def open_workspace(
    start: Path,
    *,
    environ: Mapping[str, str],
    now: datetime,
    say: Callable[[str], None],
    file: Path | None = None,
) -> Workspace:
    """The workspace around `start`: the nearest `assent.yaml` there or above, or `file`.

    Raises `UsageError` if there is none, or no Git repository around it.
    """
    began = Start(at=now, stopwatch_s=time.monotonic())
    path = _find(start) if file is None else file
    config = read_config(_read(path), str(path))
    root = path.resolve().parent
    _say_left(root / ".assent" / "aside", say)
    context = _context(environ)
    repository = _repository(root, environ, context, say)
    remote = _remote(repository, config.ledger)
    forge: Forge
    named = _forge_name(environ, context)
    if named in FORGES:
        name = repository.relative(path.resolve())
        forge = FORGES[named].opening().open_forge(environ, context, repository, name, say)
        base = BaseBranch(repository, remote, ask=forge.branch)
    else:
        base = BaseBranch(repository, remote)
        forge = LocalForge(
            repository,
            base=base,
            people=_People(lambda: _people(repository, base.commit, path, config)),
            folder=root / ".assent" / "review",
        )
    address = environ.get(STORE) or config.store
    return Workspace(
        root=root,
        config=config,
        repository=repository,
        branch=base,
        forge=forge,
        forge_files=FILES,
        store=_store(root, address, environ, say),
        ledger=_ledger(repository, config.ledger, address, environ, say),
        context=context,
        folder_store=DirectoryStore,
        store_at=lambda address: _store(root, address, environ, say),
        store_address=address,
        ledger_at=lambda other: _ledger(repository, other, address, environ, say),
        start=began,
        environ=environ,
        say=say,
    )


def pipelines_of(forge: str, *, origin: str | None = None, install: str | None = None) -> Pipelines:
    """What runs Assent in the CI of a forge: from where it is fetched (`origin`), and what jobs
    install.
    """
    return FORGES[forge].opening().pipelines(origin, install)


def _repository(
    root: Path, environ: Mapping[str, str], context: Context, say: Callable[[str], None]
) -> Repository:
    """The repository around `root`, with what Git needs in the CI of a forge."""
    if context.system not in FORGES:
        return Repository(root, say=say)
    opening = FORGES[context.system].opening()
    credentials, account = opening.credentials(environ, context), opening.git_account(environ)
    return Repository(root, credentials, account=account, say=say)


def _say_left(folder: Path, say: Callable[[str], None]) -> None:
    """Name what runs that were killed have left aside, whichever verb this is."""
    if not folder.is_dir():
        return
    from assent.making.aside import left_below
    from assent.making.run_lock import goes_on

    for left in left_below(folder):
        if not goes_on(left):
            say(
                f"{left.name}: a run was cut off, and outputs of earlier runs are still in {left}: "
                "`train`, `evaluate`, `bundle` and `review` bring them back"
            )


def _context(environ: Mapping[str, str]) -> Context:
    """The CI run. Its address is kept for ever, so what is secret in it is not."""
    context = read_context(environ)
    run = context.run
    if run is None or run.address is None:
        return context
    from assent.measure.redaction import redact_text  # only in CI is there anything to redact

    run = msgspec.structs.replace(run, address=redact_text(run.address))
    return msgspec.structs.replace(context, run=run)


def _forge_name(environ: Mapping[str, str], context: Context) -> str | None:
    """Which forge it is: that of its own CI, and wherever else what `ASSENT_FORGE` says."""
    asked = environ.get("ASSENT_FORGE") or None
    doing = "choosing the forge"
    if asked not in (None, *FORGES, "local"):
        raise UsageError(
            doing,
            f"ASSENT_FORGE is {asked!r}",
            hint=f"write {', '.join(FORGES)} or local, or leave it out",
        )
    if asked == "local" and context.system in FORGES:
        where = FORGES[context.system].ci
        raise UsageError(
            doing, f"ASSENT_FORGE is local in a run of {where}, where anybody could claim any name"
        )
    return asked or context.system


def _find(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        if (folder / ".git").exists():
            break
    raise UsageError(
        f"looking for {FILE}",
        f"there is none in {start} or above it",
        hint="run `assent init` to write one, or name one with --config",
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"reading {path}", "there is no such file", hint="run `assent init` to write one"
        ) from None
    except OSError as error:
        raise OutsideError(f"reading {path}", error.strerror or str(error)) from None


def _remote(repository: Repository, ledger: str) -> str | None:
    """The remote that holds a ledger in Git, and the base branch: the one named (`git:upstream`),
    else `origin`, else the only one, else none. Raises `UsageError` where several could be meant.
    """
    named = ledgers.remote_of(ledger)
    remotes = repository.remotes()
    if not named:
        if "origin" in remotes or not remotes:
            return "origin" if remotes else None
        if len(remotes) == 1:
            return remotes[0]
        if not ledgers.is_in_git(ledger):
            raise UsageError(
                "looking for the remote that holds the base branch",
                f"there are {', '.join(remotes[:5])}, and none is called origin",
                hint=f"call it so: `git remote rename {remotes[0]} origin`",
            )
        raise UsageError(
            "looking for the remote that holds the ledger",
            f"there are {', '.join(remotes[:5])}, and none is called origin",
            hint=f"name it in {FILE}: `ledger: git:{remotes[0]}`",
        )
    if named in remotes:
        return named
    raise UsageError(
        f"opening the ledger {ledger!r}",
        f"the repository has no remote {named!r}",
        hint=f"add it with `git remote add {named} …`, or correct `ledger` in {FILE}",
    )


def _ledger(
    repository: Repository,
    address: str,
    store: str,
    environ: Mapping[str, str],
    say: Callable[[str], None],
) -> Ledger:
    """The ledger at an address, beside the store at another. What talks to a bucket is imported
    only for one.
    """
    if ledgers.is_in_git(address):
        return GitLedger(repository, _remote(repository, address))
    if ledgers.is_within(address, store):
        raise UsageError(
            opening(address, "ledger"),
            f"it would lie among what the store {store!r} keeps, and who may write there may write "
            "decisions",
            hint="give each a prefix of its own, such as s3://bucket/ledger and s3://bucket/store",
        )
    from assent.ledgers.objects.ledger import open_ledger

    return open_ledger(address, environ, repository.common / "assent", say)


class _People(Sequence[Person]):
    """The people of the base branch, read when the forge first asks: most verbs never do."""

    def __init__(self, read: Callable[[], Sequence[Person]]) -> None:
        self._read = read

    @cached_property
    def _all(self) -> Sequence[Person]:
        return self._read()

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, index: Any) -> Any:
        return self._all[index]


def _people(
    repository: Repository, base: str | None, path: Path, config: Config
) -> tuple[Person, ...]:
    """The people of the base branch: a change cannot name its own approvers."""
    listed = config
    if base is not None:
        text = repository.show(base, repository.relative(path.resolve()))
        if text is not None:
            try:
                listed = read_config(text, f"{path} of the base branch")
            except AssentError as error:
                # Judging will fail on it with the same words; reading must still work.
                listed = Config(models={}, policies={}, people={})
                del error
    return tuple(
        Person(name=name, email=person.email, groups=person.groups)
        for name, person in listed.people.items()
    )


def _store(
    root: Path, address: str, environ: Mapping[str, str], say: Callable[[str], None]
) -> Store:
    """The store of a workspace. What talks to a registry or a bucket is imported only for one."""
    if address.startswith(SCHEME):
        from assent.stores.cache import open_cache
        from assent.stores.caching import CachingStore
        from assent.stores.oci import open_store

        store = open_store(address, environ, say, of_job=partial(registry_login, environ))
        return CachingStore(store, open_cache(environ, say))
    if address.startswith(buckets.SCHEMES):
        from assent.stores import objects
        from assent.stores.cache import open_cache
        from assent.stores.caching import CachingStore

        return CachingStore(objects.open_store(address, environ), open_cache(environ, say))
    if "://" in address:
        raise UsageError(
            opening(address),
            "this release stores in folders, container registries and object stores only",
            hint="set `store` to a folder, shared or not, to `oci://host/repository`, or to "
            + buckets.FORM,
        )
    return DirectoryStore((root / Path(address).expanduser()).resolve())
