"""`retire`: say that a version must not be promoted any more."""

from __future__ import annotations

from assent.core.entry import Draft, Kind, Subject
from assent.core.verdict import Finding, Outcome, Verdict
from assent.ports import View
from assent.recording.appending import read_ledger, record
from assent.recording.outcome import Decided
from assent.recording.versions import record_of
from assent.verbs.promote import chosen_version
from assent.verbs.rollback import require_reason
from assent.workspace import Workspace


def retire(workspace: Workspace, model: str, version: str, *, reason: str) -> Decided:
    """Retire a version, with a reason. One that a stage holds cannot be retired."""
    require_reason(reason, f"retiring {version} of {model}")
    view = read_ledger(workspace, model)
    number = chosen_version(view, version)
    verdicts: list[Verdict] = []
    was_so: list[bool] = []

    def decide(view: View) -> list[Draft]:
        known = record_of(view, model, number)
        was_so[:] = [known.retired]
        stages = [name for name, held in view.state.stages.items() if held.version == number]
        verdicts[:] = [Verdict(findings=(_unused(number, stages),))]
        if known.retired or stages:
            return []
        return [
            Draft(
                kind=Kind.RETIRED,
                at=workspace.now,
                model=model,
                subject=Subject(
                    version=number, bundle=known.bundle, model_digest=known.model_digest
                ),
                actor=workspace.forge.whoami(),
                run=workspace.run,
                reason=reason,
            )
        ]

    _, entries = record(workspace, model, decide, view=view)
    sentence = f"retired v{number}" if entries else f"v{number} was not retired"
    return Decided(
        model=model,
        sentence=f"v{number} is retired already" if was_so[0] else sentence,
        verdict=verdicts[0],
        version=number,
        entries=entries,
        clock=workspace.clock,
        was_so=was_so[0],
    )


def _unused(number: int, stages: list[str]) -> Finding:
    where = ", ".join(stages)
    return Finding(
        rule="a version that a stage holds is not retired",
        outcome=Outcome.FAILED if stages else Outcome.PASSED,
        reason=f"v{number} is in {where}" if stages else "no stage holds it",
        remedy="promote another version, roll back or clear the stage first" if stages else "",
    )
