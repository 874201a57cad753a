"""`promote`: let a stage hold a version. The bytes stay where they are; a pointer moves."""

from __future__ import annotations

from assent.errors import AssentError
from assent.judging.promotion import Move, Moved, decide_move, show_move, stage_rule
from assent.judging.reverted import Back, gone_back
from assent.making.bundle_lookup import find
from assent.making.bundles import require_durable
from assent.ports import View
from assent.recording.appending import Recorded, record
from assent.recording.outcome import Decided
from assent.recording.reading import read_ledger
from assent.recording.versions import chosen_version, version_number
from assent.workspace import Workspace


def promote(
    workspace: Workspace,
    model: str,
    stage: str,
    *,
    version: str | None = None,
    override: bool = False,
    reason: str | None = None,
    environment: str | None = None,
) -> Decided:
    """Promote `version` (None: the newest) to `stage`, which the forge calls `environment` (None:
    as the stage). Where the base branch is back at the inputs of an older version, that one is
    meant by None.

    The stage's rules and approvals are those of the base branch, every approver's role is read
    again, and every blob of the version is verified first. Whoever let this run into the
    environment has approved the promotion, if it names the version. Never moves a stage back.
    """
    policy = workspace.binding_policy(model)
    rule = stage_rule(policy, model, stage)
    view = read_ledger(workspace, model)
    number, back = _meant(workspace, view, model, version)
    candidate = find(workspace, view, model, f"v{number}")
    require_durable(workspace, candidate.bundle, f"promoting v{number} of {model} to {stage}")
    environment = environment or stage
    move = Move(
        stage=stage,
        policy=policy,
        rule=rule,
        candidate=candidate,
        request=workspace.forge.deployment_request(environment),
        environment=environment,
        is_named=version is not None and version_number(version) is not None,
    )
    done = record(
        workspace,
        model,
        lambda view: decide_move(workspace, view, move, override=override, reason=reason),
        view=view,
    )
    show_move(workspace, view, move, done.outcome, done.entries)
    sentence = _sentence(move, done)
    return Decided(
        model=model,
        sentence=sentence if back is None else f"{sentence}; {_said(workspace, back, number)}",
        verdict=done.outcome.verdict,
        version=number,
        bundle=candidate.bundle.digest,
        stage=stage,
        entries=done.entries,
        was_so=done.outcome.stands is not None,
        clock=workspace.clock,
    )


def _meant(
    workspace: Workspace, view: View, model: str, version: str | None
) -> tuple[int, Back | None]:
    """The number of the version that is meant, and whether the base branch has gone back."""
    number = chosen_version(view, version)
    back = _gone_back(workspace, view, model, number, is_named=version is not None)
    return (number if back is None or version is not None else back.version), back


def _sentence(move: Move, done: Recorded[Moved]) -> str:
    if done.entries:
        replaced = done.entries[-1].replaces
        instead = "" if replaced is None else f", which held v{replaced}"
        return f"promoted v{move.version} to {move.stage}{instead}"
    if done.outcome.stands is not None:
        return f"{move.stage} holds v{move.version} already"
    return f"v{move.version} was not promoted to {move.stage}"


def _gone_back(
    workspace: Workspace, view: View, model: str, number: int, *, is_named: bool
) -> Back | None:
    """Whether the base branch is back at the inputs of an older version than the chosen one. Where
    Git cannot tell, that is said unless somebody named the version, and the choice stands.
    """
    if workspace.base is None:
        return None
    try:
        back = gone_back(workspace, view, model, workspace.base)
    except AssentError as error:
        branch = workspace.base_branch or "the base branch"
        if not is_named:
            workspace.say(
                f"promoting {model}: it is not known whether {branch} still has the inputs of the "
                f"newest version: {error.problem}"
            )
        return None
    return back if back is not None and number > back.version else None


def _said(workspace: Workspace, back: Back, number: int) -> str:
    sentence = back.said_of(workspace.base_branch or "the base branch")
    return sentence if number > back.version else f"{sentence} (name it to promote it all the same)"
