"""`note`: put a business event, an A/B result, an alert or an incident on the record."""

from __future__ import annotations

import math
from collections.abc import Mapping

from assent.core.clock import event_time
from assent.core.entry import Draft, Kind, Subject
from assent.core.verdict import Verdict
from assent.errors import UsageError
from assent.ports import View
from assent.recording.appending import Intent, record
from assent.recording.idempotency_keys import keyed
from assent.recording.outcome import Decided
from assent.recording.reasons import require_reason
from assent.recording.versions import chosen_version, record_of
from assent.workspace import Workspace


def note(
    workspace: Workspace,
    model: str,
    text: str,
    *,
    version: str | None = None,
    stage: str | None = None,
    links: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    happened: str | None = None,
) -> Decided:
    """Record `text` about a version, about what a stage holds, or about the model as a whole.
    `metrics` are figures that belong to it, by name. `happened` is when it took place, as people
    write it: the entry's own date is that of now. The same words again in one run of CI, or after a
    run that was cut off, are the same note.
    """
    doing = f"noting something on {model}"
    require_reason(text, doing)
    figures = {name: float(value) for name, value in (metrics or {}).items()}
    _require_finite(figures, doing)
    when = None if happened is None else _when(workspace, happened, doing)

    def decide(view: View) -> Intent[None]:
        about = Subject()
        if version is not None or stage is not None:
            known = record_of(view, model, chosen_version(view, version or stage))
            about = Subject(
                version=known.version, bundle=known.bundle, model_digest=known.model_digest
            )
        draft = Draft(
            kind=Kind.NOTED,
            at=workspace.now,
            model=model,
            subject=about,
            stage=stage,
            actor=workspace.forge.whoami(),
            run=workspace.run,
            reason=text,
            happened=when,
            links=dict(links or {}),
            metrics=figures,
        )
        return Intent(outcome=None, drafts=(draft,))

    addresses = [f"{name}={address}" for name, address in sorted((links or {}).items())]
    addresses += [f"{name}={value!r}" for name, value in sorted(figures.items())]
    with keyed(workspace, model, "note", text, version, stage, when, *addresses) as key:
        entries = record(workspace, model, decide, key=key).entries
    number = entries[0].subject.version
    return Decided(
        model=model,
        sentence="noted on " + (model if number is None else f"v{number}"),
        verdict=Verdict(findings=()),
        version=number,
        stage=stage,
        entries=entries,
        clock=workspace.clock,
    )


def _require_finite(figures: Mapping[str, float], doing: str) -> None:
    for name, value in figures.items():
        if not math.isfinite(value):
            raise UsageError(doing, f"{name} is {value}, which is no figure that can be compared")


def _when(workspace: Workspace, happened: str, doing: str) -> str:
    try:
        return event_time(happened, workspace.now)
    except ValueError as error:
        raise UsageError(doing, str(error)) from None
