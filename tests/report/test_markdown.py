from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from assent.core.approval import Approvals
from assent.core.diff.values import Values
from assent.core.evidence import Run
from assent.core.verdict import Verdict
from assent.report.markdown import LEAST_LIMIT, bundle_marker, marker, to_markdown
from tests.effort import examples

from . import samples
from .nasty import TEXTS, texts
from .rendered import page
from .test_escape import REFERENCES

TAGS = set(
    "h2 h3 p ul li strong code table thead tbody tr th td br details summary b hr sub a".split()
)
ADDRESS = "https://ci.example.com/report.html"


@pytest.mark.threat(33)
@given(text=texts)
@settings(max_examples=examples(150))
def test_a_hostile_review_has_the_shape_of_an_ordinary_one(text: str) -> None:
    report = samples.hostile(text)
    seen = page(to_markdown(report, full_report=ADDRESS))
    assert set(seen.names) <= TAGS
    assert {dict(attrs)["href"] for name, attrs in seen.tags if name == "a"} == {ADDRESS}
    assert not REFERENCES.search(seen.outside)
    assert seen.names.count("h2") == 1
    allowed = {"th", "td", "a"}
    assert all(not attrs for name, attrs in seen.tags if name not in allowed)
    calm = page(to_markdown(samples.hostile("calm"), full_report=ADDRESS))
    if text:  # without any, the rows of what is not known are not there
        assert [len(row) for row in seen.rows] == [len(row) for row in calm.rows]


@pytest.mark.threat(33)
@pytest.mark.parametrize("text", TEXTS)
def test_no_line_of_the_comment_is_a_command(text: str) -> None:
    lines = to_markdown(samples.hostile(text)).splitlines()
    assert not [line for line in lines if line.lstrip().startswith(("/", "@"))]


@pytest.mark.threat(34)
@given(text=texts)
@settings(max_examples=examples(100))
def test_the_marker_is_the_first_line_and_is_nowhere_else(text: str) -> None:
    report = replace(samples.hostile(text), model="churn")
    markdown = to_markdown(report)
    assert markdown.startswith("<!-- assent:model=churn -->\n<!-- assent:bundle=sha256:")
    assert markdown.count("<!-- assent:") == 2


@pytest.mark.threat(34)
@given(texts)
def test_a_marker_is_one_comment_whatever_the_name(text: str) -> None:
    if text.isprintable():
        seen = page(f"{marker(text)}\n\nx\n")
        assert len(seen.comments) == 1
        assert seen.names == ["p"]


@pytest.mark.threat(34)
def test_markers_of_two_models_differ() -> None:
    assert marker("churn") != marker("churn-2")
    assert marker("a b") != marker("a  b")
    assert bundle_marker(samples.NEW) == f"<!-- assent:bundle={samples.NEW} -->"


@pytest.mark.threat(36)
@given(
    text=texts,
    many=st.integers(min_value=1, max_value=300),
    limit=st.integers(min_value=LEAST_LIMIT, max_value=70_000),
)
@settings(max_examples=examples(60))
def test_the_limits_hold(text: str, many: int, limit: int) -> None:
    report = samples.hostile(text, many)
    markdown = to_markdown(report, limit_chars=limit, limit_bytes=limit, full_report=ADDRESS)
    assert len(markdown.encode()) <= limit
    assert set(page(markdown).names) <= TAGS


@pytest.mark.threat(36)
def test_whole_rows_go_with_a_count_and_a_link() -> None:
    report = samples.big()
    markdown = to_markdown(report, full_report=ADDRESS)
    assert 50_000 < len(markdown.encode()) <= 60_000
    seen = page(markdown)
    assert {len(row) for row in seen.rows} <= {2, 3, 4}
    hidden = 0
    for line in markdown.splitlines():
        if line.startswith("… "):
            assert line.endswith(f" more rows · [full report]({ADDRESS})")
            hidden += int(line.split()[1].replace(",", ""))
    shown = sum(
        "metric_" in row[0] or "region =" in row[0] or "layer." in row[0] for row in seen.rows
    )
    assert shown + hidden == 61_000 + 1  # the worst slice is on the first screen as well


@pytest.mark.threat(36)
def test_tables_share_the_space_fairly() -> None:
    markdown = to_markdown(samples.big())
    sizes = [
        sum(len(line.encode()) for line in markdown.splitlines() if start in line[:14])
        for start in ("| `metric_", "| `region", "| `layer")
    ]
    assert min(sizes) > 0.9 * max(sizes)


