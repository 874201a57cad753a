"""`explain`: why the verdict is what it is, what it would be if somebody approved, and what was
decided by an entry of the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.core.approval import Approvals
from assent.core.change import Review, ReviewState
from assent.core.clock import Clock
from assent.core.digest import Digest
from assent.core.entry import Entry
from assent.core.history import History, Moment, verdict_of
from assent.core.identity import Actor
from assent.core.verdict import Verdict
from assent.errors import ExitCode, UsageError
from assent.judging.candidate import judge
from assent.judging.opinions import all_reviews
from assent.judging.promotion import Move, judge_move, stage_rule
from assent.making.bundle_lookup import find
from assent.recording.commit_dates import commit_dates
from assent.recording.notes import notes_about
from assent.recording.reading import read_entries, read_ledger
from assent.workspace import Workspace


class ExplainResult(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one step for one bundle, with who was heard, at the time of `clock`.
    `supposed` are the people whose approval was only supposed. `notes` are those that the ledger
    has about the bundle, newest first.
    """

    model: str
    step: str
    bundle: Digest
    version: int | None
    policy: Digest
    verdict: Verdict
    approvals: Approvals
    clock: Clock
    supposed: tuple[str, ...] = ()
    notes: tuple[Entry, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """0 passed, 10 blocked, 11 waiting for approval."""
        return self.verdict.decision.exit_code


def explain(
    workspace: Workspace,
    model: str,
    *,
    name: str | None = None,
    stage: str | None = None,
    suppose: Sequence[Actor] = (),
) -> ExplainResult:
    """Judge without writing anything: registering the bundle called `name`, or promoting that
    version to `stage`, as if everybody in `suppose` had approved now.
    """
    policy = workspace.binding_policy(model)
    view = read_ledger(workspace, model)
    candidate = find(workspace, view, model, name)
    bundle = candidate.bundle.digest
    change = workspace.change()
    imagined = [
        Review(
            person=person,
            state=ReviewState.APPROVED,
            at=workspace.now,
            head=None,
            bundle=bundle,
        )
        for person in suppose
    ]
    if stage is None:
        reviews = [*all_reviews(workspace, view, model, bundle), *imagined]
        judgement = judge(workspace, view, policy, candidate, reviews=reviews, change=change)
        verdict, approvals, step = judgement.verdict, judgement.approvals, "register"
    else:
        rule = stage_rule(policy, model, stage)
        move = Move(stage=stage, policy=policy, rule=rule, candidate=candidate)
        judged = judge_move(workspace, view, move, supposed=imagined)
        verdict, approvals, step = judged.verdict, judged.approvals, f"promote to {stage}"
    return ExplainResult(
        model=model,
        step=step,
        bundle=bundle,
        version=candidate.version,
        policy=policy.digest,
        verdict=verdict,
        approvals=approvals,
        clock=workspace.clock,
        supposed=tuple(person.login for person in suppose),
        notes=notes_about(view, bundle),
    )


class Recalled(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided by one entry, as it was recorded then; nothing is judged again. `verdict`
    is None where nothing was judged. `lacks_figures`: a release wrote it that kept none. `override`
    is the entry that overrode the policy for it. `notes` are those about the bundle that came
    later, newest first.
    """

    model: str
    moment: Moment
    verdict: Verdict | None
    lacks_figures: bool
    override: Moment | None = None
    notes: tuple[Entry, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """0: it was decided long ago, whatever it was."""
        return ExitCode.DONE


def recall(workspace: Workspace, model: str, seq: int) -> Recalled:
    """What was decided by entry `seq`, then."""
    view = read_ledger(workspace, model, alone=True)
    entries = read_entries(view)
    if not 0 <= seq < len(entries):
        problem = f"the newest is entry {len(entries) - 1}" if entries else "there is none yet"
        raise UsageError(f"explaining entry {seq} of {model}", problem)
    entry = entries[seq]
    history = History(entries, workspace.machine_now)
    history = history.with_dates(commit_dates(workspace, history.commits([entry])))
    moment = history.moment(entry)
    verdict, bundle = verdict_of(entry), entry.subject.bundle
    later = () if bundle is None else history.notes(bundle)
    return Recalled(
        model=model,
        moment=moment,
        verdict=verdict,
        lacks_figures=verdict is not None
        and not any(finding.evidence for finding in verdict.findings),
        override=None if moment.against is None else history.moment(entries[moment.against]),
        notes=tuple(note for note in later if note.seq > seq),
    )
