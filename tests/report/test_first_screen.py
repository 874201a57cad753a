"""What a reviewer reads before anything is unfolded."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from assent.core.approval import Approvals
from assent.core.diff.metrics import MetricChange
from assent.core.diff.sameness import NotCompared
from assent.core.digest import short
from assent.core.scope import Scope
from assent.core.verdict import Finding
from assent.report.document import to_document
from assent.report.first_screen import first_section
from assent.report.html import to_html
from assent.report.markdown import to_markdown
from assent.report.numbers import MINUS
from assent.report.review import ReviewReport
from assent.report.text import to_text

from . import panel, samples
from .nasty import TEXTS
from .panel import PANEL
from .rendered import page


def shown(report: ReviewReport) -> str:
    """The comment until the first section, with plain signs."""
    text = re.split(r"\n\n(?:### |<details>|\*\*\w[\w ]*:\*\*)", to_markdown(report))[0]
    return text.replace("\N{NO-BREAK SPACE}", " ").replace(MINUS, "-").replace("\\", "")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (panel.PANEL["first"], "passed: 1 gate holds, 1 not applicable; no baseline"),
        (panel.PANEL["unchanged"], "passed: 1 gate holds; 2 metrics unchanged."),
        (
            panel.all_worse,
            "waits for 1 approval; every gate passed, but worse in 5 of 5 metrics.",
        ),
        (
            panel.collapse,
            "passed: 1 gate holds, but none of 1 metric better or worse beyond chance, "
            "recall fell in 1 class.",
        ),
        (panel.blocked_by_five, "is blocked: 5 of 6 gates failed, but better in 6 of 6 metrics."),
        (panel.new_code, "passed: 1 gate holds; 2 metrics unchanged."),
        (
            panel.crowded,
            "passed: 1 gate holds; better in 199 and worse in 8,000 of 8,200 metrics.",
        ),
        (
            panel.crowded_and_blocked,
            "is blocked: 60 of 62 gates failed; better in 199 and worse in 8,000 of 8,200 metrics.",
        ),
        (
            panel.two_missing,
            "waits for 2 approvals; every gate passed; better in 1 of 1 metric.",
        ),
        (
            panel.regression,
            "passed: 1 gate holds; none of 1 metric better or worse beyond chance.",
        ),
        (
            panel.PANEL["hostile"],
            "is blocked: 3 of 3 gates failed; none of 3 metrics better or worse beyond chance, "
            "3 changed without a verdict.",
        ),
    ],
)
def test_the_heading_says_the_verdict_and_the_quality(
    make: Callable[[], ReviewReport], said: str
) -> None:
    assert said in shown(make()).splitlines()[3]


def test_everything_worse_is_said_with_its_figures_and_by_nobody_judged() -> None:
    text = shown(panel.all_worse())
    for line in (
        "| `rmse` | 4.95 → 5.89 | ▲ +0.94 (+19.0%) **worse** (95%: +0.84 to +1.03) |",
        "| `r2` | 0.9387 → 0.9133 | ▼ -0.0254 (-2.7%) **worse** (95%: -0.0281 to -0.0219) |",
        "| worst slice `region = r3` `rmse` | 5.00 → 8.00 | ▲ +3.00 (+60.0%) **worse** "
        "(95%: +1.50 to +4.50); 3 of 3 slices worse beyond chance |",
        "- `rmse` (+19.0%), `r2` (-2.7%) are worse; no gate bounds a change of any metric.",
        "- Slice `region = r3` and 2 other slices got worse: `rmse` (+60.0%)",
        "`col_005` is gone, `col_004` moved by 0.75 deviations (severe), `cat` has values never "
        "seen (25.0% of the rows) and 1 other.",
        "- 1 more approval is needed from `grace` or `@leads`.",
    ):
        assert line in text
    order = ["| `rmse`", "**Look at", "- Slice", "- Data", "- `rmse`", "**To decide**"]
    assert sorted(order, key=text.index) == order


def test_a_class_that_collapsed_is_named_beside_a_change_that_may_be_chance() -> None:
    text = shown(panel.collapse())
    assert (
        "0.9100 → 0.9080 | ▼ -0.0020 (-0.2%) changed (95%: -0.0120 to +0.0080, may be chance)"
        in text
    )
    assert "| worst class `cat` (60 rows): recall | 0.92 → 0.03 | ▼ -0.89 **worse** |" in text
    assert "- Recall fell in class `cat` (92% → 3%)." in text
    assert "dog" not in text


def test_of_many_deciding_metrics_those_that_fell_are_shown() -> None:
    report = panel.blocked_by_five()
    metrics = [*report.diff.metrics[:5], panel.sure("m5", 0.6, 0.5, (-0.2, -0.05))]
    report = replace(report, diff=replace(report.diff, metrics=tuple(metrics)))
    names = [row[0][0] for row in to_document(report).figures.rows]
    assert [getattr(one, "text", "") for one in names] == ["m5", "m0", "m1", "m2"]


def test_what_the_gates_say_stands_beside_their_metric() -> None:
    assert "| `latency_ms` <br> ❌ failed `max_rise` 10% | 12.1 → 15.8 |" in shown(
        samples.blocked()
    )


def test_new_code_and_another_major_version_are_for_a_person() -> None:
    text = shown(panel.new_code())
    assert "- Loading the model newly imports `os.system`." in text
    assert "- `scikit-learn` `1.5.2` → `2.0.0` has another major version." in text
    assert "rich" not in text


def test_at_most_five_are_named_and_the_others_are_counted() -> None:
    report = panel.all_worse()
    code = panel.new_code().diff
    diff = replace(report.diff, model_files=code.model_files, packages=code.packages)
    kinds = tuple(replace(diff.data.changes[0], name=name) for name in ("train", "a", "b"))
    report = replace(report, diff=replace(diff, data=replace(diff.data, changes=kinds)))
    table = to_document(report).look_at
    assert (len(table.rows), table.total) == (5, 7)
    assert "… 2 more rows" in shown(report)


@pytest.mark.parametrize(
    ("scope", "gone"),
    [
        (Scope(deciding=("rmse",), bounded=("rmse", "r2")), "are worse"),
        (Scope(slices=True), "- Slice"),
        (Scope(bounded_slices=("slices.region.r3.rmse",)), "region = r3` and 2 other slices"),
        (Scope(columns=(("train", "col_005", "schema"),)), "is gone"),
        (Scope(columns=(("train", "cat", "new categories"),)), "never seen"),
        (Scope(columns=(("train", "col_004", "drift"),)), "moved by"),
    ],
)
def test_what_a_gate_judges_is_not_left_to_the_eye(scope: Scope, gone: str) -> None:
    report = panel.all_worse()
    assert gone in shown(report)
    assert gone not in shown(replace(report, scope=scope))


def test_imports_that_a_gate_judges_are_not_named_again() -> None:
    report = replace(panel.new_code(), scope=Scope(imports=True))
    assert "os.system" not in shown(report)


def test_a_deciding_figure_says_why_it_says_nothing() -> None:
    moved = samples.metric("ece", 0.02, 0.05, "lower")
    silent = replace(moved, no_interval="chance alone makes it larger")
    apart = replace(moved, not_compared=NotCompared(reason="the labels are others"))
    for one, said, heading in (
        (
            silent,
            "changed (no interval: chance alone makes it larger)",
            "; 1 changed without a verdict.",
        ),
        (apart, "not compared: the labels are others", "; 1 not compared."),
    ):
        scope, diff = Scope(deciding=("ece",)), panel.compared(metrics=(one,))
        text = shown(samples.review(samples.PASS, scope=scope, diff=diff))
        assert said in text
        assert heading in text


def test_costs_are_no_quality_of_the_model() -> None:
    cost = samples.metric("cost.train.wall_s", 1.0, 9.0, "lower")
    better = panel.sure("auc", 0.8, 0.9, (0.05, 0.15))
    text = shown(samples.review(samples.PASS, diff=panel.compared(metrics=(cost, better))))
    assert "better in 1 of 1 metric." in text
    assert "cost" not in text


def test_a_slice_that_is_gone_is_seen_before_anything_else() -> None:
    gone = MetricChange(name="slices.region.north.auc", old=0.9, better="higher")
    text = shown(samples.review(samples.PASS, diff=panel.compared(metrics=(gone,))))
    assert "- Slices `region.north` are gone, or next to without rows." in text
    assert ", but 1 missing or not a number." in text


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ((samples.WAIT,), "waits for 1 approval;"),
        ((samples.PASS, samples.WAIT), "waits for 1 approval; every gate passed;"),
        (
            (samples.PASS, samples.WAIT, samples.WAIT),
            "waits for 1 approval; of the gates 1 passed, 1 not decided;",
        ),
    ],
)
def test_beside_an_approval_it_says_what_the_gates_say(
    findings: tuple[Finding, ...], said: str
) -> None:
    approvals = Approvals(required=1, of=("alice",))
    assert said in shown(samples.review(*findings, approvals=approvals))


@pytest.mark.parametrize("name", PANEL)
def test_all_renderings_say_the_same(name: str) -> None:
    report = PANEL[name]()
    text = to_text([first_section(report)])
    assert text.startswith("What decides: ")
    document = to_document(report)
    rows = [*document.figures.rows, *document.look_at.rows]
    for row in rows:
        for part in (part for cell in row for part in cell):
            if hasattr(part, "text"):
                assert part.text in text
    assert (document.look_at.title in to_html(report)) is bool(document.look_at.rows)


@pytest.mark.parametrize("name", PANEL)
def test_it_is_short(name: str) -> None:
    """Two screens of a phone are about 1,900 characters of comment."""
    assert len(shown(PANEL[name]())) < 1_900


@pytest.mark.threat(33)
@pytest.mark.parametrize("text", TEXTS)
def test_hostile_names_are_code_on_the_first_screen(text: str) -> None:
    report = panel.all_worse()
    metrics = tuple(replace(one, name=f"{text}{at}") for at, one in enumerate(report.diff.metrics))
    changes = tuple(
        replace(one, name=text, columns=tuple(replace(c, name=text) for c in one.columns))
        for one in report.diff.data.changes
    )
    diff = replace(report.diff, metrics=metrics, data=replace(report.diff.data, changes=changes))
    scope = Scope(deciding=(f"{text}0", f"{text}1"))
    seen = page(to_markdown(replace(report, diff=diff, scope=scope)))
    calm = page(to_markdown(panel.all_worse()))
    assert set(seen.names) <= {*calm.names, "details", "summary"}


def test_what_nobody_can_call_better_or_worse_is_not_called_neither() -> None:
    same = samples.metric("accuracy", 0.9, 0.9, "higher")
    moved = samples.metric("wobble", 0.8, 0.1, None)
    error = samples.metric("acc_stderr,none", 0.8, 0.1, None)
    text = shown(samples.review(samples.PASS, diff=panel.compared(metrics=(same, moved, error))))
    assert (
        "none of 1 metric better or worse beyond chance, 1 changed without a verdict."
        in text.splitlines()[3]
    )


def test_a_metric_that_is_gone_is_not_called_worse() -> None:
    gone = MetricChange(name="f1", old=0.8, better="higher")
    worse = samples.metric("auc", 0.9, 0.8, "higher")
    for metrics, said in (
        ((gone,), "- `f1` (missing) is not told any more."),
        ((gone, worse), "- `f1` (missing), `auc` (-11.1%) are worse or not told any more."),
    ):
        assert said in shown(samples.review(samples.PASS, diff=panel.compared(metrics=metrics)))


def test_a_gate_that_stopped_one_metric_hides_none_whose_name_begins_alike() -> None:
    worse = samples.metric("f1", 0.9, 0.8, "higher")
    failed = replace(samples.FAIL, rule="f1 score min 0.8", metric="f1 score")
    text = shown(samples.review(failed, diff=panel.compared(metrics=(worse,))))
    assert "- `f1` (-11.1%) is worse" in text


def test_a_gate_on_one_slice_hides_no_other() -> None:
    metrics = tuple(
        MetricChange(name=f"slices.region.{one}.auc", old=0.9, better="higher")
        for one in ("north", "south")
    )
    scope = Scope(bounded_slices=("slices.region.south.auc",))
    text = shown(samples.review(samples.PASS, scope=scope, diff=panel.compared(metrics=metrics)))
    assert "- Slices `region.north` are gone" in text


def test_two_approvals_that_are_missing_are_asked_for_by_name_and_how() -> None:
    text = shown(panel.two_missing())
    for line in (
        "[`#128`](https://github.com/acme/churn/pull/128) · by `bob`",
        "| `auc` | 0.8000 → 0.8500 | ▲ +0.0500 (+6.2%) better (95%: +0.0200 to +0.0800) |",
        "- 2 more approvals are needed from `grace` or `@acme/ml`.",
        "- To approve, approve this change, or comment `/assent approve churn "
        f"{short(samples.NEW)}`.",
        "- `bob` made this: what its authors approve does not count.",
    ):
        assert line in text
    assert "@bob" not in text


def test_a_regression_that_may_be_chance_says_so_with_its_figures() -> None:
    text = shown(panel.regression())
    interval = "(95%: -0.070 to +0.140, may be chance)"
    assert f"| `mae` | 2.000 → 2.040 | ▲ +0.040 (+2.0%) changed {interval} |" in text
    assert "**Look at" not in text  # a gate bounds it
    assert "- Nothing is missing. Merge when you are ready." in text


def test_of_everything_at_once_the_first_screen_is_as_short_as_ever() -> None:
    markdown = to_markdown(panel.crowded_and_blocked())
    text = shown(panel.crowded_and_blocked())
    assert "- Data `train`: `c0` moved by 0.75 deviations (severe), " in text
    assert "and 117 others." in text
    assert "- Slice `region = r0` and 39 other slices got worse: `m0` (-2.0%)" in text
    assert text.count("- Something to note") == 5
    assert "<details><summary>Notes: 25 others</summary>" in markdown
    assert "<details><summary>Gates: 55 failed, 1 waiting</summary>" in markdown
    assert "30 rules would change." in markdown
    assert "<details><summary>What would change: 25 others</summary>" in markdown
    assert markdown.index("### Gates") < markdown.index("### This change alters the rules")
    assert markdown.index("### This change") < markdown.index("<b>Metrics:</b>")
    assert markdown.index("<b>Metrics:</b>") < markdown.index("<b>Candidate against baseline:</b>")


@pytest.mark.parametrize("name", PANEL)
def test_one_style_for_numbers(name: str) -> None:
    """A value, its change and its interval have as many decimals as each other."""
    calm = to_markdown(PANEL[name]()).replace("\N{NO-BREAK SPACE}", " ")
    for match in _FIGURES.finditer(calm):
        decimals = {len(figure.partition(".")[2]) for figure in match.groups() if figure}
        assert len(decimals) == 1, match.group()


_NUMBER = r"[-+\N{MINUS SIGN}]?([\d,.]*\d)"
_FIGURES = re.compile(
    rf"{_NUMBER} → {_NUMBER} \|? ?[▲▼] {_NUMBER}(?: \(\S+%\))? \**\w+\**"
    rf"(?: \(95%: {_NUMBER} to {_NUMBER})?"
)
