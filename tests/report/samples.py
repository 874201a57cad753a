"""Reviews to render: the ordinary ones and the ones that nobody wants to get."""

from __future__ import annotations

from typing import Any, cast

from assent.core.approval import Approvals, Heard
from assent.core.change import ReviewState
from assent.core.diff import Diff, Side
from assent.core.diff.data import DataChange, DataDiff
from assent.core.diff.metrics import MetricChange
from assent.core.diff.model import FileChange, ModelDiff
from assent.core.diff.values import ValueChange, Values
from assent.core.digest import Digest, digest_of
from assent.core.evidence import Code, DataReference, Evidence, Run, Step
from assent.core.identity import Actor
from assent.core.scalar import NonFinite
from assent.core.scope import Scope
from assent.core.verdict import Finding, Outcome, Verdict
from assent.report.review import ReviewReport

AT = "2025-06-03T09:41:00Z"
OLD, NEW = digest_of(b"old"), digest_of(b"new")
PASS = Finding(
    rule="roc_auc min 0.8",
    metric="roc_auc",
    outcome=Outcome.PASSED,
    reason="within the bound",
    evidence="roc_auc = 0.8614",
)
FAIL = Finding(
    rule="latency_ms max_rise 10%",
    metric="latency_ms",
    outcome=Outcome.FAILED,
    reason="rose by 30.6%",
    evidence="latency_ms: 12.1 → 15.8",
    remedy="improve the model, or change the limit on the base branch",
)
WAIT = Finding(
    rule="approvals: 1 of alice or @acme/ml",
    outcome=Outcome.WAITING,
    reason="0 of 1 given",
    evidence="approved by nobody",
    remedy="1 more of alice or @acme/ml must approve",
)
SKIP = Finding(
    rule="roc_auc max_drop 0.01",
    metric="roc_auc",
    outcome=Outcome.NOT_APPLICABLE,
    reason="no baseline",
    evidence="roc_auc = 0.8614",
)


def person(login: str, number: int) -> Actor:
    return Actor(
        kind="person", forge="github", host="github.com", id=str(number), login=login, proof="forge"
    )


def side(bundle: Digest, model: bytes, version: int | None, commit: str) -> Side:
    return Side(
        bundle=bundle,
        model_digest=digest_of(model),
        version=version,
        code=Code(commit=commit, branch="main" if version else "try-depth-9"),
        run=Run(
            system="github", id="991", address="https://github.com/acme/churn/actions/runs/991"
        ),
    )


def metric(name: str, old: float, new: float, better: Any = None) -> MetricChange:
    return MetricChange(
        name=name,
        old=old,
        new=new,
        change=new - old,
        relative=(new - old) / abs(old) if old else None,
        better=better,
        is_changed=old != new,
    )


SAME_METRICS = tuple(metric(name, 0.91, 0.91, "higher") for name in ("precision", "recall"))
METRICS = (
    metric("roc_auc", 0.8523, 0.8614, "higher"),
    metric("log_loss", 0.31217, 0.30112, "lower"),
    metric("latency_ms", 12.1, 15.8, "lower"),
    metric("trees", 300, 500),
    *SAME_METRICS,
    MetricChange(name="brier", old=0.1, new=NonFinite("nan"), better="lower", is_changed=True),
    MetricChange(name="ece", new=0.0213, better="lower", is_changed=True),
    *(
        metric(f"slices.region.{region}.roc_auc", 0.85, 0.85 + step / 200, "higher")
        for step, region in enumerate(("north", "south", "east", "west.coast"), -2)
    ),
)


def data(name: str, rows: int, content: bytes) -> DataReference:
    return DataReference(
        name=name,
        source=f"data/{name}.parquet",
        kind="path",
        digest=digest_of(content),
        size_bytes=rows * 97,
        rows=rows,
        files=1,
    )


def diff(**changes: Any) -> Diff:
    ordinary: dict[str, Any] = {
        "model": "churn",
        "candidate": side(NEW, b"model 2", None, "9f2c1b7a4d3e8f60718293a4b5c6d7e8f9012345"),
        "baseline": side(OLD, b"model 1", 12, "0123456789abcdef0123456789abcdef01234567"),
        "metrics": METRICS,
        "model_files": ModelDiff(
            old_size_bytes=1_204_112,
            new_size_bytes=1_911_240,
            files=2,
            changes=(
                FileChange(path="model.json", old_size_bytes=1_203_000, new_size_bytes=1_910_128),
            ),
        ),
        "data": DataDiff(
            changes=(
                DataChange(
                    name="train", old=data("train", 104_220, b"1"), new=data("train", 118_904, b"2")
                ),
            ),
            same=(data("test", 20_000, b"t"),),
        ),
        "params": Values(
            changes=(
                ValueChange(name="model.max_depth", old=7, new=9),
                ValueChange(name="model.learning_rate", old=0.1, new=0.05),
                ValueChange(name="model.objective", new="binary:logistic"),
            ),
            same=14,
        ),
        "packages": Values(
            changes=(ValueChange(name="scikit-learn", old="1.5.2", new="1.6.0"),), same=31
        ),
        "environment": Values(same=6),
    }
    return Diff(**{**ordinary, **changes})


