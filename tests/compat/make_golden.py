"""Write the golden ledger and store of the current format. Run once per format, never again:

    python -m tests.compat.make_golden tests/compat/golden/1

What was once written must always be readable; the tests read these files, whatever release runs.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from assent.core.bundle import ModelFile, config_blob, manifest_blob, model_digest
from assent.core.digest import canonical_json, digest_of
from assent.core.entry import Draft, FindingRecord, Kind, ReviewRecord, Subject, VerdictRecord
from assent.core.evidence import (
    Attachment,
    Code,
    DataReference,
    Environment,
    Evidence,
    Predictions,
    Problem,
    Run,
    Step,
)
from assent.core.profile import (
    Categories,
    ColumnProfile,
    DataProfile,
    Numbers,
    Overlap,
    RowChanges,
)
from assent.core.scalar import NonFinite
from assent.core.verdict import Outcome
from assent.git import Repository
from assent.ledgers.git.ledger import GitLedger
from assent.ledgers.layout import BLOCK
from assent.measure.profiles.encoding import MEDIA_TYPE, encode_profile
from assent.ports import Pointer, Source
from assent.stores.directory import DirectoryStore
from tests.builders import new_repository, person, run_git

MODEL = "churn"
PROFILE = encode_profile(
    DataProfile(
        rows=10,
        columns=(
            ColumnProfile(
                name="x",
                type="float64",
                kind="number",
                nulls=1,
                distinct=3,
                numbers=Numbers(minimum=0.0, maximum=2.0, edges=(0.5, 1.5), counts=(3, 3, 3)),
            ),
            ColumnProfile(
                name="y",
                type="string",
                kind="category",
                categories=Categories(top=(("a", 6), ("b", 3)), others=1),
            ),
        ),
        duplicates=0,
    )
)
ROWS = b"stands for predictions, which are Parquet"
ATTACHMENTS = (
    Attachment(
        path="predictions.parquet",
        digest=digest_of(ROWS),
        size_bytes=len(ROWS),
        media_type="application/vnd.apache.parquet",
    ),
    Attachment(
        path="profiles/train.json.gz",
        digest=digest_of(PROFILE),
        size_bytes=len(PROFILE),
        media_type=MEDIA_TYPE,
    ),
)
RUN = Run(system="ci", id="42", attempt=1, address="https://ci.example/42")


def evidence(number: int) -> Evidence:
    """Evidence with every kind of value that the format has."""
    digest = digest_of(b"input")
    step = Step(
        command="python train.py",
        inputs_digest=digest,
        started_at="2026-01-01T00:00:00Z",
        wall_s=1.5,
        cpu_s=1.25,
        peak_memory_bytes=1_000_000,
    )
    return Evidence(
        model=MODEL,
        inputs_digest=digest_of(f"inputs {number}".encode()),
        inputs={"train.py": digest},
        train=step,
        evaluate=step,
        trained_by=person("ada"),
        code=Code(commit="c" * 40, tree="d" * 40, branch="main", authors=(person("ada"),)),
        params={"lr": 0.001, "layers": 3, "name": "x", "on": True, "none": None},
        metrics={"roc_auc": 0.8 + number / 100, "loss": NonFinite("nan")},
        series={"loss": (1.0, NonFinite("inf"), 0.5)},
        data=(
            DataReference(
                name="train",
                source="t.csv",
                kind="file",
                digest=digest,
                rows=10,
                profile=digest_of(PROFILE),
                label="y",
            ),
            DataReference(name="wide", source="db.t", kind="opaque", snapshot="17"),
        ),
        overlaps=(Overlap(first="train", second="wide", of=5, rows=1, keys=2),),
        row_changes=(RowChanges(data="train", key=("id",), changed=1, columns=(("x", 1),)),),
        predictions=Predictions(
            attachment=digest_of(ROWS), task="binary", rows=5, positive="1", classes=("0", "1")
        ),
        attachments=ATTACHMENTS,
        environment=Environment(python="3.11.7", packages={"numpy": "2.0"}, packages_from="pip"),
        run=RUN,
        problems=(Problem(source="m.json", problem="no such file"),) if number > 1 else (),
    )


def store_bundle(store: DirectoryStore, number: int) -> Subject:
    """One bundle in the store."""
    content = f"model {number}".encode()
    file = ModelFile(path="model.bin", digest=digest_of(content), size_bytes=len(content))
    body = canonical_json(evidence(number))
    config = config_blob(MODEL, [file])
    manifest = manifest_blob(MODEL, [file], config, body, ATTACHMENTS)
    store.add([Source(content=one) for one in (content, PROFILE, ROWS, body, config, manifest)])
    return Subject(version=number, bundle=digest_of(manifest), model_digest=model_digest([file]))


def drafts(one: Subject, two: Subject) -> list[Draft]:
    """An entry of every kind."""
    assert one.bundle is not None
    assert two.bundle is not None
    grace, rosa = person("grace"), person("rosa")
    verdict = VerdictRecord(
        findings=(FindingRecord(rule="r", outcome=Outcome.FAILED, reason="because"),),
        policy=digest_of(b"policy"),
        evidence=digest_of(b"evidence"),
    )

    def draft(kind: Kind, subject: Subject = one, **fields: object) -> Draft:
        at = f"2026-01-02T00:{len(made) // 60:02d}:{len(made) % 60:02d}Z"
        made.append(
            Draft(kind=kind, at=at, model=MODEL, actor=rosa, subject=subject, **fields)  # type: ignore[arg-type]  # fields by name
        )
        return made[-1]

    made: list[Draft] = []
    for number in range(BLOCK):  # so that there is a full block
        draft(Kind.NOTED, Subject(), reason=f"note {number}")
    unnumbered = Subject(bundle=one.bundle, model_digest=one.model_digest)
    yes = ReviewRecord(
        person=grace, bundle=one.bundle, at="2026-01-02T00:00:00Z", role="@ml", change="7", head="h"
    )
    no = ReviewRecord(person=rosa, bundle=two.bundle, at="2026-01-02T00:00:00Z", role="")
    draft(Kind.APPROVED, unnumbered, approvals=(yes,), authors=(person("ada"),), verdict=verdict)
    draft(Kind.REGISTERED, approvals=(yes,), verdict=verdict, run=RUN, commit="c" * 40)
    draft(Kind.PROMOTED, stage="production", run=RUN)
    draft(Kind.REJECTED, Subject(bundle=two.bundle, model_digest=two.model_digest), approvals=(no,))
    draft(Kind.OVERRIDDEN, two, verdict=verdict, reason="it is urgent")
    draft(Kind.REGISTERED, two)
    draft(Kind.PROMOTED, two, stage="production", replaces=1)
    draft(Kind.ROLLED_BACK, stage="production", replaces=2, reason="complaints")
    draft(Kind.RETIRED, two, reason="withdrawn data")
    draft(Kind.PURGED, two, reason="the data must be erased")
    draft(Kind.MOVED, Subject(), reason="hosted machines", links={"from": "store", "to": "s3://b"})
    draft(Kind.PROMOTED, stage="shadow")
    draft(Kind.CLEARED, stage="shadow", replaces=1, reason="over")
    draft(
        Kind.NOTED,
        Subject(),
        reason="ünïcode",
        happened="2025-12-31",
        links={"alert": "https://alerts.example/1"},
    )
    return made


def main(target: Path) -> None:
    """Write `target/ledger` and `target/store`."""
    target.mkdir(parents=True)
    store = DirectoryStore(target / "store")
    made = drafts(store_bundle(store, 1), store_bundle(store, 2))
    with tempfile.TemporaryDirectory() as scratch:
        folder = new_repository(Path(scratch) / "work")
        ledger = GitLedger(Repository(folder), None)
        for draft in made:
            ledger.append(ledger.read(MODEL), [draft])
        ledger_folder = target / "ledger"
        run_git(folder, "worktree", "add", "-q", str(ledger_folder), f"assent/{MODEL}")
        (ledger_folder / ".git").unlink()
        view = ledger.read(MODEL)
        for stage, held in view.state.stages.items():
            pointer = Pointer(
                seq=held.seq,
                entry=digest_of(view.entry(held.seq)),
                version=held.version,
                bundle=held.bundle,
                model_digest=held.model_digest,
            )
            store.point(f"{MODEL}/stages/{stage}", pointer)
    shutil.rmtree(target / "store/tmp", ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
