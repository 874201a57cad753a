"""Legal histories of one model, and the registry kept the simple way to compare with."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from assent.core.entry import Draft, Kind
from assent.core.registry import Registry, State, extend, rfc3339, touched
from tests.builders import approved, draft, person, promoted, registered, subject

STAGES = ("staging", "production")
START = datetime(2026, 1, 2, tzinfo=UTC)


def at(seconds: int) -> str:
    return rfc3339(START + timedelta(seconds=seconds))


class Notebook:
    """The registry as a person with a pencil would keep it: no digests, no records, no chain."""

    def __init__(self) -> None:
        self.versions = 0
        self.retired: set[int] = set()
        self.stages: dict[str, int] = {}
        self.opinions: dict[str, dict[str, Kind]] = defaultdict(dict)
        self.visits: dict[tuple[str, int], list[tuple[int, int | None]]] = defaultdict(list)

    def moves(self) -> list[Draft]:
        """Everything that is legal now."""
        moves = [registered(self.versions + 1), draft(Kind.NOTED)]
        for number in range(1, self.versions + 2):
            moves += [approved(f"b{number}", "bob"), approved(f"b{number}", "carol")]
            moves += [rejected(f"b{number}", "bob")]
        alive = [n for n in range(1, self.versions + 1) if n not in self.retired]
        for number in alive:
            about = subject(f"b{number}", number)
            if number not in self.stages.values():
                moves.append(draft(Kind.RETIRED, about))
            for stage in STAGES:
                held = self.stages.get(stage)
                if held != number:
                    moves.append(promoted(number, stage, held))
                if held != number and (stage, number) in self.visits:
                    moves.append(rolled_back(number, stage, held))
        moves += [cleared(stage, held) for stage, held in self.stages.items()]
        return moves

    def write(self, entry: Draft, seconds: int) -> None:
        stage, number, name = entry.stage or "", entry.subject.version or 0, _name(entry)
        match entry.kind:
            case Kind.REGISTERED:
                self.versions += 1
            case Kind.RETIRED:
                self.retired.add(number)
            case Kind.APPROVED | Kind.REJECTED:
                self.opinions[name][entry.approvals[0].person.login] = entry.kind
            case Kind.CLEARED:
                self._leave(stage, seconds)
            case Kind.PROMOTED | Kind.ROLLED_BACK:
                self._leave(stage, seconds)
                self.stages[stage] = number
                self.visits[stage, number].append((seconds, None))

    def spent_s(self, stage: str, number: int, now: int) -> int:
        visits = self.visits[stage, number]
        return sum(max(0, (now if left is None else left) - came) for came, left in visits)

    def _leave(self, stage: str, seconds: int) -> None:
        if stage in self.stages:
            visits = self.visits[stage, self.stages.pop(stage)]
            visits[-1] = (visits[-1][0], seconds)


def rejected(name: str, by: str) -> Draft:
    yes = approved(name, by)
    return draft(Kind.REJECTED, yes.subject, approvals=yes.approvals)


def cleared(stage: str, held: int) -> Draft:
    return draft(Kind.CLEARED, subject(f"b{held}", held), stage=stage, replaces=held)


def rolled_back(number: int, stage: str, held: int | None) -> Draft:
    about = subject(f"b{number}", number)
    return draft(Kind.ROLLED_BACK, about, stage=stage, replaces=held, actor=person("dora"))


@st.composite
def histories(draw: st.DrawFn, least: int = 0) -> list[tuple[Draft, int]]:
    """Legal drafts with their time in seconds; the clock may stand still or go backwards."""
    notebook = Notebook()
    history: list[tuple[Draft, int]] = []
    for _ in range(draw(st.integers(least, 25))):
        moves = notebook.moves()
        kind = draw(st.sampled_from(sorted({move.kind for move in moves})))
        move = draw(st.sampled_from([move for move in moves if move.kind is kind]))
        seconds = draw(st.integers(0, 10_000))
        history.append((dated(move, seconds), seconds))
        notebook.write(move, seconds)
    return history


def dated(move: Draft, seconds: int) -> Draft:
    fields = {name: getattr(move, name) for name in move.__struct_fields__}
    return Draft(**{**fields, "at": at(seconds)})


def append(registry: Registry, entries: list[Draft]) -> tuple[Registry, list[bytes]]:
    """One batch more, written as a ledger does: with no other records than those touched."""
    wanted = {bundle for entry in entries for bundle in touched(registry.state, entry)}
    state = registry.state
    for entry in entries:  # a stage may come to hold another bundle within the batch
        wanted |= {held.bundle for held in state.stages.values() if entry.stage is not None}
    known = {bundle: registry.records[bundle] for bundle in wanted & registry.records.keys()}
    steps = list(extend(state, known, registry.head, entries))
    records, versions = dict(registry.records), dict(registry.versions)
    for step in steps:
        records |= step.records
        if step.entry.kind is Kind.REGISTERED and step.entry.subject.bundle is not None:
            versions[step.state.versions] = step.entry.subject.bundle
    last = steps[-1]
    grown = Registry(state=last.state, records=records, versions=versions, head=last.digest)
    return grown, [step.content for step in steps]


def written(entries: list[Draft]) -> list[bytes]:
    """The bytes of a ledger with these entries."""
    return append(EMPTY, entries)[1] if entries else []


EMPTY = Registry(state=State(model="churn"), records={}, versions={})


def _name(entry: Draft) -> str:
    return next(
        (f"b{n}" for n in range(1, 40) if subject(f"b{n}").bundle == entry.subject.bundle), ""
    )
