"""The one description of what a reviewer is shown. Markdown and HTML both render it.

Rows are ranked and cut before any cell is made: a review of 50,000 metrics costs little more
than one of 50.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest
from itertools import islice
from math import sqrt

from msgspec import UNSET

from assent.core.approval import ANYONE, Approvals, Heard
from assent.core.diff import DataChange, FileChange, MetricChange, Side, ValueChange, Values
from assent.core.digest import Digest, hex_of, short
from assent.core.evidence import DataReference, Step
from assent.core.verdict import Decision, Finding, Outcome, Verdict
from assent.report import numbers
from assent.report.escape import shorten
from assent.report.numbers import Effect, Shown, count
from assent.report.parts import (
    Break,
    Cell,
    Column,
    Document,
    Mark,
    Move,
    Number,
    Pair,
    Part,
    Row,
    Section,
    State,
    Table,
    Text,
    Words,
    cell,
)
from assent.report.review import ReviewReport

MAX_ROWS = 2_000
_MAX_NOTES = 50
_MAX_STEPS = 3
_MAX_NAMES = 8
_MAX_RULES = 3
_STEP_LIMIT = 200
_NOTHING = Words("\N{EN DASH}")


def to_document(report: ReviewReport) -> Document:
    """Describe what the reviewer is to see."""
    sections = (
        _sides(report),
        _rule_changes(report),
        _gates(report),
        _metrics(report),
        _data(report),
        _model(report),
        _values("Parameters", "Parameter", report.diff.params),
        _environment(report),
        approvals_section(report.approvals),
    )
    notes = [*report.notes]
    if report.evidence.code.is_dirty:
        notes.append("The candidate was trained with changes that are not in its commit.")
    return Document(
        model=report.model,
        bundle=report.diff.candidate.bundle,
        mark=MARKS[report.verdict.decision],
        headline=headline(report.model, report.verdict, report.approvals),
        next_steps=next_steps(report.verdict, report.approvals),
        notes=_list("Notes", notes, limit=_MAX_NOTES),
        sections=tuple(section for section in sections if section is not None),
        footer=_footer(report),
    )


# The verdict

MARKS = {
    Decision.PASSED: Mark.PASSED,
    Decision.BLOCKED: Mark.FAILED,
    Decision.PENDING: Mark.WAITING,
}
_STATES = {
    Outcome.FAILED: State(Mark.FAILED, "failed"),
    Outcome.WAITING: State(Mark.WAITING, "waiting"),
    Outcome.PASSED: State(Mark.PASSED, "passed"),
    Outcome.NOT_APPLICABLE: State(Mark.NEUTRAL, "not applicable"),
}
_RANK_OF_OUTCOME = {outcome: rank for rank, outcome in enumerate(_STATES)}


def headline(model: str, verdict: Verdict, approvals: Approvals) -> Cell:
    """The verdict in a sentence."""
    total = len(verdict.findings)
    gates = "gate" if total == 1 else "gates"
    match verdict.decision:
        case Decision.BLOCKED if not total:
            said = "is blocked: no gate has judged it."
        case Decision.BLOCKED:
            said = f"is blocked: {len(verdict.of(Outcome.FAILED)):,} of {total:,} {gates} failed."
        case Decision.PENDING if approvals.missing:
            missing = count(approvals.missing, "approval is", "approvals are")
            said = f"waits for approval: {missing} still needed."
        case Decision.PENDING:
            waiting = len(verdict.of(Outcome.WAITING))
            said = f"waits for a decision: {waiting:,} of {total:,} {gates} not decided."
        case Decision.PASSED:
            skipped = len(verdict.of(Outcome.NOT_APPLICABLE))
            said = f"passed: {count(total - skipped, 'gate holds', 'gates hold')}"
            said += f", {skipped:,} not applicable." if skipped else "."
    return cell(model, Words(said))


def next_steps(verdict: Verdict, approvals: Approvals) -> tuple[Cell, ...]:
    """What is to be done, the most important first."""
    awaited = (_still_needed(approvals),) if approvals.missing else ()
    match verdict.decision:
        case Decision.PASSED:
            return (cell(Words("Nothing is missing. Merge when you are ready.")),)
        case Decision.PENDING:
            waiting = verdict.of(Outcome.WAITING)
            return awaited if awaited and len(waiting) == 1 else _remedies(waiting)
        case Decision.BLOCKED if not verdict.findings:
            return (cell(Words("Give the model at least one gate: nothing judged is no pass.")),)
        case Decision.BLOCKED:
            return (*_remedies(verdict.of(Outcome.FAILED)), *awaited)


def _remedies(findings: tuple[Finding, ...]) -> tuple[Cell, ...]:
    """What to do about findings: each remedy once, after the rules that it is for."""
    rules: dict[str, list[str]] = {}
    for finding in findings:
        rules.setdefault(finding.remedy or "see the reason below", []).append(finding.rule)
    steps: list[Cell] = []
    for remedy, for_rules in islice(rules.items(), _MAX_STEPS):
        named = _named(for_rules, _MAX_RULES, "and")
        steps.append((*named, Words(":"), Words(shorten(remedy, _STEP_LIMIT))))
    if len(rules) > _MAX_STEPS:
        steps.append(cell(Words(f"and {len(rules) - _MAX_STEPS:,} other remedies, below.")))
    return tuple(steps)


def _still_needed(approvals: Approvals) -> Cell:
    needed = Words(count(approvals.missing, "more approval is needed", "more approvals are needed"))
    if ANYONE in approvals.of:
        return (needed, Words("from anyone who may write to the repository."))
    if not approvals.of:
        return (needed, Words("."))
    return (needed, Words("from"), *_named(approvals.of, _MAX_NAMES, "or"), Words("."))


def _named(names: Sequence[str], most: int, conjunction: str) -> Cell:
    """Names as an enumeration, the last of which says how many are left out."""
    shown: list[Part] = [Text(name) for name in names[:most]]
    if len(names) > most:
        left = len(names) - most
        shown.append(Words(count(left, "other")))
    enumeration: list[Part] = []
    for at, one in enumerate(shown):
        if at:
            enumeration.append(Words(conjunction if at == len(shown) - 1 else ","))
        enumeration.append(one)
    return tuple(enumeration)


# Sections


def _sides(report: ReviewReport) -> Section:
    new, old = report.diff.candidate, report.diff.baseline
    rows: list[Row] = []
    for label, of_side in _SIDE_ROWS:
        cells = [of_side(side) for side in (old, new) if side is not None]
        if any(cells):
            rows.append((cell(Words(label)), *(one or cell(_NOTHING) for one in cells)))
    columns = ("", "Candidate") if old is None else ("", "Baseline", "Candidate")
    table = _table("Candidate against baseline", columns, rows)
    made = _table("How the candidate was made", ("", "Candidate"), _steps(report), fold=True)
    return Section(
        title="Candidate against baseline",
        summary=cell(Words(_relation(new, old))),
        tables=_filled(table, made),
    )


def _relation(new: Side, old: Side | None) -> str:
    if old is None:
        return "There is no baseline to compare with."
    if new.bundle == old.bundle:
        return "The candidate is the baseline: same model, same evidence."
    if new.model_digest == old.model_digest:
        return "The model files are the same; the evidence differs."
    return "The model files differ."


def _commit(side: Side) -> Cell:
    if side.code.commit is None:
        return ()
    dirty = (Words("with uncommitted changes"),) if side.code.is_dirty else ()
    return (Text(side.code.commit[:12]), *dirty)


def _run(side: Side) -> Cell:
    if side.run is None:
        return ()
    attempt = (Words(f"attempt {side.run.attempt}"),) if side.run.attempt > 1 else ()
    return (Words(side.run.system), Text(side.run.id), *attempt)


def _digits(digest: Digest) -> str:
    """Twelve digits: the kind of digest is said elsewhere, and two of them fit on a phone."""
    return hex_of(Digest(short(digest)))


_SIDE_ROWS: tuple[tuple[str, Callable[[Side], Cell]], ...] = (
    ("Version", lambda side: () if side.version is None else cell(f"v{side.version}")),
    ("Bundle", lambda side: cell(_digits(side.bundle))),
    ("Model files", lambda side: cell(_digits(side.model_digest))),
    ("Commit", _commit),
    ("Branch", lambda side: cell(side.code.branch) if side.code.branch else ()),
    ("Run", _run),
)


def _steps(report: ReviewReport) -> list[Row]:
    steps = (("Train", report.evidence.train), ("Evaluate", report.evidence.evaluate))
    rows: list[Row] = [
        (cell(Words(label)), (Text(step.command), Break(), Words(_cost(step))))
        for label, step in steps
        if step is not None
    ]
    if report.change_id or report.change_title:
        change = cell(*(part for part in (report.change_id, report.change_title) if part))
        rows.append((cell(Words("Change")), change))
    person = report.evidence.trained_by
    if person is not None:
        proof = Words(f"(identity: {person.proof})")
        rows.append((cell(Words("Started by")), (Text(person.login), proof)))
    if report.evidence.run is not None and report.evidence.run.address:
        rows.append((cell(Words("Run")), cell(report.evidence.run.address)))
    return rows


def _cost(step: Step) -> str:
    costs = [numbers.duration(step.wall_s)]
    if step.cpu_s is not None:
        costs.append(f"{numbers.duration(step.cpu_s)} of CPU")
    if step.peak_memory_bytes is not None:
        costs.append(f"{numbers.size(step.peak_memory_bytes)} of memory")
    return ", ".join(costs)


def _rule_changes(report: ReviewReport) -> Section | None:
    if not report.rule_changes:
        return None
    changed = count(len(report.rule_changes), "rule", "rules")
    return Section(
        title="This change alters the rules",
        summary=cell(
            Words(f"{changed} would change. This review applied the rules of the base branch.")
        ),
        tables=(_list("What would change", report.rule_changes),),
    )


def _gates(report: ReviewReport) -> Section:
    findings = report.verdict.findings
    if not findings:
        return Section(title="Gates", summary=cell(Words("None. Nothing was judged.")))
    first = nsmallest(MAX_ROWS, findings, key=lambda one: _RANK_OF_OUTCOME[one.outcome])
    counts = [(len(report.verdict.of(outcome)), state.word) for outcome, state in _STATES.items()]
    table = _table(
        "Gates",
        ("Result", "Gate", "Why"),
        [_finding(one) for one in first],
        total=len(findings),
        kept=sum(one.outcome is not Outcome.PASSED for one in first),
    )
    return Section(title="Gates", summary=_tally(counts), tables=(table,))


def _finding(finding: Finding) -> Row:
    why: list[Part] = [Words(finding.reason)]
    if finding.evidence:
        why += [Words("·"), Words(finding.evidence)]
    if finding.remedy and finding.outcome is not Outcome.PASSED:
        why += [Break(), Words("→"), Words(finding.remedy)]
    return ((_STATES[finding.outcome],), cell(finding.rule), tuple(why))


# Metrics

_RANK_OF_EFFECT = {effect: rank for rank, effect in enumerate(Effect)}
_Ranked = tuple[int, float, int, Effect, MetricChange]


def _metrics(report: ReviewReport) -> Section:
    metrics = report.diff.metrics
    if not metrics:
        return Section(title="Metrics", summary=cell(Words("None were measured.")))
    has_baseline = report.diff.baseline is not None
    whole: list[_Ranked] = []
    sliced: list[_Ranked] = []
    tally = dict.fromkeys(Effect, 0)
    for at, metric in enumerate(metrics):
        effect = numbers.effect(metric)
        tally[effect] += 1
        ranked = (_RANK_OF_EFFECT[effect], -abs(metric.relative or 0.0), at, effect, metric)
        (sliced if is_slice(metric.name) else whole).append(ranked)
    if has_baseline and tally[Effect.UNCHANGED] == len(metrics):
        summary = cell(Words(f"unchanged ({len(metrics):,})"))
    elif has_baseline:
        summary = _tally([(tally[effect], effect.value) for effect in Effect])
    else:
        summary = cell(Words(count(len(metrics), "metric")))
    titles = ("Metric", "Value", "Change") if has_baseline else ("Metric", "Measured")
    slices = _table(
        f"Slices: {count(len(sliced), 'metric')}",
        ("Slice", *titles),
        [_slice_row(one, has_baseline) for one in nsmallest(MAX_ROWS, sliced)],
        total=len(sliced),
        fold=True,
    )
    table = _table(
        "Metrics",
        titles,
        [_metric_row(one, has_baseline) for one in nsmallest(MAX_ROWS, whole)],
        total=len(whole),
        fold=tally[Effect.UNCHANGED] == len(metrics),
    )
    return Section(title="Metrics", summary=summary, tables=_filled(table, slices))


def is_slice(name: str) -> bool:
    """Whether a metric's name is `slices.<column>.<value>.<metric>`."""
    return name.startswith("slices.") and name.count(".") >= 3