SCOPE = Scope(deciding=("roc_auc", "latency_ms"), bounded=("roc_auc", "latency_ms"))
EVIDENCE = Evidence(
    model="churn",
    inputs_digest=digest_of(b"inputs"),
    train=Step(
        command="python train.py",
        inputs_digest=digest_of(b"i"),
        started_at=AT,
        wall_s=312.4,
        cpu_s=1180.2,
        peak_memory_bytes=2_140_000_000,
    ),
    trained_by=person("bob", 7),
)
YES = Heard(
    person=person("alice", 1),
    state=ReviewState.APPROVED,
    at=AT,
    head=None,
    bundle=NEW,
    counts=True,
    why="is @acme/ml",
    role="@acme/ml",
)
NO = Heard(
    person=person("bob", 7),
    state=ReviewState.APPROVED,
    at=AT,
    head=None,
    bundle=NEW,
    counts=False,
    why="made this change; the author's approval does not count",
)


def review(*findings: Finding, **changes: Any) -> ReviewReport:
    ordinary: dict[str, Any] = {
        "model": "churn",
        "diff": diff(),
        "verdict": Verdict(findings=findings),
        "approvals": Approvals(required=1, of=("alice", "@acme/ml"), heard=(NO, YES)),
        "policy": digest_of(b"policy"),
        "scope": SCOPE,
        "evidence": EVIDENCE,
        "at": AT,
        "change_id": "#128",
        "change_title": "Deeper trees, slower learning",
    }
    return ReviewReport(**{**ordinary, **changes})


def passed() -> ReviewReport:
    return review(PASS, PASS)


def blocked() -> ReviewReport:
    return review(
        PASS,
        FAIL,
        WAIT,
        rule_changes=("latency_ms: max_rise was 5% and would be 10%",),
        approvals=Approvals(required=2, of=("alice", "@acme/ml"), heard=(NO, YES)),
    )


def pending() -> ReviewReport:
    return review(
        PASS, WAIT, approvals=Approvals(required=1, of=("alice", "@acme/ml"), heard=(NO,))
    )


def first() -> ReviewReport:
    candidate = diff().candidate
    values = tuple(ValueChange(name=f"p{n}", new=n / 7) for n in range(4))
    return review(
        PASS,
        SKIP,
        notes=("First model: there is no baseline.",),
        approvals=Approvals(required=0, of=()),
        diff=Diff(
            model="churn",
            candidate=candidate,
            metrics=tuple(MetricChange(name=one.name, new=one.new) for one in METRICS),
            model_files=ModelDiff(
                new_size_bytes=1000,
                files=1,
                changes=(FileChange(path="model.json", new_size_bytes=1000),),
            ),
            data=DataDiff(changes=(DataChange(name="train", new=data("train", 1000, b"1")),)),
            params=Values(changes=values),
        ),
    )


def unchanged() -> ReviewReport:
    baseline = diff().baseline
    assert baseline is not None
    return review(
        PASS,
        approvals=Approvals(required=0, of=()),
        diff=Diff(
            model="churn",
            candidate=baseline,
            baseline=baseline,
            metrics=SAME_METRICS,
            params=Values(same=3),
            model_files=ModelDiff(old_size_bytes=10, new_size_bytes=10, files=1),
        ),
    )


def big(metrics: int = 1_000, slices: int = 50, params: int = 10_000) -> ReviewReport:
    """`metrics` metrics, each on `slices` slices, and `params` changed parameters."""
    many = [metric(f"metric_{n}", 0.5, 0.5 + n / 10_000, "higher") for n in range(metrics)]
    for n in range(metrics):
        many += [
            metric(f"slices.region.r{at}.metric_{n}", 0.5, 0.5 - at / 10_000, "higher")
            for at in range(slices)
        ]
    values = tuple(ValueChange(name=f"layer.{n}.rate", old=n, new=n + 1) for n in range(params))
    return review(PASS, FAIL, diff=diff(metrics=tuple(many), params=Values(changes=values)))


def hostile(text: str, many: int = 3) -> ReviewReport:
    """A review in which everything that comes from outside is `text`."""
    who = person(text, 1)
    one = DataReference(name=text, source=text, kind=text, snapshot=text, rows=1, size_bytes=1)
    here = Side(
        bundle=NEW,
        model_digest=NEW,
        code=Code(commit=text, branch=text, is_dirty=True),
        run=Run(system=text, id=text, attempt=2, address=text),
    )
    values = Values(changes=(ValueChange(name=text, old=text, new=1), ValueChange(name=text)))
    finding = Finding(rule=text, outcome=Outcome.FAILED, reason=text, evidence=text, remedy=text)
    heard = Heard(
        person=who,
        state=cast(ReviewState, text),
        at=text,
        head=text,
        bundle=NEW,
        counts=False,
        why=text,
        role=text,
    )
    step = Step(command=text, inputs_digest=NEW, started_at=text, wall_s=1)
    return ReviewReport(
        model=text,
        diff=Diff(
            model=text,
            candidate=here,
            baseline=here,
            metrics=(
                MetricChange(name=text, old=text, new=text + "!", is_changed=True),
                MetricChange(name=f"slices.{text}.{text}.{text}", old=1.0, new=text),
            )
            * many,
            model_files=ModelDiff(old_size_bytes=1, changes=(FileChange(path=text),)),
            data=DataDiff(changes=(DataChange(name=text, old=one, new=None),), same=(one,)),
            params=values,
            packages=values,
            environment=values,
        ),
        verdict=Verdict(findings=(finding,) * many),
        approvals=Approvals(required=2, of=(text, text), heard=(heard,) * many),
        policy=NEW,
        evidence=Evidence(
            model=text, inputs_digest=NEW, train=step, trained_by=who, run=here.run, code=here.code
        ),
        at=text,
        rule_changes=(text,) * many,
        notes=(text,) * many,
        change_id=text,
        change_title=text,
    )
