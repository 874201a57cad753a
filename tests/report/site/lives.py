"""Models that have lived: ledgers and evidence in memory, as much of them as a test wants."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from assent.core.bundle import ModelFile, config_blob, manifest_blob, read_manifest
from assent.core.digest import Digest, canonical_json, digest_of
from assent.core.entry import (
    Draft,
    FindingRecord,
    Kind,
    ReviewRecord,
    Subject,
    VerdictRecord,
)
from assent.core.evidence import Code, DataReference, Environment, Evidence, Run, Step
from assent.core.identity import Actor
from assent.core.registry import rfc3339
from assent.core.verdict import Outcome
from assent.ports import Source
from assent.testing.ledger import MemoryLedger
from assent.testing.store import MemoryStore

START = datetime(2025, 1, 6, 9, 0, tzinfo=UTC)
POLICY = digest_of(b"policy")
PEOPLE = ("grace", "carol", "dan")


def person(login: str) -> Actor:
    return Actor(
        kind="person",
        forge="github",
        host="github.com",
        id=str(sum(login.encode())),
        login=login,
        proof="forge",
    )


BOT = Actor(
    kind="automation",
    forge="github",
    host="github.com",
    id="41898282",
    login="release-bot",
    proof="forge",
)


class Life:
    """A model whose ledger is written entry by entry."""

    def __init__(self, model: str, ledger: MemoryLedger, store: MemoryStore) -> None:
        self.model, self.ledger, self.store = model, ledger, store
        self.at = START
        self.stages: dict[str, int] = {}
        self.subjects: dict[int, Subject] = {}
        self.drafts: list[Draft] = []
        self.said: dict[Digest, ReviewRecord] = {}

    def write(self, kind: Kind, subject: Subject | None = None, **fields: object) -> None:
        values: dict[str, object] = {
            "at": rfc3339(self.at),
            "actor": BOT,
            "run": Run(
                system="ci",
                id=str(9_000 + len(self.drafts)),
                address=f"https://ci.example/acme/runs/{9_000 + len(self.drafts)}",
            ),
            **fields,
        }
        self.drafts.append(
            Draft(kind=kind, model=self.model, subject=subject or Subject(), **values)  # type: ignore[arg-type]  # by name
        )

    def finish(self) -> None:
        """Append what was written, all at once: to append is to read all that is there."""
        self.ledger.append(self.ledger.read(self.model), self.drafts)
        self.drafts = []

    def wait(self, **span: float) -> None:
        self.at += timedelta(**span)

    def bundle(self, number: int, **fields: object) -> Subject:
        evidence = replace(evidence_of(self.model, number), **fields)
        content = f"{self.model} {number}".encode()
        files = [
            ModelFile(path="model.json", digest=digest_of(content), size_bytes=1_204_112 + number),
            ModelFile(path="vocabulary.txt", digest=digest_of(b"words"), size_bytes=88_012),
        ]
        body, config = canonical_json(evidence), config_blob(self.model, files)
        manifest = manifest_blob(self.model, files, config, body)
        self.store.add([Source(content=blob) for blob in (body, config, manifest)])
        parsed = read_manifest(manifest)
        return Subject(bundle=parsed.digest, model_digest=parsed.model_digest)

    def approve(self, subject: Subject, by: str, kind: Kind = Kind.APPROVED, **words: str) -> None:
        assert subject.bundle is not None
        record = ReviewRecord(
            person=person(by),
            bundle=subject.bundle,
            at=rfc3339(self.at),
            role="@acme/reviewers",
            change=f"#{100 + len(self.subjects)}",
            head=f"{len(self.subjects):040x}",
        )
        about = replace(subject, version=None)
        self.said[record.bundle] = record
        self.write(kind, about, actor=person(by), approvals=(record,), run=None, **words)

    def register(self, subject: Subject, by: str = "grace", **fields: object) -> int:
        number = len(self.subjects) + 1
        about = replace(subject, version=number)
        self.subjects[number] = about
        self.write(
            Kind.REGISTERED,
            about,
            authors=(person("alice"),),
            approvals=(self.word(about, by),),
            verdict=verdict_of(number),
            commit=f"{number:040x}",
            **fields,
        )
        return number

    def word(self, subject: Subject, by: str) -> ReviewRecord:
        assert subject.bundle is not None
        if subject.bundle in self.said and self.said[subject.bundle].person == person(by):
            return self.said[subject.bundle]
        return ReviewRecord(
            person=person(by), bundle=subject.bundle, at=rfc3339(self.at), role="@acme/reviewers"
        )

    def promote(
        self, stage: str, number: int, kind: Kind = Kind.PROMOTED, **fields: object
    ) -> None:
        about = self.subjects[number]
        values: dict[str, object] = {"approvals": (self.word(about, "carol"),), **fields}
        held = self.stages.get(stage)
        self.write(kind, about, stage=stage, replaces=held, **values)
        self.stages[stage] = number


def evidence_of(model: str, number: int) -> Evidence:
    wave = math.sin(number / 3) / 60
    auc = round(0.81 + 0.09 * (1 - math.exp(-number / 25)) + wave, 4)
    regions = ("north", "south", "east", "west")
    return Evidence(
        model=model,
        inputs_digest=digest_of(f"{model} {number}".encode()),
        inputs={f"src/part_{at}.py": digest_of(f"{at} {number // 3}".encode()) for at in range(6)},
        train=Step(
            command="python train.py --config params.yaml",
            inputs_digest=digest_of(b"t%d" % number),
            started_at=rfc3339(START),
            wall_s=312.4 + number,
            peak_memory_bytes=2_140_000_000,
        ),
        evaluate=Step(
            command="python evaluate.py",
            inputs_digest=digest_of(b"e%d" % number),
            started_at=rfc3339(START),
            wall_s=12.5,
        ),
        trained_by=person("alice"),
        run=Run(system="ci", id=str(7_000 + number), address="https://ci.example/acme/runs/7"),
        code=Code(commit=f"{number:040x}", branch="main", authors=(person("alice"),)),
        params={"max_depth": 5 + number % 4, "learning_rate": 0.05, "objective": "binary"},
        metrics={
            "roc_auc": auc,
            "log_loss": round(0.42 - wave - number / 4000, 4),
            "f1": round(auc - 0.12, 4),
            "latency_ms": round(11.0 + (number % 7) * 0.6, 2),
            "calibration.ece": round(0.03 + abs(wave), 4),
            "rows": 20_000,
            **{
                f"slices.region.{region}.roc_auc": round(auc - at / 100, 4)
                for at, region in enumerate(regions)
            },
        },
        data=(
            DataReference(
                name="train",
                source="data/train.parquet",
                kind="path",
                digest=digest_of(b"train %d" % (number // 4)),
                size_bytes=9_800_000 + number * 1000,
                rows=104_220 + number // 4 * 1000,
            ),
            DataReference(
                name="test",
                source="data/test.parquet",
                kind="path",
                digest=digest_of(b"test"),
                size_bytes=1_900_000,
                rows=20_000,
            ),
        ),
        environment=Environment(
            python="3.11.9",
            platform="Linux-6.1",
            machine="x86_64",
            cpu="AMD EPYC 7B13",
            cpu_count=8,
            memory_bytes=33_000_000_000,
            packages={"numpy": "2.1.3", "scikit-learn": f"1.6.{number // 9}", "pandas": "2.2.3"},
        ),
    )


def verdict_of(number: int) -> VerdictRecord:
    least = 0.75 if number < 12 else 0.8
    rules = (
        (f"roc_auc min {least}", Outcome.PASSED, "within the bound"),
        ("roc_auc max_drop 0.05", Outcome.PASSED, "it rose by 0.0011"),
        ("latency_ms max 16", Outcome.PASSED, "within the bound"),
        ("slices.region.north.roc_auc max_drop 0.05", Outcome.PASSED, "it fell by 0.0008"),
        ("approvals: 1 of @acme/reviewers", Outcome.PASSED, "1 of 1 given"),
    )
    return VerdictRecord(
        findings=tuple(
            FindingRecord(rule=rule, outcome=outcome, reason=why) for rule, outcome, why in rules
        ),
        policy=POLICY,
        evidence=digest_of(b"e%d" % number),
    )


def lived(life: Life, versions: int) -> Life:
    """A life with everything in it: each kind of entry that people write, as often as it comes."""
    for number in range(1, versions + 1):
        subject = life.bundle(number)
        life.approve(subject, PEOPLE[number % 3])
        life.wait(hours=2)
        life.register(subject, PEOPLE[number % 3])
        life.wait(hours=5)
        if number % 3 == 0 or number == versions:
            life.promote("staging", number)
            life.wait(days=2)
        if number % 6 == 0:
            life.promote("production", number)
            life.wait(days=1)
        if number % 18 == 0:
            life.write(
                Kind.NOTED,
                life.subjects[number],
                actor=person("dan"),
                reason="Complaints from the north: scores of new customers are too low.",
                happened=rfc3339(life.at)[:10],
                links={"incident": "https://status.example/incidents/412"},
            )
            life.wait(hours=3)
            life.promote(
                "production",
                number - 6,
                Kind.ROLLED_BACK,
                actor=person("carol"),
                approvals=(),
                reason="Scores of new customers are too low; see the note.",
            )
            life.wait(days=1)
        life.wait(days=2, hours=number % 5)
    if versions >= 8:
        life.write(Kind.RETIRED, life.subjects[2], reason="trained on test rows")
        odd = life.bundle(10_000)
        life.approve(odd, "dan", Kind.REJECTED, reason="The new region is not in the test data.")
        life.approve(life.bundle(10_001), "grace")
    life.finish()
    return life


def lives(models: dict[str, int]) -> Iterator[Life]:
    ledger, store = MemoryLedger(), MemoryStore()
    for model, versions in models.items():
        yield lived(Life(model, ledger, store), versions)


def bundle_of(life: Life, number: int) -> Digest:
    bundle = life.subjects[number].bundle
    assert bundle is not None
    return bundle
