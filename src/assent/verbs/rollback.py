"""`rollback`: go back to a version that the stage held before, as one recorded step."""

from __future__ import annotations

from assent.core.entry import Entry
from assent.core.verdict import Verdict
from assent.errors import UsageError
from assent.judging.promotion import Move, Moved, decide_move, show_move, stage_rule
from assent.making.bundle_lookup import find
from assent.making.bundles import require_durable
from assent.ports import View
from assent.recording import deployments
from assent.recording.appending import record
from assent.recording.idempotency_keys import Key, keyed
from assent.recording.outcome import Decided
from assent.recording.pointers import point_all
from assent.recording.reading import read_ledger
from assent.recording.reasons import require_reason
from assent.recording.versions import version_number
from assent.workspace import Workspace


def rollback(
    workspace: Workspace,
    model: str,
    stage: str,
    *,
    reason: str | None,
    to: str | None = None,
    environment: str | None = None,
) -> Decided:
    """Let `stage` hold the version `to` again (None: the one it held before the current one). The
    forge calls the stage `environment` (None: as the stage).

    Only a version that the stage has held, and that is not retired, can return. The reason is
    recorded; in CI, where a forge may let nobody type one, it is by whom and where the button was
    pressed. Every blob of the version is verified first.
    """
    policy = workspace.binding_policy(model)
    rule = stage_rule(policy, model, stage)
    reason = _reason(workspace, reason, f"rolling back {stage} of {model}")
    view = read_ledger(workspace, model)
    with keyed(workspace, model, "rollback", stage, to, reason) as key:
        if key.is_repeated:
            earlier = key.written(view)
            if earlier:
                return _again(workspace, view, earlier, environment or stage)
        target = _target(view, stage, to)
        candidate = find(workspace, view, model, f"v{target}")
        doing = f"rolling back {stage} of {model} to v{target}"
        require_durable(workspace, candidate.bundle, doing)
        environment = environment or stage
        move = Move(
            stage=stage,
            policy=policy,
            rule=rule,
            candidate=candidate,
            request=workspace.forge.deployment_request(environment),
            environment=environment,
            is_back=True,
        )
        return _moved(workspace, view, move, reason, key)


def _again(
    workspace: Workspace, view: View, entries: tuple[Entry, ...], environment: str
) -> Decided:
    """What an earlier run that was cut off has written. Going back from there once more would be
    going back by two.
    """
    [entry] = entries
    workspace.require_trusted(f"rolling back {entry.stage} of {entry.model}")
    point_all(workspace, entry.model, entries)
    deployments.show(workspace, view, entry, environment)
    return Decided(
        model=entry.model,
        sentence=f"{_sentence(entry)} (an earlier run has recorded it)",
        verdict=Verdict(findings=()),
        version=entry.subject.version,
        bundle=entry.subject.bundle,
        stage=entry.stage,
        entries=entries,
    )


def _sentence(entry: Entry) -> str:
    return f"rolled {entry.stage} back to v{entry.subject.version} from v{entry.replaces}"


def _moved(workspace: Workspace, view: View, move: Move, reason: str, key: Key) -> Decided:
    done = record(
        workspace,
        move.model,
        lambda view: decide_move(workspace, view, move, reason=reason),
        view=view,
        key=key,
    )
    moved, entries = done.last or Moved(verdict=Verdict(findings=())), done.entries
    show_move(workspace, view, move, moved, entries)
    sentence = f"{move.stage} was not rolled back"
    if entries:
        sentence = _sentence(entries[-1])
    elif moved.stands is not None:
        sentence = f"{move.stage} holds v{move.version} already"
    return Decided(
        model=move.model,
        sentence=sentence,
        verdict=moved.verdict,
        version=move.version,
        bundle=move.candidate.bundle.digest,
        stage=move.stage,
        entries=entries,
        clock=workspace.clock,
        was_so=moved.stands is not None,
    )


def _reason(workspace: Workspace, given: str | None, doing: str) -> str:
    """The reason, or what the forge knows of the button: who, and the run that it is of."""
    if given is not None and given.strip():
        return given
    run = workspace.run
    if not workspace.is_in_forge_ci or run is None:
        require_reason(given or "", doing)
    assert run is not None  # else the reason was required
    where = run.address or f"run {run.id}"
    return f"no reason was given; {workspace.forge.whoami().login} pressed the button of {where}"


def _target(view: View, stage: str, to: str | None) -> int:
    doing = f"choosing where to go back to in {stage}"
    if to is not None:
        number = version_number(to)
        if number is None:
            raise UsageError(doing, f"{to!r} is no version", hint="write --to v11")
        return number
    held = view.state.stages.get(stage)
    if held is None or held.previous is None:
        before = "nothing" if held is None else f"nothing before v{held.version}"
        raise UsageError(
            doing, f"it held {before}", hint="name a version it has held with --to, or clear it"
        )
    return held.previous
