"""`explain`: why the verdict is what it is, and what it would be if somebody approved."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.core.approval import Approvals
from assent.core.change import Review, ReviewState
from assent.core.clock import Clock
from assent.core.digest import Digest
from assent.core.identity import Actor
from assent.core.verdict import Verdict
from assent.errors import ExitCode
from assent.judging.candidate import judge
from assent.judging.opinions import all_reviews
from assent.judging.promotion import Move, judge_move, stage_rule
from assent.making.bundle_lookup import find
from assent.recording.reading import read_ledger
from assent.workspace import Workspace


class ExplainResult(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one step for one bundle, with who was heard, at the time of `clock`.
    `supposed` are the people whose approval was only supposed.
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
    )
