"""`timeline`: every decision, newest first, and what stood when."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

import msgspec

from assent.core.entry import Entry, Kind
from assent.core.history import (
    History,
    LeadTime,
    Moment,
    Query,
    Selected,
    instant,
    last_until,
    lead_times,
    people_called,
    select,
    state_after,
)
from assent.core.identity import Actor, PersonKey
from assent.core.nearest import meant
from assent.core.registry import State
from assent.errors import AssentError, ExitCode, UsageError
from assent.ports import View
from assent.recording.commit_dates import commit_dates
from assent.recording.reading import read_entries, read_ledger
from assent.recording.versions import chosen_version
from assent.workspace import Workspace


class ModelTimeline(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one model: `total` entries there are, `matching` of them were asked for, and
    the chain was verified from entry `verified_from` to the newest one. `doubtful` are entries that
    dates left out which cannot be right. `standing` is the state at the moment that was asked for,
    after entry `standing_seq`. `problem` says why it cannot be read.
    """

    model: str
    total: int = 0
    matching: int = 0
    verified_from: int = 0
    doubtful: tuple[int, ...] = ()
    standing: State | None = None
    problem: str | None = None
    hint: str | None = None


class TimelineResult(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entries that were asked for, newest first, of all `models` together. `at` is the
    moment whose standing was asked for. `people` are those whom the name that was given has meant:
    more than one are more than one account. `leads` are the times from commit to each stage of the
    promotions that are shown. `code` is that of the first model that cannot be read.
    """

    models: tuple[ModelTimeline, ...]
    moments: tuple[Moment, ...]
    at: str | None = None
    people: tuple[Actor, ...] = ()
    leads: tuple[LeadTime, ...] = ()
    code: int = ExitCode.DONE

    @property
    def exit_code(self) -> int:
        """0, or the exit code of what went wrong with one of the models."""
        return self.code


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of every model, as people write it: `at`, `since` and `until` are days, times
    or how long ago; `by` is a login or an id.
    """

    at: str | None = None
    since: str | None = None
    until: str | None = None
    by: str | None = None
    stages: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    version: str | None = None

    @property
    def is_of_all(self) -> bool:
        """Whether the newest entries are the answer."""
        return self == Asked()


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one model answers."""

    model: ModelTimeline
    moments: tuple[Moment, ...] = ()
    people: dict[PersonKey, Actor] = {}
    stages: tuple[str, ...] = ()
    logins: frozenset[str] = frozenset()
    doubted: frozenset[int] = frozenset()


def timeline(
    workspace: Workspace,
    models: Sequence[str],
    asked: Asked | None = None,
    *,
    limit: int | None = 50,
) -> TimelineResult:
    """The newest `limit` entries (None: all) of `models` that are `asked` for, and with `at` who
    stood where then. Dates are compared with one another, and with this machine's clock.

    One model that cannot be read does not hide the others. Raises `UsageError` for a stage or a
    person that none of them knows: nothing found must not be taken for nothing done.
    """
    asked = asked or Asked()
    query = _query(workspace, asked)
    answers: list[_Answer] = []
    code: int = ExitCode.DONE
    for model in models:
        try:
            answers.append(_answer(workspace, model, asked, query, limit))
        except UsageError:
            raise
        except AssentError as error:
            if len(models) == 1:
                raise
            code = code or error.exit_code
            broken = ModelTimeline(model=model, problem=str(error), hint=error.hint)
            answers.append(_Answer(model=broken))
    if code == ExitCode.DONE:  # else nobody knows what those would have known
        _require_known(workspace, asked, answers)
    dated = heapq.merge(
        *(_dated(answer) for answer in answers), key=lambda pair: pair[0], reverse=True
    )
    shown = tuple(moment for _, moment in dated)[:limit]
    people = {key: actor for answer in answers for key, actor in answer.people.items()}
    return TimelineResult(
        models=tuple(answer.model for answer in answers),
        moments=shown,
        at=query.until if asked.at is not None else None,
        people=tuple(people.values()),
        leads=lead_times(reversed(shown)),
        code=code,
    )


def _dated(answer: _Answer) -> list[tuple[str, Moment]]:
    """What one model answers, newest first, each with the date that it has among those of others.
    Order is the number of the entry: one that is dated before others that came first has theirs.
    """
    latest, dated = "", list[tuple[str, Moment]]()
    for moment in reversed(answer.moments):
        if moment.entry.seq not in answer.doubted:
            latest = max(latest, moment.entry.at)
        dated.append((max(latest, moment.entry.at), moment))
    return dated[::-1]


def _query(workspace: Workspace, asked: Asked) -> Query:
    """What is asked for of every model alike."""
    if asked.at is not None and (asked.since is not None or asked.until is not None):
        problem = "--at asks what stood at one moment, --since and --until for a span of time"
        raise UsageError("reading the timeline", problem, hint="give one or the other")
    until = asked.until if asked.at is None else asked.at
    now = workspace.machine_now
    try:
        return Query(
            kinds=frozenset(asked.kinds),
            stages=frozenset(asked.stages),
            since=None if asked.since is None else instant(asked.since, now),
            until=None if until is None else instant(until, now, end=True),
        )
    except ValueError as error:
        raise UsageError("reading the timeline", str(error)) from None


def _answer(
    workspace: Workspace, model: str, asked: Asked, query: Query, limit: int | None
) -> _Answer:
    view = read_ledger(workspace, model, alone=True)
    total = view.state.seq + 1
    # One more than is shown: an override stands before what it is for.
    start = max(0, total - limit - 1) if limit is not None and asked.is_of_all else 0
    entries = read_entries(view, start)
    if start and any(not entry.required and entry.approvals for entry in entries[1:]):
        start, entries = 0, read_entries(view)  # to say what those approvals were
    history = History(entries, workspace.machine_now)
    people = {} if asked.by is None else people_called(entries, asked.by)
    seq = total - 1
    if asked.at is not None:
        seq = last_until(entries, query.until or "", history.doubted)
        entries, query = entries[: seq + 1], msgspec.structs.replace(query, until=None)
    selected = _selected(view, entries, asked, query, people, history.doubted)
    newest = selected.entries if limit is None else selected.entries[-limit:]
    history = history.with_dates(commit_dates(workspace, history.commits(newest)))
    return _Answer(
        model=ModelTimeline(
            model=model,
            total=total,
            matching=total if asked.is_of_all else len(selected.entries),
            verified_from=start,
            doubtful=selected.doubtful,
            standing=None if asked.at is None else state_after(model, entries, seq),
        ),
        moments=tuple(history.moment(entry) for entry in reversed(newest)),
        people=people,
        stages=tuple(dict.fromkeys(entry.stage for entry in history.entries if entry.stage)),
        logins=_logins(history.entries) if asked.by is not None else frozenset(),
        doubted=frozenset(history.doubted),
    )


def _selected(
    view: View,
    entries: Sequence[Entry],
    asked: Asked,
    query: Query,
    people: dict[PersonKey, Actor],
    doubted: Collection[int],
) -> Selected:
    """Those that are asked for of this model."""
    bundle = None
    if asked.version is not None:
        bundle = view.bundle_of(chosen_version(view, asked.version))
    keys = None if asked.by is None else frozenset(people)
    return select(
        entries, msgspec.structs.replace(query, bundle=bundle, people=keys), frozenset(doubted)
    )


def _require_known(workspace: Workspace, asked: Asked, answers: Sequence[_Answer]) -> None:
    """Raise `UsageError` for a stage or a person that no model which was read knows."""
    doing = "reading the timeline"
    known = {stage for answer in answers for stage in answer.stages}
    for answer in answers:
        policy = workspace.config.policies.get(answer.model.model)
        known |= set() if policy is None else {*policy.stages}
    for stage in asked.stages:
        if stage not in known:
            names = ", ".join(sorted(known)) or "none"
            problem = f"there is no stage {stage!r}, and never was{meant(stage, known)}"
            raise UsageError(doing, problem, hint=f"there are: {names}")
    if asked.by is not None and not any(answer.people for answer in answers):
        logins = {login for answer in answers for login in answer.logins}
        problem = f"nobody called {asked.by!r} has acted or approved{meant(asked.by, logins)}"
        raise UsageError(doing, problem, hint="give a login or an id, as the timeline shows it")


def _logins(entries: Sequence[Entry]) -> frozenset[str]:
    actors = {entry.actor.login for entry in entries}
    return frozenset(
        actors | {approval.person.login for entry in entries for approval in entry.approvals}
    )
