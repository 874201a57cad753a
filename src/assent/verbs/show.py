"""`show`: everything that is recorded about a version, an entry or a digest."""

from __future__ import annotations

import re

import msgspec

from assent.core.digest import Digest, is_digest
from assent.core.entry import Entry, Kind
from assent.core.evidence import Evidence
from assent.core.history import History, Moment, Naming, Place, digests_of, namings, places
from assent.core.nearest import meant
from assent.core.registry import Record, Stay
from assent.errors import AssentError, UsageError
from assent.making.bundle_lookup import find
from assent.ports import View
from assent.recording.commit_dates import commit_dates
from assent.recording.reading import read_entries, read_ledger
from assent.recording.versions import record_of, version_number
from assent.workspace import Workspace

_PART = re.compile(r"(?:sha256:)?[0-9a-f]{8,64}")


class VersionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a version now: where it stands, how long it was in which stage, and what
    ended it. `purged` is the entry by which its bytes were taken away.
    """

    version: int
    bundle: Digest
    model_digest: Digest
    is_retired: bool = False
    purged: int | None = None
    places: tuple[Place, ...] = ()
    stays: dict[str, Stay] = {}


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One entry with the digest of its bytes, which the next entry names."""

    moment: Moment
    digest: Digest


class ShowResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger has recorded under a name, oldest first. `version` is set where the name
    means one, `digest` and `roles` where it is a digest or a commit: what that is. `evidence` is
    what the store has of a version; `evidence_problem` says why it has none. `moves` are those of
    the store since the version was registered.
    """

    model: str
    name: str
    entries: tuple[Recorded, ...]
    version: VersionFacts | None = None
    digest: str | None = None
    roles: tuple[str, ...] = ()
    evidence: Evidence | None = None
    evidence_problem: str | None = None
    moves: tuple[Moment, ...] = ()


def show(
    workspace: Workspace, model: str, name: str | None = None, *, entry: int | None = None
) -> ShowResult:
    """Everything recorded about `name`: a version, a stage (the version there), `#12` for an entry,
    or a digest or commit, of which eight digits are enough if they are of one alone; or about
    `entry`. Every entry is proven to lead to the newest one.
    """
    doing = f"looking for {name or f'entry {entry}'} of {model}"
    if (name is None) == (entry is None):
        raise UsageError(doing, "give either a name or --entry", hint="such as v12 or --entry 57")
    view = read_ledger(workspace, model, alone=True)
    entries = read_entries(view)
    if name is not None and re.fullmatch(r"#\d{1,9}", name):
        entry = int(name[1:])
    if entry is not None:
        if not 0 <= entry < len(entries):
            problem = f"the newest is entry {len(entries) - 1}" if entries else "there is none yet"
            raise UsageError(doing, problem)
        return _result(workspace, view, f"entry {entry}", entries, [entries[entry]])
    assert name is not None
    number = _version(view, name)
    if number is not None:
        return _of_version(workspace, view, entries, record_of(view, model, number))
    if _PART.fullmatch(name):
        return _of_digest(workspace, view, entries, name, doing)
    policy = workspace.config.policies.get(model)
    stages = [*view.state.stages, *([] if policy is None else policy.stages)]
    if name in stages:
        raise UsageError(doing, "the stage holds nothing", hint="`assent status` shows what does")
    raise UsageError(
        doing,
        f"it is no version, stage, entry or digest{meant(name, stages)}",
        hint="write v12, a stage, --entry 57, or eight digits of a digest or commit at least",
    )


def _version(view: View, name: str) -> int | None:
    held = view.state.stages.get(name)
    return version_number(name) if held is None else held.version


def _of_version(
    workspace: Workspace, view: View, entries: list[Entry], record: Record
) -> ShowResult:
    model, version = view.state.model, record.version or 0
    about = [entry for entry in entries if entry.subject.bundle == record.bundle]
    evidence, problem = None, None
    try:
        evidence = find(workspace, view, model, f"v{version}").evidence
    except AssentError as error:
        problem = str(error)
    history = History(entries, workspace.machine_now)
    return msgspec.structs.replace(
        _result(workspace, view, f"v{version}", entries, about),
        version=VersionFacts(
            version=version,
            bundle=record.bundle,
            model_digest=record.model_digest,
            is_retired=record.retired,
            purged=record.purged,
            places=places(view.state.stages, version),
            stays=record.stays,
        ),
        evidence=evidence,
        evidence_problem=problem,
        moves=tuple(
            history.moment(entry)
            for entry in entries[record.registered or 0 :]
            if entry.kind is Kind.MOVED
        ),
    )


def _of_digest(
    workspace: Workspace, view: View, entries: list[Entry], name: str, doing: str
) -> ShowResult:
    part, own = name.removeprefix("sha256:"), digests_of(entries, view.head)
    named: dict[str, dict[str, None]] = {}
    about: list[Entry] = []
    for entry in entries:
        hits = [naming for naming in namings(entry, own[entry.seq]) if _begins(naming, name, part)]
        for hit in hits:
            named.setdefault(hit.digest, {})[hit.role] = None
        about += [entry] if hits else []
    if not named:
        problem = "no entry names such a digest or commit"
        raise UsageError(doing, problem, hint="`assent show v12` shows those of a version")
    if len(named) > 1:
        problem = f"{len(named)} begin so: {', '.join(sorted(named)[:5])}"
        raise UsageError(doing, problem, hint="write more digits")
    [(digest, roles)] = named.items()
    return msgspec.structs.replace(
        _result(workspace, view, digest, entries, about), digest=digest, roles=tuple(roles)
    )


def _begins(naming: Naming, name: str, part: str) -> bool:
    if name.startswith("sha256:") and not is_digest(naming.digest):
        return False
    return naming.digest.removeprefix("sha256:").startswith(part)


def _result(
    workspace: Workspace, view: View, name: str, entries: list[Entry], about: list[Entry]
) -> ShowResult:
    digests = digests_of(entries, view.head)
    history = History(entries, workspace.machine_now)
    history = history.with_dates(commit_dates(workspace, history.commits(about)))
    return ShowResult(
        model=view.state.model,
        name=name,
        entries=tuple(
            Recorded(moment=history.moment(entry), digest=digests[entry.seq]) for entry in about
        ),
    )