def _metric_row(ranked: _Ranked, has_baseline: bool) -> Row:
    metric = ranked[-1]
    return (cell(metric.name), *_measured(metric, ranked[-2], has_baseline))


def _slice_row(ranked: _Ranked, has_baseline: bool) -> Row:
    metric = ranked[-1]
    _, column, rest = metric.name.split(".", 2)
    value, name = rest.rsplit(".", 1)
    return (
        cell(f"{column} = {value}"),
        cell(name),
        *_measured(metric, ranked[-2], has_baseline),
    )


def _measured(metric: MetricChange, effect: Effect, has_baseline: bool) -> tuple[Cell, ...]:
    if not has_baseline:
        return ((_part(numbers.show(metric.new)),),)
    if effect is Effect.UNCHANGED or effect is Effect.NEW:
        return (_part(numbers.show(metric.new)),), (Move(effect),)
    change, relative = metric.change, metric.relative
    move = Move(
        effect,
        arrow="" if change is None else numbers.arrow(change),
        amount="" if change is None else numbers.signed(change),
        percent="" if relative is None else numbers.percent(relative),
        bar=None if relative is None else _bar(relative),
    )
    return _both(*numbers.show_both(metric.old, metric.new)), (move,)


def _bar(relative: float) -> float:
    """The root of the change: one percent can be seen, and one hundred percent is the end."""
    length = sqrt(min(1.0, abs(relative)))
    return round(length if relative > 0 else -length, 3)


