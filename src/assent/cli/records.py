"""How entries of the ledger look in a terminal: as a line of a timeline, and whole."""

from __future__ import annotations

from collections.abc import Iterator

from assent.cli import output
from assent.core.digest import Digest, short
from assent.core.entry import Entry, Kind, ReviewRecord
from assent.core.evidence import Run
from assent.core.history import (
    Moment,
    about_words,
    actor_words,
    approval_words,
    by_words,
    lead_words,
)
from assent.core.verdict import Outcome


def show_moment(moment: Moment, *, names_model: bool = False) -> None:
    """One entry as a line, and what a reader of the timeline must know of it below."""
    entry = moment.entry
    model = f"{entry.model}: " if names_model else ""
    head = f"{entry.at}  #{entry.seq:<4} "
    output.hanging(f"{head}{model}{moment.sentence}  by {by_words(entry)}", below=6)
    for line in _below(moment):
        output.hanging(line, first=6, below=8)


def _below(moment: Moment) -> Iterator[str]:
    entry = moment.entry
    if moment.doubt is not None:
        yield f"its date is in doubt: {moment.doubt.why}"
    if moment.against is not None:
        yield f"against the policy: entry {moment.against} overrode it"
    if entry.kind is Kind.OVERRIDDEN:
        yield f"overridden: {'; '.join(_overridden(entry)) or 'nothing that was recorded'}"
    if any(approval.is_withdrawn for approval in entry.approvals):
        yield "an approval that was taken back"
    yield from approval_words(moment)
    if moment.lead is not None:
        yield lead_words(moment.lead)
    if entry.happened is not None:
        yield f"happened: {entry.happened}"
    if entry.reason:
        yield f"{'noted' if entry.kind is Kind.NOTED else 'because'}: {entry.reason}"
    for name, value in entry.metrics.items():
        yield f"{name} = {value:.12g}"
    for name, address in entry.links.items():
        yield f"{name}: {address}"


def _overridden(entry: Entry) -> list[str]:
    """What an override went against, as it was recorded."""
    findings = () if entry.verdict is None else entry.verdict.findings
    against = (*_AGAINST,)
    return [
        f"{finding.rule} ({finding.reason})" for finding in findings if finding.outcome in against
    ]


_AGAINST = (Outcome.FAILED, Outcome.UNDECIDED, Outcome.WAITING)


def show_entry(moment: Moment, digest: Digest) -> None:
    """Everything that one entry says."""
    entry = moment.entry
    output.hanging(f"#{entry.seq} {moment.sentence}", below=2)
    output.pairs(
        [
            ("at", entry.at),
            ("by", _actor(entry)),
            *(("", line) for line in _doubts(moment)),
            ("about", _subject(entry)),
            ("bundle", entry.subject.bundle or ""),
            ("model files", entry.subject.model_digest or ""),
            ("stage", entry.stage or ""),
            ("replaces", "" if entry.replaces is None else f"v{entry.replaces}"),
            ("commit", entry.commit or ""),
            ("lead time", "" if moment.lead is None else lead_words(moment.lead)),
            ("run", _run(entry.run)),
            ("happened", entry.happened or ""),
            ("reason", entry.reason or ""),
            *((f"metric {name}", f"{value:.12g}") for name, value in entry.metrics.items()),
            *((f"link {name}", address) for name, address in entry.links.items()),
            *(("approvals", words) for words in approval_words(moment)),
            *((_review_label(entry), _review(record)) for record in entry.approvals),
            ("made by", ", ".join(map(actor_words, entry.authors))),
            ("verdict", _verdict(entry)),
            ("overridden", "; ".join(_overridden(entry)) if entry.kind is Kind.OVERRIDDEN else ""),
            ("against", _against(moment)),
            ("policy", "" if entry.verdict is None else entry.verdict.policy),
            ("evidence", "" if entry.verdict is None else entry.verdict.evidence or ""),
            ("seen in files", entry.inspection or ""),
            ("key", entry.key or ""),
            ("entry", digest),
            ("follows", entry.prev),
        ]
    )


def _doubts(moment: Moment) -> list[str]:
    return [] if moment.doubt is None else [f"this date is in doubt: {moment.doubt.why}"]


def _actor(entry: Entry) -> str:
    actor = entry.actor
    proof = {
        "forge": f"known by {actor.forge} ({actor.host})",
        "signature": "known by a signature",
        "claimed": "claimed: nobody vouches for it",
    }[actor.proof]
    return f"{actor.login}, {actor.kind} {actor.id}, {proof}"


def _subject(entry: Entry) -> str:
    return about_words(entry) or f"the model {entry.model}"


def _run(run: Run | None) -> str:
    if run is None:
        return ""
    return " ".join(filter(None, (f"{run.system} {run.id}, attempt {run.attempt}", run.address)))


def _review_label(entry: Entry) -> str:
    if entry.kind is not Kind.REJECTED:
        return "approval"
    return "objection"


def _review(record: ReviewRecord) -> str:
    resolved = record.resolved
    parts = [
        actor_words(record.person),
        f"account {record.person.id}",
        f"as {record.role}" if record.role else "",
        "" if resolved is None or resolved.id is None else f"which is {resolved.id}",
        f"at {record.at}",
        f"in {record.change}" if record.change else "",
        f"at commit {record.head}" if record.head else "",
        f"review {record.review}" if record.review else "",
        f"of {short(record.bundle)}",
        "taken back" if record.is_withdrawn else "",
    ]
    return ", ".join(filter(None, parts))


def _verdict(entry: Entry) -> str:
    if entry.verdict is None:
        return ""
    counts = [
        (sum(finding.outcome is outcome for finding in entry.verdict.findings), outcome)
        for outcome in Outcome
    ]
    told = ", ".join(f"{number} {outcome}" for number, outcome in counts if number)
    return f"{told or 'no findings'} (`assent explain --entry {entry.seq}` has them)"


def _against(moment: Moment) -> str:
    if moment.against is None:
        return ""
    return f"the policy: entry {moment.against} overrode it"
