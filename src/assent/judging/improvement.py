"""Whether a new bundle is better than the one in production, by the metric that decides."""

from __future__ import annotations

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.config.lock import Locked
from assent.config.settings import FILE
from assent.core.diff.metrics import Better
from assent.core.digest import short
from assent.core.direction import direction
from assent.core.entry import Entry, Kind
from assent.core.scalar import number, show_apart
from assent.core.verdict import Finding
from assent.errors import AssentError, UsageError
from assent.judging.candidate import Judgement, judge
from assent.making.changed_inputs import difference
from assent.policy.gates.metric import MetricGate
from assent.policy.rules import Policy
from assent.ports import View
from assent.recording.reading import read_entries
from assent.recording.versions import registered_from
from assent.report.proposal import proposal_title
from assent.report.sections.verdict import blocked_by
from assent.workspace import Workspace


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """The metric that decides, and which way is better."""

    metric: str
    better: Better

    def value(self, of: LoadedBundle) -> float | int | None:
        """The figure of a bundle, if it has one."""
        return number(of.evidence.metrics.get(self.metric))

    def is_better(self, new: float, old: float) -> bool:
        """Whether `new` has moved the better way."""
        return new > old if self.better == "higher" else new < old


class Improvement(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that is better than the baseline."""

    candidate: LoadedBundle
    judgement: Judgement
    title: str
    sentence: str
    locked: Locked | None = None


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What came of comparing: the improvement, if it is one, what is to be said, and the gates that
    block it.
    """

    sentence: str
    improvement: Improvement | None = None
    failed: tuple[Finding, ...] = ()


def aim_of(policy: Policy, metric: str | None, doing: str) -> Aim:
    """The metric that decides: the one named, else that of the first gate on a single one. Raises
    `UsageError` where nothing says which way of it is better.
    """
    gates = [
        gate
        for gate in policy.gates
        if isinstance(gate, MetricGate) and gate.slice is None and "*" not in gate.metric
    ]
    chosen = next((gate for gate in gates if metric in (None, gate.metric)), None)
    if chosen is not None:
        return Aim(metric=chosen.metric, better=chosen.direction)
    if metric is None:
        raise UsageError(
            doing,
            "no gate is on a single metric, so it is not known what `better` is",
            hint="name the metric that decides with --metric",
        )
    better = policy.directions.get(metric) or direction(metric)
    if better is None:
        raise UsageError(
            doing,
            f"it is not known whether a higher {metric} is better",
            hint=f"say it in {FILE}: `directions: {{{metric}: higher}}`, or `lower`",
        )
    return Aim(metric=metric, better=better)


def judge_improvement(
    workspace: Workspace,
    view: View,
    policy: Policy,
    aim: Aim,
    known: LoadedBundle,
    candidate: LoadedBundle,
) -> Compared:
    """Whether the candidate is better than the known one, and what is to be said of it."""
    model, digest = candidate.bundle.model, candidate.bundle.digest
    judgement = judge(workspace, view, policy, candidate, reviews=[], change=None)
    failed = judgement.verdict.blocking
    old, new = aim.value(known), aim.value(candidate)
    moved = f"{aim.metric} {' → '.join(show_apart(old, new))}"
    is_better = old is not None and new is not None and aim.is_better(new, old)
    if failed or not is_better:
        why = blocked_by(judgement.verdict) if failed else f"{moved} is no improvement"
        sentence = f"{short(digest)} is not better than {name_of(known)}: {why}"
        return Compared(sentence=sentence, failed=failed)
    sentence = f"{short(digest)} is better than {name_of(known)}: {moved}"
    sentence += _rolled_back(workspace, view, candidate)
    improvement = Improvement(
        candidate=candidate,
        judgement=judgement,
        title=proposal_title(model, aim.metric, old, new),
        sentence=sentence,
    )
    return Compared(sentence=sentence, improvement=improvement)


def _rolled_back(workspace: Workspace, view: View, candidate: LoadedBundle) -> str:
    """That the inputs of a candidate are those of a version which somebody has rolled back."""
    commit = candidate.evidence.code.commit
    for line in view.state.newest:
        source = registered_from(view, line.bundle)
        if commit is None or source is None:
            continue
        try:
            read = candidate.evidence.inputs
            if difference(workspace, candidate.bundle.model, source, commit, read):
                continue
        except AssentError:
            continue
        entry = _last_rollback(view, line.version)
        if entry is not None:
            return (
                f"; made from the inputs of v{line.version}, which was rolled back from "
                f"{entry.stage} ({entry.reason})"
            )
    return ""


def _last_rollback(view: View, version: int) -> Entry | None:
    """The newest entry by which a version was rolled back."""
    bundle = view.bundle_of(version)
    record = None if bundle is None else view.record(bundle)
    if record is None or not record.stays:
        return None  # it was never anywhere
    last = None
    for entry in read_entries(view, record.registered or 0):
        if entry.kind is Kind.ROLLED_BACK and entry.replaces == version:
            last = entry
    return last


def name_of(known: LoadedBundle) -> str:
    """What people call a bundle: its version, else its digest."""
    return short(known.bundle.digest) if known.version is None else f"v{known.version}"