# Data, model, values


def _data(report: ReviewReport) -> Section:
    data = report.diff.data
    same = _table(
        f"Unchanged: {count(len(data.same), 'data set')}",
        ("Data set", "Source", "Content"),
        [_reference(one) for one in data.same[:MAX_ROWS]],
        total=len(data.same),
        fold=True,
    )
    if not data.changes:
        said = "unchanged" if data.same else "None was declared."
        return Section(title="Data", summary=cell(Words(said)), tables=_filled(same))
    changes = _table(
        "Data sets that differ",
        ("Data set", "Change"),
        [_data_change(one) for one in data.changes[:MAX_ROWS]],
        total=len(data.changes),
    )
    summary = f"{count(len(data.changes), 'data set differs', 'data sets differ')}"
    if report.diff.baseline is None:
        summary = count(len(data.changes), "data set")
    return Section(title="Data", summary=cell(Words(summary)), tables=_filled(changes, same))


def _reference(data: DataReference) -> Row:
    return cell(data.name), cell(data.source), _facts(data).get("content", cell(_NOTHING))


def _data_change(change: DataChange) -> Row:
    old = {} if change.old is None else _facts(change.old)
    new = {} if change.new is None else _facts(change.new)
    parts: list[Part] = []
    if change.new is None:
        parts = [Words("missing")]
    elif change.old is None:
        parts = [Words("new")]
    if change.old is not None and change.new is not None:
        old["size"], new["size"] = _data_sizes(change.old, change.new)
    for label in dict.fromkeys((*old, *new)):
        left, right = old.get(label, ()), new.get(label, ())
        if left == right:
            continue
        if parts:
            parts.append(Break())
        arrow = (Words("→"),) if left and right else ()
        parts += [Words(label), *left, *arrow, *right]
    return cell(change.name), tuple(parts)


