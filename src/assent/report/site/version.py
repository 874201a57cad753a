"""The page of a version: what was decided on it, by whom, on which evidence, and what it is made
of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from shlex import quote

import msgspec
from markupsafe import Markup

from assent.core.diff.metrics import Better, slice_of
from assent.core.entry import Entry, Kind
from assent.core.evidence import Environment, Evidence, Step
from assent.core.scalar import Scalar
from assent.report import numbers
from assent.report.escape import shorten, visible
from assent.report.numbers import count, duration, size
from assent.report.site import pen
from assent.report.site.addresses import of_model
from assent.report.site.bodies import rows_markup
from assent.report.site.bounds import bounds_in, metric_in
from assent.report.site.events import EVENT_COLUMNS, event_row
from assent.report.site.filling import fill
from assent.report.site.history import Struct, VersionHistory
from assent.report.site.pages import Page, page
from assent.report.site.parts import Content, Section, Table
from assent.report.site.pen import Pen
from assent.report.site.tabs import crumbs, tabs
from assent.report.site.told import Facts
from assent.report.site.voices import is_review, voices

MAX_ROWS = 300
_NOTICES = 20
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class VersionTold(Struct, frozen=True, kw_only=True):
    """A version with what was read of it. `earlier` and `later` are the versions beside it,
    `data_since` the first version that was made of the same content of a data set. `better` is
    which way is better of each metric of which that is known.
    """

    model: str
    history: VersionHistory
    facts: Facts
    doubts: Mapping[int, str]
    earlier: int | None
    later: int | None
    data_since: Mapping[str, int]
    better: Mapping[str, Better] = {}

    @property
    def given(self) -> list[object]:
        """All that pages of the version are made of. For what its bundle holds the digest stands:
        it was verified.
        """
        history = self.history
        return [
            *(self.model, history.number, history.entries, self.doubts, self.facts.problem),
            *(self.earlier, self.later, self.data_since, self.better),
            [[stay.stage, stay.since.seq, stay.until and stay.until.seq] for stay in history.stays],
        ]


def version_page(told: VersionTold) -> Page:
    """The page."""
    path = of_model(told.model, f"v{told.history.number}")
    return page(path, told.given, lambda: _content(told, Pen(path)))


def _content(told: VersionTold, pen_: Pen) -> Content:
    history, evidence = told.history, told.facts.evidence
    name = f"v{history.number}"
    return Content(
        title=f"{told.model} {name}",
        heading=fill("%s %s %s", pen_.model(told.model), name, _standing(history)),
        crumbs=crumbs(pen_, told.model),
        tone=_tone(history),
        facts=tuple(_facts(told, pen_)),
        notices=tuple(_notices(told, pen_)),
        tabs=tabs(told.model, ""),
        sections=tuple(
            section
            for section in (
                _gates(history.registered, evidence, pen_),
                _approvals(told, pen_),
                _events(told, pen_),
                *(() if evidence is None else _of_evidence(told, evidence, pen_)),
                _files(told),
                *_later_gates(history, evidence, pen_),
                _commands(told),
            )
            if section is not None
        ),
        footer=(fill("Bundle %s", pen.digest(history.bundle)),),
    )


def _standing(history: VersionHistory) -> Markup:
    chips = [pen.chip(stay.stage, "passed") for stay in history.holding]
    if history.last(Kind.PURGED) is not None:
        chips.append(pen.chip("purged"))
    elif history.last(Kind.RETIRED) is not None:
        chips.append(pen.chip("retired"))
    if history.last(Kind.OVERRIDDEN) is not None:
        chips.append(pen.chip("policy overridden", "waiting"))
    return pen.joined(chips, pen.SPACE)


def _tone(history: VersionHistory) -> str:
    if history.last(Kind.OVERRIDDEN) is not None:
        return "waiting"
    return "passed" if history.holding else "calm"


def _facts(told: VersionTold, pen_: Pen) -> Iterator[tuple[str | Markup, Markup]]:
    history, registered = told.history, told.history.registered
    yield (
        "Registered",
        fill(
            "%s by %s (%s)",
            pen.when(registered.at),
            pen_.person(registered.actor),
            pen_.entry(told.model, registered.seq),
        ),
    )
    for stay in history.holding:
        yield (
            fill("In %s", pen.bdi(stay.stage, 60)),
            fill("since %s by %s", pen.when(stay.since.at), pen_.person(stay.since.actor)),
        )
    yield "Bundle", pen.code(history.bundle)
    model_digest = registered.subject.model_digest
    if model_digest is not None:
        yield "Served files", pen.code(model_digest)
    beside = []
    if told.earlier is not None:
        beside.append(pen_.version(told.model, told.earlier))
        compare = f"{of_model(told.model, 'compare')}#v{told.earlier}-v{history.number}"
        beside.append(pen_.to(compare, f"compare with v{told.earlier}"))
    if told.later is not None:
        beside.append(pen_.version(told.model, told.later))
    if beside:
        yield "Beside it", pen.joined(beside, pen.DOT)


def _notices(told: VersionTold, pen_: Pen) -> Iterator[Markup]:
    purged = told.history.last(Kind.PURGED)
    if purged is not None:
        yield (
            fill(
                "Its bytes were taken away on purpose by entry %s: %s",
                pen_.entry(told.model, purged.seq),
                pen.words(purged.reason or "no reason is given"),
            )
        )
    if told.facts.problem:
        yield (
            fill(
                "What it is made of and how it was measured is not shown here: %s",
                pen.words(told.facts.problem),
            )
        )
    evidence = told.facts.evidence
    if evidence is None:
        return
    if evidence.code.is_dirty:
        yield Markup("It was trained with changes that are not in its commit.")
    for problem in evidence.problems[:_NOTICES]:
        yield fill("%s could not be read: %s", pen.code(problem.source), pen.words(problem.problem))
    left = len(evidence.problems) - _NOTICES
    if left > 0:
        yield fill("%s could not be read as well", f"{left:,} more")


def _gates(entry: Entry, evidence: Evidence | None, pen_: Pen, title: str = "") -> Section | None:
    """The findings of one decision, with the figure that each was on where the evidence has it."""
    title = title or "Gates as they stood when it was registered"
    verdict = entry.verdict
    if verdict is None:
        return Section(title=title, summary="the ledger has no verdict of it")
    metrics = {} if evidence is None else evidence.metrics
    rows = []
    for finding in verdict.findings[:MAX_ROWS]:
        metric = metric_in(finding.rule, metrics)
        figure = pen.NOTHING
        if finding.evidence:
            figure = pen.labelled("measured", pen.words(finding.evidence))
        elif metric is not None:
            figure = pen.labelled("measured", pen.value(metrics[metric]))
        rows.append(
            [pen.words(finding.rule), pen.state(finding.outcome), pen.words(finding.reason), figure]
        )
    return Section(
        title=title,
        summary=fill(
            "entry %s, by the policy %s",
            pen_.entry(entry.model, entry.seq),
            pen.digest(verdict.policy),
        ),
        table=Table(
            title=title,
            columns=("Rule", "Outcome", "Why", "Measured"),
            is_stacked=True,
            rows=rows,
            right=frozenset({3}),
            left=len(verdict.findings) - len(rows),
            where=f"entry {entry.seq} of the ledger",
        ),
        is_folded=entry.kind is not Kind.REGISTERED,
    )


def _later_gates(
    history: VersionHistory, evidence: Evidence | None, pen_: Pen
) -> Iterator[Section | None]:
    for entry in history.entries:
        if entry.verdict is not None and entry.kind is not Kind.REGISTERED:
            where = f" to {visible(shorten(entry.stage, 60))}" if entry.stage else ""
            kind = entry.kind.value.replace("_", " ")
            yield _gates(entry, evidence, pen_, f"Rules as they stood: {kind}{where}, #{entry.seq}")


def _approvals(told: VersionTold, pen_: Pen) -> Section:
    rows = []
    for voice in voices(told.history.entries):
        record, entry = voice.record, voice.entry
        what = fill("bundle %s", pen.digest(record.bundle))
        if entry.stage is not None and not is_review(entry):
            what += fill(" for %s", pen.code(entry.stage))
        where = [pen.code(record.change)] if record.change else []
        where += [pen.commit(record.head)] if record.head else []
        rows.append(
            [
                pen_.person(record.person),
                pen.chip(voice.word, "passed" if voice.is_approval else "failed"),
                what,
                pen.when(record.at),
                pen.code(record.role) if record.role else pen.NOTHING,
                pen.joined(where, pen.AT) if where else pen.NOTHING,
                pen_.entry(told.model, entry.seq),
            ]
        )
    title = "Approvals"
    if not rows:
        return Section(title=title, summary="no entry of the ledger holds one")
    return Section(
        title=title,
        summary=f"{len(rows):,}; each is of the bundle whose digest stands there",
        table=Table(
            title=title,
            columns=("Who", "Said", "Of what", "When", "As", "Where", "Entry"),
            is_stacked=True,
            rows=rows[:MAX_ROWS],
            left=max(0, len(rows) - MAX_ROWS),
            where="the ledger",
        ),
    )


def _events(told: VersionTold, pen_: Pen) -> Section:
    rows = [
        event_row(entry, told.doubts.get(entry.seq), pen_)
        for entry in reversed(told.history.entries[-MAX_ROWS:])
    ]
    return Section(
        title="What happened",
        summary="newest first",
        table=Table(
            title="What happened",
            columns=EVENT_COLUMNS,
            is_stacked=True,
            rows=rows,
            left=len(told.history.entries) - len(rows),
            where="the timeline",
        ),
    )


def _of_evidence(told: VersionTold, evidence: Evidence, pen_: Pen) -> Iterator[Section | None]:
    yield _metrics(told.history.registered, evidence)
    yield _data(told, evidence, pen_)
    yield _code(evidence, pen_)
    yield _values("Parameters", "Parameter", evidence.params)
    yield _environment(evidence)


def _metrics(entry: Entry, evidence: Evidence) -> Section:
    bounds: dict[str, list[str]] = {}
    for bound in bounds_in(() if entry.verdict is None else entry.verdict.findings):
        bounds.setdefault(bound.metric, []).append(f"{bound.side} {numbers.number(bound.limit)}")
    names = ranked(evidence.metrics, bounds)
    rows = [
        [
            pen.code(name),
            pen.value(evidence.metrics[name]),
            pen.figure(", ".join(bounds[name])) if name in bounds else pen.NOTHING,
        ]
        for name in names[:MAX_ROWS]
    ]
    return Section(
        title="Metrics",
        summary=count(len(names), "metric"),
        table=Table(
            title="Metrics",
            columns=("Metric", "Value", "Bound"),
            rows=rows,
            right=frozenset({1}),
            left=len(names) - len(rows),
            where="the evidence of the bundle",
        )
        if rows
        else None,
    )


def ranked(metrics: Mapping[str, Scalar], gated: Mapping[str, object]) -> list[str]:
    """The names of metrics: those that a gate bounds first, in its order, then of the whole."""
    first = [name for name in gated if name in metrics]
    rest = sorted(metrics.keys() - gated.keys())
    others = sorted(rest, key=lambda name: slice_of(name) is not None)
    return [*first, *others]


def _data(told: VersionTold, evidence: Evidence, pen_: Pen) -> Section | None:
    if not evidence.data:
        return Section(title="Data", summary="no data set is declared")
    rows = []
    for reference in evidence.data[:MAX_ROWS]:
        since = told.data_since.get(reference.name)
        content = reference.digest or reference.snapshot
        lineage = pen.NOTHING
        if since is not None and since != told.history.number:
            lineage = fill("as since %s", pen_.version(told.model, since))
        elif since is not None:
            lineage = Markup("new here")
        rows.append(
            [
                pen.code(reference.name),
                pen.code(reference.source),
                pen.NOTHING if content is None else pen.digest(content),
                pen.NOTHING
                if reference.rows is None
                else pen.labelled("rows", pen.tally(reference.rows)),
                pen.figure("" if reference.size_bytes is None else size(reference.size_bytes)),
                lineage,
            ]
        )
    return Section(
        title="Data",
        summary=count(len(evidence.data), "data set"),
        lines=tuple(
            fill(
                "%s and %s share %s of %s rows",
                pen.code(overlap.first),
                pen.code(overlap.second),
                f"{overlap.rows:,}",
                f"{overlap.of:,}",
            )
            for overlap in evidence.overlaps
        ),
        table=Table(
            title="Data",
            columns=("Data set", "Source", "Content", "Rows", "Size", "Lineage"),
            is_stacked=True,
            rows=rows,
            right=frozenset({3, 4}),
            left=len(evidence.data) - len(rows),
            where="the evidence of the bundle",
        ),
    )


def _code(evidence: Evidence, pen_: Pen) -> Section:
    code = evidence.code
    rows: list[list[Markup]] = []

    def tell(what: str, value: Markup) -> None:
        rows.append([fill("%s", what), value])

    if code.commit is not None:
        tell("Commit", pen.code(code.commit))
    if code.branch is not None:
        tell("Branch", pen.code(code.branch))
    if code.authors:
        tell("Authors", pen.listed([pen_.person(author) for author in code.authors]))
    if evidence.trained_by is not None:
        tell("Made by", pen_.person(evidence.trained_by))
    if evidence.run is not None:
        tell("Run", pen.run(evidence.run))
    for title, step in (("Training", evidence.train), ("Evaluation", evidence.evaluate)):
        if step is not None:
            tell(title, _step(step))
    if evidence.reused:
        tell("Reused", pen.words(evidence.reused))
    for title, paths in (
        ("Changed besides", code.changed),
        ("Not proven to be of this run", evidence.unproven),
        ("Not what their pointers say", evidence.estranged),
        ("Left by an earlier run", evidence.leftovers),
    ):
        if paths:
            tell(title, pen.listed([pen.code(path) for path in paths], 10))
    tell("Inputs", fill("%s, %s", pen.digest(evidence.inputs_digest), _inputs(evidence)))
    title = "Code and provenance"
    return Section(
        title=title,
        summary="no commit is known" if code.commit is None else "",
        table=Table(title=title, columns=("What", "Recorded"), rows=rows),
    )


def _inputs(evidence: Evidence) -> str:
    return count(len(evidence.inputs), "file of the repository", "files of the repository")


def _step(step: Step) -> Markup:
    parts = [pen.code(step.command), fill("in %s", duration(step.wall_s))]
    if step.peak_memory_bytes is not None:
        parts.append(fill("with %s of memory", size(step.peak_memory_bytes)))
    return pen.joined(parts, pen.SPACE)


def _values(title: str, column: str, values: Mapping[str, Scalar]) -> Section | None:
    if not values:
        return None
    rows = [[pen.code(name), pen.value(values[name])] for name in list(values)[:MAX_ROWS]]
    return Section(
        title=title,
        summary=f"{len(values):,}",
        table=Table(
            title=title,
            columns=(column, "Value"),
            rows=rows,
            right=frozenset({1}),
            left=len(values) - len(rows),
            where="the evidence of the bundle",
        ),
        is_folded=True,
    )


def environment_values(environment: Environment) -> dict[str, Scalar]:
    """Where the commands ran, by name."""
    gpus = environment.gpus
    return {
        "python": environment.python,
        "platform": environment.platform,
        "machine": environment.machine,
        "cpu": environment.cpu,
        "cpu_count": environment.cpu_count,
        "memory": None if environment.memory_bytes is None else size(environment.memory_bytes),
        "gpus": None if gpus is None else ", ".join(gpus) or "none",
        "cuda": environment.cuda,
        "driver": environment.driver,
    }


def _environment(evidence: Evidence) -> Section:
    return _environment_of(msgspec.json.encode(evidence.environment))


@lru_cache(100)
def _environment_of(encoded: bytes) -> Section:
    """The same for all versions that were made in one environment: it has hundreds of packages."""
    environment = msgspec.json.decode(encoded, type=Environment)
    values = {k: v for k, v in environment_values(environment).items() if v not in (None, "")}
    rows = [[fill("%s", name), pen.value(value)] for name, value in values.items()]
    packages = environment.packages
    rows += [[pen.code(name), pen.value(packages[name])] for name in list(packages)[:MAX_ROWS]]
    gap = "" if environment.packages_gap is None else f"; packages: {environment.packages_gap}"
    table = Table(
        title="Environment",
        columns=("What", "Value"),
        rows=rows,
        left=max(0, len(packages) - MAX_ROWS),
        where="the evidence of the bundle",
    )
    return Section(
        title="Environment",
        summary=count(len(packages), "package") + gap,
        table=msgspec.structs.replace(table, made=rows_markup(table)),
        is_folded=True,
    )


def _files(told: VersionTold) -> Section | None:
    bundle = told.facts.bundle
    if bundle is None:
        return None
    rows = [
        [
            pen.code(file.path),
            pen.figure(size(file.size_bytes)),
            pen.digest(file.digest),
        ]
        for file in bundle.files[:MAX_ROWS]
    ]
    return Section(
        title="Files",
        summary=f"{count(len(bundle.files), 'file')}, {size(bundle.size_bytes)}",
        table=Table(
            title="Files",
            columns=("File", "Size", "Content"),
            rows=rows,
            right=frozenset({1}),
            left=len(bundle.files) - len(rows),
            where="the manifest of the bundle",
        ),
    )


def _commands(told: VersionTold) -> Section:
    """What a person types to have the same again. What came from outside is quoted for a shell, and
    a commit stands there only if it is one.
    """
    model, number = quote(told.model), told.history.number
    evidence = told.facts.evidence
    commands = []
    if told.history.last(Kind.PURGED) is None:
        commands.append(f"assent pull v{number} --model {model} --to v{number}/   # the same bytes")
    commit = None if evidence is None else evidence.code.commit
    if commit is not None and _COMMIT.fullmatch(commit):
        commands += [
            f"git checkout {commit}",
            f"assent train {model} --force   # training again, from the same revision",
        ]
    commands.append(f"assent verify {model}   # the ledger and the store, every byte")
    return Section(title="Have it again", commands=tuple(commands), anchor="reproduce")
