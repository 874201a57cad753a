"""`clear`: let a stage hold nothing. No earlier version returns by itself."""

from __future__ import annotations

from assent.core.entry import Draft, Kind, Subject
from assent.core.verdict import Verdict
from assent.errors import UsageError
from assent.ports import View
from assent.recording.appending import Intent, record
from assent.recording.idempotency_keys import keyed
from assent.recording.outcome import Decided
from assent.recording.reasons import require_reason
from assent.workspace import Workspace


def clear(workspace: Workspace, model: str, stage: str, *, reason: str) -> Decided:
    """Take the version out of `stage`, with a reason. A stage that holds nothing stays so."""
    require_reason(reason, f"clearing {stage} of {model}")

    def decide(view: View) -> Intent[None]:
        held = view.state.stages.get(stage)
        if held is None:
            stages = workspace.config.policies[model].stages
            if stage not in stages:
                raise UsageError(
                    f"clearing {stage} of {model}",
                    "there is no stage of this name",
                    hint=f"there is {', '.join(stages) or 'none'}",
                )
            return Intent(outcome=None)
        draft = Draft(
            kind=Kind.CLEARED,
            at=workspace.now,
            model=model,
            subject=Subject(
                version=held.version, bundle=held.bundle, model_digest=held.model_digest
            ),
            stage=stage,
            replaces=held.version,
            actor=workspace.forge.whoami(),
            run=workspace.run,
            reason=reason,
        )
        return Intent(outcome=None, drafts=(draft,))

    with keyed(workspace, model, "clear", stage, reason) as key:
        entries = record(workspace, model, decide, key=key).entries
    return Decided(
        model=model,
        sentence=f"cleared {stage}, which held v{entries[0].replaces}"
        if entries
        else f"{stage} holds nothing",
        verdict=Verdict(findings=()),
        stage=stage,
        entries=entries,
        clock=workspace.clock,
        was_so=not entries,
    )