def _facts(data: DataReference) -> dict[str, Cell]:
    facts: dict[str, Cell] = {}
    if data.rows is not None:
        facts["rows"] = (Number(f"{data.rows:,}"),)
    if data.size_bytes is not None:
        facts["size"] = (Number(numbers.size(data.size_bytes)),)
    if data.files is not None and data.files != 1:
        facts["files"] = (Number(f"{data.files:,}"),)
    content = _digits(data.digest) if data.digest else data.snapshot
    if content:
        facts["content"] = cell(content)
    facts["kind"] = cell(data.kind)
    facts["source"] = cell(data.source)
    return facts


def _data_sizes(old: DataReference, new: DataReference) -> tuple[Cell, Cell]:
    """Both sizes, with as many digits as it takes to tell them apart."""
    if old.size_bytes is None or new.size_bytes is None:
        return _facts(old).get("size", ()), _facts(new).get("size", ())
    left, right = numbers.sizes(old.size_bytes, new.size_bytes)
    return (Number(left),), (Number(right),)


def _model(report: ReviewReport) -> Section:
    diff = report.diff.model_files
    if not diff.changes:
        said = f"unchanged ({count(diff.files, 'file')}, {numbers.size(diff.new_size_bytes)})"
        return Section(title="Model", summary=cell(Words(said)))
    files = count(diff.files, "file")
    if diff.old_size_bytes is None:
        said = f"{files}, {numbers.size(diff.new_size_bytes)}"
    else:
        old, new = numbers.sizes(diff.old_size_bytes, diff.new_size_bytes)
        differs = "differs" if len(diff.changes) == 1 else "differ"
        grown = f"{old} → {new}" if old != new else new
        said = f"{files}, {len(diff.changes):,} {differs}; {grown}"
    table = _table(
        "Files that differ",
        ("File", "Size"),
        [_file_row(one) for one in diff.changes[:MAX_ROWS]],
        total=len(diff.changes),
        fold=len(diff.changes) > 5,
    )
    return Section(title="Model", summary=cell(Words(said)), tables=(table,))


