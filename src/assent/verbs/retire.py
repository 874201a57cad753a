"""`retire`: say that a version must not be promoted any more, or take its bytes away for good."""

from __future__ import annotations

import msgspec

from assent.core.digest import Digest
from assent.core.entry import Draft, Kind, Subject, decode_entry
from assent.core.registry import fold
from assent.core.verdict import Finding, Outcome, Verdict
from assent.keeping.purging import survey, take_away
from assent.ports import View
from assent.recording.appending import Intent, record
from assent.recording.outcome import Decided
from assent.recording.reading import read_ledger
from assent.recording.reasons import require_reason
from assent.recording.versions import chosen_version, record_of
from assent.workspace import Workspace


def retire(
    workspace: Workspace, model: str, version: str, *, reason: str, purge: bool = False
) -> Decided:
    """Retire a version, with a reason. One that a stage holds cannot be retired.

    With `purge`, its bytes are taken away as well, but for those that other bundles need; the
    ledger says so for ever. Where that was cut off, it is done again.
    """
    require_reason(reason, f"retiring {version} of {model}")
    view = read_ledger(workspace, model)
    number = chosen_version(view, version)

    def decide(view: View) -> Intent[_Retiring]:
        known = record_of(view, model, number)
        stages = [name for name, held in view.state.stages.items() if held.version == number]
        verdict = Verdict(findings=(_unused(number, stages),))
        was_so = known.purged is not None or (known.retired and not purge)
        outcome = _Retiring(verdict=verdict, was_so=was_so, bundle=known.bundle)
        if was_so or stages:
            return Intent(outcome=outcome)
        draft = Draft(
            kind=Kind.PURGED if purge else Kind.RETIRED,
            at=workspace.now,
            model=model,
            subject=Subject(version=number, bundle=known.bundle, model_digest=known.model_digest),
            actor=workspace.forge.whoami(),
            run=workspace.run,
            reason=reason,
        )
        return Intent(outcome=outcome, drafts=(draft,))

    contents = survey(workspace.store) if purge else None
    done = record(workspace, model, decide, view=view)
    retiring, entries = done.outcome, done.entries
    word = "purged" if purge else "retired"
    sentence = f"{word} v{number}" if entries else f"v{number} was not {word}"
    if retiring.was_so:
        sentence = f"v{number} is {word} already"
    if contents is not None and (entries or retiring.was_so):
        inspections = _inspections(done.view, retiring.bundle)
        taken = take_away(workspace, model, retiring.bundle, contents, inspections)
        sentence = f"{sentence}; {taken}"
    return Decided(
        model=model,
        sentence=sentence,
        verdict=retiring.verdict,
        version=number,
        entries=entries,
        clock=workspace.clock,
        was_so=retiring.was_so,
    )


class _Retiring(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the version may be retired, and whether it is already."""

    verdict: Verdict
    was_so: bool
    bundle: Digest


def _inspections(view: View, bundle: Digest) -> list[Digest]:
    """What the ledger names as said of the files of a bundle, and of no other that has bytes."""
    records = fold(view.state.model, view.entries()).records
    own, others = set[Digest](), set[Digest]()
    for entry in map(decode_entry, view.entries()):
        named = entry.subject.bundle
        if entry.inspection is None or named is None:
            continue
        if named == bundle:
            own.add(entry.inspection)
        elif named not in records or records[named].purged is None:
            others.add(entry.inspection)
    return sorted(own - others)


def _unused(number: int, stages: list[str]) -> Finding:
    where = ", ".join(stages)
    return Finding(
        rule="a version that a stage holds is not retired",
        outcome=Outcome.FAILED if stages else Outcome.PASSED,
        reason=f"v{number} is in {where}" if stages else "no stage holds it",
        remedy="promote another version, roll back or clear the stage first" if stages else "",
    )
