"""Small values that tests build on."""

from __future__ import annotations

import subprocess
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


def new_repository(folder: Path, *, bare: bool = False) -> Path:
    folder.mkdir(parents=True)
    run_git(folder, "init", "-q", "-b", "main", *(["--bare"] if bare else []))
    if not bare:
        run_git(folder, "config", "user.name", "Alice Author")
        run_git(folder, "config", "user.email", "alice@example.com")
        run_git(folder, "commit", "-q", "--allow-empty", "-m", "start")
    return folder


def new_clone(remote: Path, folder: Path) -> Path:
    new_repository(folder)
    run_git(folder, "remote", "add", "origin", str(remote))
    return folder