def _file_row(change: FileChange) -> Row:
    old, new = change.old_size_bytes, change.new_size_bytes
    if old is UNSET or new is UNSET:
        word = "new" if old is UNSET else "missing"
        known = [numbers.size(one) for one in (old, new) if one is not UNSET]
        return cell(change.path), (Words(word), *(Number(one) for one in known))
    if old == new:
        return cell(change.path), (Number(numbers.size(new)), Words("other content"))
    left, right = numbers.sizes(old, new)
    return cell(change.path), (Pair(Number(left), Number(right)),)


def _values(title: str, column: str, values: Values) -> Section:
    if not values.changes:
        return Section(title=title, summary=cell(Words(_same(values))))
    return Section(
        title=title,
        summary=cell(Words(_differing(values))),
        tables=(_value_table(title, column, values),),
    )


def _environment(report: ReviewReport) -> Section:
    title = "Dependencies and environment"
    packages, environment = report.diff.packages, report.diff.environment
    tables = _filled(
        _value_table("Packages", "Package", packages),
        _value_table("Environment", "Property", environment),
    )
    if not tables:
        both = Values(same=packages.same + environment.same)
        return Section(title=title, summary=cell(Words(_same(both))))
    said = f"packages: {_differing(packages)}; environment: {_differing(environment)}"
    return Section(title=title, summary=cell(Words(said)), tables=tables)


