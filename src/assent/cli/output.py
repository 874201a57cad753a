"""How results look in a terminal. All text that came from outside is made visible first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import click

from assent.ci.outputs import inert
from assent.cli.layout import width
from assent.core.approval import Heard
from assent.core.digest import short
from assent.core.verdict import Decision, Finding, Outcome, Verdict
from assent.recording.outcome import Decided
from assent.report import lines
from assent.report.escape import visible

_MARKS = {
    Outcome.PASSED: ("✓ passed ", "green"),
    Outcome.FAILED: ("✗ blocked", "red"),
    Outcome.UNDECIDED: ("? blocked", "red"),
    Outcome.WAITING: ("… waiting", "yellow"),
    Outcome.WARNED: ("! warning", "yellow"),
    Outcome.NOT_APPLICABLE: ("- n/a    ", "bright_black"),
}
_DECISIONS = {
    Decision.PASSED: ("PASSED", "green"),
    Decision.BLOCKED: ("BLOCKED", "red"),
    Decision.PENDING: ("WAITING FOR APPROVAL", "yellow"),
}
MANY = 12


def line(text: str = "") -> None:
    """One line of text."""
    click.echo(inert(visible(text)) if text else "")


def hanging(text: str, *, first: int = 0, below: int = 2) -> None:
    """Text that may be longer than the terminal is wide: the first line is indented by `first`, the
    others by `below`.
    """
    for part in lines.wrapped(visible(text), width(), first=" " * first, then=" " * below):
        click.echo(inert(part))


def pairs(facts: Iterable[tuple[str, str]], indent: int = 2) -> None:
    """Labels and what they label, below each other; those of nothing are left out."""
    table([(label, value) for label, value in facts if value], indent)


def table(rows: Iterable[Sequence[str]], indent: int = 2) -> None:
    """Rows below each other; what is too long for the last column goes on below it."""
    shown = [tuple(map(visible, row)) for row in rows]
    for part in lines.table(shown, width(), indent):
        click.echo(inert(part))


def aside(text: str) -> None:
    """What belongs beside the result: on standard error."""
    click.echo(inert(visible(text)), err=True)


def text(shown: str) -> None:
    """Several lines that are visible already."""
    click.echo(inert(shown))


def count(number: int, singular: str, many: str | None = None) -> str:
    """`1 file`, `2 files`, `1,000 entries`."""
    return f"{number:,} {singular if number == 1 else many or singular + 's'}"


def decision(verdict: Verdict) -> None:
    """The verdict in one word."""
    word, colour = _DECISIONS[verdict.decision]
    click.echo(click.style(word, fg=colour, bold=True))


def findings(given: Iterable[Finding], *, all_of_them: bool = False) -> None:
    """Findings, those that block first; of many that passed only the number, unless all are asked
    for.
    """
    ordered = sorted(given, key=lambda finding: list(_ORDER).index(finding.outcome))
    quiet = [
        finding
        for finding in ordered
        if finding.outcome in (Outcome.PASSED, Outcome.NOT_APPLICABLE)
    ]
    is_cut = len(quiet) > MANY and not all_of_them
    for finding in ordered:
        if finding.outcome is Outcome.PASSED and is_cut:
            continue
        mark, colour = _MARKS[finding.outcome]
        click.echo(f"  {click.style(mark, fg=colour)}  {inert(visible(finding.rule))}")
        about = "; ".join(text for text in (finding.reason, finding.evidence) if text)
        hanging(about, first=13, below=13)
        if finding.remedy:
            hanging(f"→ {finding.remedy}", first=13, below=15)
    if is_cut:
        click.echo(f"  {len(quiet)} more passed or do not apply")


_ORDER = (
    Outcome.FAILED,
    Outcome.UNDECIDED,
    Outcome.WAITING,
    Outcome.WARNED,
    Outcome.NOT_APPLICABLE,
    Outcome.PASSED,
)


def heard(people: Iterable[Heard]) -> None:
    """Who was heard, and whether it counts."""
    for review in people:
        mark, colour = ("counts", "green") if review.counts else ("does not count", "yellow")
        shown = click.style(mark, fg=colour)
        who, why = visible(review.person.login), visible(review.why)
        about = f"{who}: {review.state}, {shown}: {why}"
        for part in lines.wrapped(about, width(), first="  ", then="    "):
            click.echo(inert(part))


def decided(result: Decided) -> None:
    """What was written, or why nothing was; last what matters most."""
    for other in result.others:
        decided(other)
    line(result.sentence)
    if not result.entries and not result.was_so:
        decision(result.verdict)
        # Of a refusal, what holds is no news.
        findings(result.verdict.blocking + result.verdict.of(Outcome.WAITING))
    for entry in result.entries:
        words = "" if result.clock is None else f" at {entry.at} {result.clock.words}"
        click.echo(f"  ledger entry {entry.seq}: {entry.kind}{words}")
    if result.entries and result.bundle is not None:
        click.echo(f"  bundle {short(result.bundle)}")


def progress(label: str) -> Callable[[int], None]:
    """A counter of bytes on standard error, for a person only."""
    import sys
    import threading
    import time

    lock = threading.Lock()
    done = [0, time.monotonic()]
    is_person = sys.stderr.isatty()

    def advance(count: int) -> None:
        with lock:
            done[0] += count
            now = time.monotonic()
            if is_person and now - done[1] > 0.2:
                done[1] = now
                click.echo(f"\r{label}: {done[0] / 1e6:,.0f} MB\x1b[K\r", err=True, nl=False)

    return advance
