"""The only file that names concrete adapters: from a folder to a workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from assent.ci.environment import read_run
from assent.config.read import read_config
from assent.config.settings import Config
from assent.core.evidence import Run
from assent.core.registry import rfc3339
from assent.errors import AssentError, OutsideError, UsageError
from assent.forges.local import LocalForge, Person
from assent.git import Repository, Trunk
from assent.ledgers.git.ledger import GitLedger
from assent.ports import Store
from assent.stores.directory import DirectoryStore
from assent.verbs.workspace import FILE, Workspace


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
    path = _find(start) if file is None else file
    config = read_config(_read(path), str(path))
    root = path.resolve().parent
    repository = Repository(root)
    remote = _remote(repository, config)
    base = Trunk(repository, remote)
    return Workspace(
        root=root,
        config=config,
        repository=repository,
        branch=base,
        forge=LocalForge(
            repository,
            base=base,
            people=_People(lambda: _people(repository, base.commit, path, config)),
            folder=root / ".assent" / "review",
        ),
        store=_store(root, config.store),
        ledger=GitLedger(repository, remote),
        now=rfc3339(now),
        run=_run(environ),
        say=say,
    )


def _run(environ: Mapping[str, str]) -> Run | None:
    """The CI run. Its address is kept for ever, so what is secret in it is not."""
    run = read_run(environ)
    if run is None or run.address is None:
        return run
    from assent.measure.redaction import redact_text  # only in CI is there anything to redact

    return msgspec.structs.replace(run, address=redact_text(run.address))


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


def _remote(repository: Repository, config: Config) -> str | None:
    """The remote that holds the ledger: the one named (`git:upstream`), else `origin` if there is
    one, else none.
    """
    _, _, named = config.ledger.partition(":")
    name = named or "origin"
    if repository.config(f"remote.{name}.url") is not None:
        return name
    if named:
        raise UsageError(
            f"opening the ledger {config.ledger!r}",
            f"the repository has no remote {named!r}",
            hint=f"add it with `git remote add {named} …`, or correct `ledger` in {FILE}",
        )
    return None


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


def _store(root: Path, address: str) -> Store:
    if "://" in address:
        raise UsageError(
            f"opening the store {address!r}",
            "this release stores in folders only",
            hint="set `store` to a folder, shared or not",
        )
    return DirectoryStore((root / Path(address).expanduser()).resolve())
