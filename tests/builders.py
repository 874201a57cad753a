"""Small values that tests build on."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from assent.core.digest import Digest, digest_of
from assent.core.entry import Draft, Kind, ReviewRecord, Subject
from assent.core.identity import Actor
from assent.core.verdict import Decision
from assent.ports import Notice

AT = "2026-01-02T03:04:05Z"


def person(name: str) -> Actor:
    return Actor(kind="person", forge="local", host="local", id=name, login=name, proof="claimed")


def digest(name: str) -> Digest:
    return digest_of(name.encode())


def subject(name: str, version: int | None = None) -> Subject:
    return Subject(version=version, bundle=digest(name), model_digest=digest(f"model of {name}"))


def draft(kind: Kind, about: Subject | None = None, **fields: object) -> Draft:
    values: dict[str, object] = {"at": AT, "model": "churn", "actor": person("alice"), **fields}
    return Draft(kind=kind, subject=about or Subject(), **values)  # type: ignore[arg-type]  # tests pass fields by name


def notice(model: str, bundle: str, body: str, **fields: object) -> Notice:
    values: dict[str, object] = {"decision": Decision.PENDING, **fields}
    return Notice(model=model, bundle=digest(bundle), body=body, **values)  # type: ignore[arg-type]  # tests pass fields by name


def registered(version: int, **fields: object) -> Draft:
    return draft(Kind.REGISTERED, subject(f"b{version}", version), **fields)


def promoted(version: int, stage: str, replaces: int | None = None, **fields: object) -> Draft:
    about = subject(f"b{version}", version)
    return draft(Kind.PROMOTED, about, stage=stage, replaces=replaces, **fields)


def approved(name: str, by: str) -> Draft:
    about = subject(name)
    assert about.bundle is not None
    approval = ReviewRecord(person=person(by), bundle=about.bundle, at=AT, role=by)
    return draft(Kind.APPROVED, about, approvals=(approval,))


def run_git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@functools.cache
def _kept(process: int) -> Path:
    """Where a process keeps what it copies. Its forks have folders of their own."""
    folder = Path(tempfile.mkdtemp(prefix="assent-kept-"))

    def tidy() -> None:
        if os.getpid() == process:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(tidy)
    return folder


_KEPT: dict[object, Path] = {}


def _copied(what: object, make: Callable[[Path], object], folder: Path) -> None:
    """Put a repository into a folder: made by Git where this process has none of the same, and else
    copied, which starts no program. What Git finds in the environment is part of what is the same.
    """
    settings = (
        (name, value)
        for name, value in os.environ.items()
        if name.startswith("GIT_") or name in ("HOME", "XDG_CONFIG_HOME")
    )
    key = (os.getpid(), what, *sorted(settings))
    if key not in _KEPT:
        kept = _kept(os.getpid()) / str(len(_KEPT))
        make(kept)
        for sample in kept.rglob("hooks/*.sample"):
            sample.unlink()
        _KEPT[key] = kept
    shutil.copytree(_KEPT[key], folder, symlinks=True)


def new_repository(folder: Path, *, bare: bool = False) -> Path:
    _copied(("new", bare), functools.partial(_make_repository, bare=bare), folder)
    return folder


def _make_repository(folder: Path, *, bare: bool) -> None:
    folder.mkdir(parents=True)
    run_git(folder, "init", "-q", "-b", "main", *(["--bare"] if bare else []))
    if not bare:
        run_git(folder, "config", "user.name", "Alice Author")
        run_git(folder, "config", "user.email", "alice@example.com")
        run_git(folder, "commit", "-q", "--allow-empty", "-m", "start")


def clone(remote: Path, folder: Path) -> Path:
    """What `git clone` makes of a bare repository that nobody writes to meanwhile."""
    places = [remote / "HEAD", remote / "packed-refs", *sorted((remote / "refs").rglob("*"))]
    refs = [(str(one.relative_to(remote)), one.read_text()) for one in places if one.is_file()]
    words = ("clone", "-q", str(remote))
    _copied(tuple(refs), lambda kept: run_git(remote, *words, str(kept)), folder)
    config = folder / ".git/config"
    place = str(remote).replace("\\", r"\\").replace('"', r"\"")
    config.write_text(re.sub(r"(?m)(?<=^\turl = ).*$", lambda _: f'"{place}"', config.read_text()))
    return folder


def new_clone(remote: Path, folder: Path) -> Path:
    new_repository(folder)
    run_git(folder, "remote", "add", "origin", str(remote))
    return folder
