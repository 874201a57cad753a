"""`promote`: let a stage hold a version. The bytes stay where they are; a pointer moves."""

from __future__ import annotations

from assent.errors import AssentError
from assent.judging.promotion import Move, decide_move, show_move, stage_rule
from assent.judging.reverted import Back, gone_back
from assent.making.bundle_lookup import find
from assent.making.bundles import require_durable
from assent.ports import View
from assent.recording.appending import record
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
    number = chosen_version(view, version)
    back = _gone_back(workspace, view, model, number, is_named=version is not None)
    if back is not None and version is None:
        number = back.version
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
    moved, entries = done.outcome, done.entries
    show_move(workspace, view, move, moved, entries)
    sentence = f"v{number} was not promoted to {stage}"
    if entries:
        replaced = entries[-1].replaces
        instead = "" if replaced is None else f", which held v{replaced}"
        sentence = f"promoted v{number} to {stage}{instead}"
    elif moved.stands is not None:
        sentence = f"{stage} holds v{number} already"
    return Decided(
        model=model,
        sentence=sentence if back is None else f"{sentence}; {_said(workspace, back, number)}",
        verdict=moved.verdict,
        version=number,
        bundle=candidate.bundle.digest,
        stage=stage,
        entries=entries,
        was_so=moved.stands is not None,
        clock=workspace.clock,
    )


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
    said = back.said_of(workspace.base_branch or "the base branch")
    return said if number > back.version else f"{said} (name it to promote it all the same)"