def _same(values: Values) -> str:
    return f"unchanged ({values.same:,})" if values.same else "None are known."


def _differing(values: Values) -> str:
    if not values.changes:
        return "unchanged"
    tally = [0, 0, 0]
    for change in values.changes:
        tally[_presence(change)] += 1
    words = [f"{n:,} {word}" for n, word in zip(tally, _PRESENCE, strict=True) if n]
    return ", ".join([*words, f"{values.same:,} unchanged"] if values.same else words)


_PRESENCE = ("missing", "changed", "new")


def _presence(change: ValueChange) -> int:
    if change.new is UNSET:
        return 0
    return 2 if change.old is UNSET else 1


def _value_table(title: str, column: str, values: Values) -> Table:
    first = nsmallest(MAX_ROWS, values.changes, key=_presence)
    is_new = all(change.old is UNSET for change in first)
    return _table(
        title,
        (column, "Value" if is_new else "Change"),
        [_value_row(change, is_new) for change in first],
        total=len(values.changes),
        fold=len(values.changes) > 10,
    )


def _value_row(change: ValueChange, is_new: bool) -> Row:
    if is_new:
        return cell(change.name), (_part(numbers.show(change.new)),)
    return cell(change.name), _both(*numbers.show_both(change.old, change.new))


# Approvals


def approvals_section(approvals: Approvals) -> Section:
    """Who was heard, who counts and why others do not, and who is still needed."""
    if not approvals.required and not approvals.heard:
        return Section(title="Approvals", summary=cell(Words("None are required.")))
    given = Words(f"{len(approvals.counted):,} of {approvals.required:,} given")
    summary = (given, Words("·"), *_still_needed(approvals)) if approvals.missing else (given,)
    heard = sorted(approvals.heard, key=lambda one: not one.counts)
    rows: list[Row] = [_heard(one) for one in heard[:MAX_ROWS]]
    table = _table("Approvals", ("Who", "Said", "Counts"), rows, total=len(heard), kept=len(rows))
    return Section(title="Approvals", summary=summary, tables=_filled(table))


def _heard(one: Heard) -> Row:
    state = State(Mark.PASSED, "yes") if one.counts else State(Mark.NEUTRAL, "no")
    role: tuple[Part, ...] = (Words("as"), Text(one.role)) if one.role else ()
    return (
        (Text(one.person.login), *role),
        (Words(one.opinion), Break(), Number(one.at)),
        (state, Break(), Words(one.why)) if one.why else (state,),
    )


def _footer(report: ReviewReport) -> tuple[Cell, ...]:
    return (
        (Words("Candidate"), Text(short(report.diff.candidate.bundle))),
        (Words("Policy"), Text(short(report.policy))),
    )


# Shapes


def _table(
    title: str,
    columns: tuple[str, ...],
    rows: list[Row],
    total: int | None = None,
    *,
    kept: int = 0,
    fold: bool = False,
) -> Table:
    return Table(
        title=title,
        columns=tuple(Column(one, "right" if one == "Measured" else "left") for one in columns),
        rows=tuple(rows),
        total=len(rows) if total is None else total,
        kept=kept,
        is_folded=fold,
    )


def _list(title: str, lines: Iterable[str], limit: int = MAX_ROWS) -> Table:
    """Sentences as a table of one column. All are kept as long as possible."""
    all_lines = tuple(lines)
    rows: list[Row] = [(cell(Words(line)),) for line in all_lines[:limit]]
    return _table(title, (title,), rows, total=len(all_lines), kept=len(rows))


def _filled(*tables: Table) -> tuple[Table, ...]:
    return tuple(table for table in tables if table.rows)


def _tally(counts: list[tuple[int, str]]) -> Cell:
    return cell(Words(", ".join(f"{n:,} {word}" for n, word in counts if n)))


def _part(shown: Shown) -> Text | Number:
    return Text(shown.text) if shown.is_text else Number(shown.text)


def _both(old: Shown, new: Shown) -> Cell:
    return (Pair(_part(old), _part(new)),)
