"""A ledger with a long history, made in one go."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from assent.core.digest import Digest, digest_of
from assent.core.entry import (
    Draft,
    FindingRecord,
    Kind,
    ReviewRecord,
    Subject,
    VerdictRecord,
    decode_entry,
    entry_digest,
)
from assent.core.evidence import Run
from assent.core.identity import Actor
from assent.core.registry import rfc3339
from assent.core.verdict import Outcome
from assent.ledgers.git.commits import branch_ref, imported
from assent.ledgers.layout import BLOCK, is_open, lines_of
from assent.ports import Pointer
from assent.recording.witnesses import head_of
from assent.stores.directory import DirectoryStore
from benchmarks.project import MODEL
from benchmarks.small import Candidate, SmallProject

_START = datetime(2020, 1, 1, tzinfo=UTC)
_POLICY = digest_of(b"policy")


_FILL = BLOCK // 2
"""How full the newest block of entries is: on average, so that a fresh clone receives as much."""


def write_history(project: SmallProject, versions: int) -> None:
    """Give the remote a ledger with this many versions. Each has an approval and a verdict in its
    entry, every tenth was promoted to staging and on to production, and the newest, which stands
    there now, is the first candidate of the project. Notes at the beginning fill the newest block
    of entries to the half, whatever the size: that is what is read and checked. The remote is
    packed afterwards, as forges do.
    """
    git = ["git", "-C", str(project.remote)]
    process = subprocess.Popen(
        [*git, "fast-import", "--quiet", "--done"], stdin=subprocess.PIPE, env=project.env
    )
    assert process.stdin is not None
    with process.stdin:
        for part in imported(MODEL, _drafts(versions, project.candidates[0])):
            process.stdin.write(part)
    if process.wait() != 0:
        raise RuntimeError("git fast-import did not take the history")
    subprocess.run([*git, "gc", "--quiet"], check=True, env=project.env)
    _point_head(project)


def _point_head(project: SmallProject) -> None:
    """Have the project's store know the newest entry, as after every write. The pointers of the
    versions are not written: nothing that is measured reads them.
    """
    branch = branch_ref(MODEL)
    git = ["git", "-C", str(project.remote)]
    listed = subprocess.run(
        [*git, "ls-tree", "--name-only", branch], check=True, capture_output=True
    )
    [opened] = filter(is_open, listed.stdout.decode().splitlines())
    block = subprocess.run([*git, "show", f"{branch}:{opened}"], check=True, capture_output=True)
    newest = lines_of(block.stdout)[-1]
    pointer = Pointer(seq=decode_entry(newest).seq, entry=entry_digest(newest))
    DirectoryStore(project.folder / ".assent/store").point(head_of(MODEL), pointer)


def _drafts(versions: int, newest: Candidate) -> Iterator[Draft]:
    entries = versions + 2 * ((versions - 1) // 10) + 2
    for _ in range((_FILL - entries) % BLOCK):
        yield Draft(kind=Kind.NOTED, at=_at(0), model=MODEL, actor=_person("ada"), reason="filled")
    for number in range(1, versions):
        bundle, model_digest = digest_of(b"b%d" % number), digest_of(b"m%d" % number)
        yield from _of_version(number, bundle, model_digest, is_promoted=number % 10 == 0)
    yield from _of_version(versions, newest.bundle, newest.model_digest, is_promoted=True)


def _of_version(
    number: int, bundle: Digest, model_digest: Digest, *, is_promoted: bool
) -> Iterator[Draft]:
    at = _at(number)
    registered = Draft(
        kind=Kind.REGISTERED,
        at=at,
        model=MODEL,
        actor=_person("ada"),
        subject=Subject(version=number, bundle=bundle, model_digest=model_digest),
        approvals=(ReviewRecord(person=_person("grace"), bundle=bundle, at=at, role="@reviewers"),),
        authors=(_person("ada"),),
        verdict=VerdictRecord(
            findings=_findings(number), policy=_POLICY, evidence=digest_of(b"e%d" % number)
        ),
        run=Run(system="ci", id=str(10_000_000 + number), attempt=1, address="https://ci.example"),
        commit=f"{number:040x}",
        required=1,
    )
    yield registered
    if is_promoted:
        replaced = (number - 1) // 10 * 10 or None
        for stage in ("staging", "production"):
            yield replace(
                registered, kind=Kind.PROMOTED, stage=stage, replaces=replaced, authors=()
            )


def _at(number: int) -> str:
    return rfc3339(_START + timedelta(minutes=20 * number))


def _person(name: str) -> Actor:
    return Actor(
        kind="person",
        forge="local",
        host="local",
        id=f"{name}@example.com",
        login=name,
        proof="claimed",
    )


def _findings(number: int) -> tuple[FindingRecord, ...]:
    """Findings as entries keep them: the words of all versions, and the figures of this one."""
    old, new = 0.8 + number % 997 / 9_973, 0.8 + number % 991 / 9_967
    low, high = new - old - number % 89 / 8_999, new - old + number % 97 / 9_001
    change = f"{old:.6f} → {new:.6f}, change between {low:.4g} and {high:.4g} (95%, 177 rows)"
    return (
        *(
            FindingRecord(
                rule=f"{name} {bound}",
                outcome=Outcome.PASSED,
                reason="no worse than the baseline",
                evidence=f"`{name}`: {change}",
            )
            for name, bound in _GATES
        ),
        FindingRecord(
            rule="approvals: 1 of @reviewers",
            outcome=Outcome.PASSED,
            reason="enough",
            evidence="approved by `grace`",
        ),
    )


_GATES = (
    ("roc_auc", "min 0.75"),
    ("roc_auc", "max_drop 0.05"),
    ("log_loss", "max_rise 50%"),
    ("slices.region.north.roc_auc", "max_drop 0.05"),
    ("slices.region.south.roc_auc", "max_drop 0.05"),
)