@pytest.mark.threat(36)
def test_the_verdict_what_failed_and_the_approvals_are_kept() -> None:
    failed = [replace(samples.FAIL, rule=f"metric_{n} min 0.8") for n in range(150)]
    heard = tuple(replace(samples.NO, person=samples.person(f"reviewer-{n}", n)) for n in range(60))
    report = replace(
        samples.big(),
        verdict=Verdict(findings=(*[samples.PASS] * 500, *failed)),
        approvals=Approvals(required=2, of=("alice",), heard=(*heard, samples.YES)),
        rule_changes=tuple(f"metric_{n}: min was 0.9" for n in range(20)),
    )
    markdown = to_markdown(report)
    assert len(markdown.encode()) <= 60_000
    assert "is blocked: 150 of 650 gates failed;" in markdown
    assert all(f"`metric_{n} min 0.8`" in markdown for n in range(150))
    assert all(f"`reviewer-{n}`" in markdown for n in range(60))
    assert all(f"`metric_{n}`: min was 0.9" in markdown for n in range(20))
    assert "| `alice` as `@acme/ml` |" in markdown


@pytest.mark.threat(36)
def test_texts_are_shortened_before_what_failed_is_dropped() -> None:
    long = "y" * 300
    failed = [
        replace(samples.FAIL, rule=f"gate {n}", reason=long, evidence=long, remedy=long)
        for n in range(150)
    ]
    markdown = to_markdown(samples.review(*failed))
    assert len(markdown.encode()) <= 60_000
    assert all(f"`gate {n}`" in markdown for n in range(150))


def test_a_limit_in_characters_holds_as_well() -> None:
    markdown = to_markdown(samples.big(), limit_chars=40_000, limit_bytes=1_000_000)
    assert len(markdown) <= 40_000


def test_the_comment_reads_from_verdict_to_approvals() -> None:
    markdown = to_markdown(samples.blocked(), full_report="assent-report.html")
    order = [
        "## ❌ `churn` is blocked: 1 of 3 gates failed; better in 3 and worse in 3 of 9 metrics",
        "| What decides | Before → after | Change |",
        "| `roc_auc` <br> ✅\N{NO-BREAK SPACE}passed min 0.8 | 0.8523\N{NO-BREAK SPACE}→ 0.8614 |",
        "**Look at before you approve: no gate judges it**",
        "- `brier` (not a number) is not told any more.",
        "**To decide**",
        "- `latency_ms max_rise 10%`: improve the model",
        "- 1 more approval is needed from `alice` or `@acme/ml`.",
        "### Gates",
        "- ❌\N{NO-BREAK SPACE}failed `latency_ms max_rise 10%`: rose by 30.6% · 12.1",
        "<details><summary>Gates: 1 passed</summary>",
        "### This change alters the rules",
        "<details><summary><b>Metrics:</b> 1 not a number, 3 worse",
        "| `latency_ms` | 12.1\N{NO-BREAK SPACE}→ 15.8 | ▲ +3.7 (+30.6%) **worse** |",
        "<details><summary>Slices: 4 metrics</summary>",
        "<details><summary><b>Data:</b>",
        "<details><summary><b>Model:</b>",
        "<details><summary><b>Parameters:</b>",
        "| `model.objective` | missing\N{NO-BREAK SPACE}→ `binary:logistic` |",
        "<details><summary><b>Approvals:</b>",
        "<details><summary><b>Candidate against baseline:</b>",
        "· Policy `sha256:",
    ]
    positions = [markdown.find(one) for one in order]
    assert -1 not in positions
    assert positions == sorted(positions)


def test_what_did_not_change_is_one_line() -> None:
    markdown = to_markdown(samples.unchanged())
    assert "\n**Parameters:** unchanged (3)\n" in markdown
    assert "\n**Approvals:** None are required.\n" in markdown


@pytest.mark.threat(33)
@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://x.example/a)b", "https://x.example/<b>", "a`b|c"]
)
def test_only_an_ordinary_address_becomes_a_link(address: str) -> None:
    report = replace(samples.passed(), change_address=address, repository=address)
    assert "a" not in page(to_markdown(report, full_report=address)).names


def test_the_same_review_is_the_same_comment() -> None:
    assert to_markdown(samples.blocked()) == to_markdown(samples.blocked())


def test_parameters_that_are_the_same_on_both_sides_are_not_listed() -> None:
    report = samples.review(samples.PASS, diff=samples.diff(params=Values(same=7)))
    assert "**Parameters:** unchanged (7)" in to_markdown(report)


@pytest.mark.threat(33)
def test_a_bundle_sends_nobody_out_of_the_repository() -> None:
    """It says itself where its run is."""
    here = "https://github.com/acme/churn"
    report = replace(samples.passed(), repository=here, change_address=f"{here}/pull/128")
    for address, is_linked in (
        (f"{here}/actions/runs/7", True),
        (f"{here}.evil.example/runs/7", False),
        ("https://evil.example/login", False),
    ):
        run = Run(system="github", id="7", address=address)
        evidence = replace(report.evidence, run=run)
        seen = page(to_markdown(replace(report, evidence=evidence)))
        linked = {dict(attrs)["href"] for name, attrs in seen.tags if name == "a"}
        assert (address in linked) is is_linked
        assert f"{here}/pull/128" in linked
        assert f"{here}/commit/{report.diff.candidate.code.commit}" in linked
        assert "https://github.com/alice" in linked
