"""What a comment has below its first screen."""

from __future__ import annotations

import msgspec
import pytest

from assent.core.comment_layout import CommentLayout, Topic
from assent.report.markdown import to_markdown
from assent.report.review import ReviewReport

from . import panel, samples


def lines(report: ReviewReport, **layout: object) -> list[str]:
    """The lines that name a section, in order."""
    chosen = msgspec.convert(layout, CommentLayout)
    text = to_markdown(report, layout=chosen).replace("</b>", "").replace("**", "")
    names = [line.partition("<b>")[2] or line for line in text.splitlines()]
    titles = ("Metrics", "Data", "Model", "Approvals", "Gates", "### ", "Unchanged", "Candidate a")
    return [name.split(":")[0] for name in names if name.startswith(titles)]


def test_sections_are_those_that_were_chosen_in_that_order() -> None:
    report = samples.passed()
    assert lines(report, sections=["data", "metrics"]) == ["Data", "Metrics"]
    assert "Candidate against baseline" in lines(report)


@pytest.mark.threat(12)
def test_what_failed_and_what_alters_the_rules_is_there_whatever_is_chosen() -> None:
    shown = lines(samples.blocked(), sections=["data"])
    assert shown == ["### Gates", "### This change alters the rules", "Data"]


def test_quiet_puts_what_is_the_same_into_one_line() -> None:
    text = to_markdown(samples.unchanged(), layout=CommentLayout(quiet="unchanged"))
    assert "\nUnchanged: Metrics, Model, Parameters.\n" in text
    assert "**Parameters:**" not in text
    assert "**Data:** None was declared." in text  # nobody has looked at any
    text = to_markdown(panel.all_worse(), layout=CommentLayout(quiet="unchanged"))
    assert "Unchanged:" not in text


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"sections": []}, "length"),
        ({"sections": ["digests"]}, "digests"),
        ({"sections": ["data", "data"]}, "names one twice"),
        ({"quiet": "always"}, "always"),
    ],
)
def test_a_layout_that_says_nothing_is_refused(given: object, problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        msgspec.convert(given, CommentLayout)


def test_every_section_has_a_place_in_the_docs() -> None:
    assert set(CommentLayout().sections) == set(Topic)


@pytest.mark.threat(33)
def test_nobody_is_called_unless_the_policy_says_so() -> None:
    report = panel.two_missing()
    assert "from `grace` or `@acme/ml`." in to_markdown(report)
    called = to_markdown(msgspec.structs.replace(report, notify=True))
    assert "from @grace or @acme/ml." in called
    assert called.count("@grace") == 1


@pytest.mark.threat(33)
@pytest.mark.parametrize(
    "who", ["codeowners", "*", "id:12", "a@b.example", "x y", "<b>", "@a/../b"]
)
def test_only_what_is_a_name_is_called(who: str) -> None:
    report = panel.two_missing()
    approvals = msgspec.structs.replace(report.approvals, of=(who,))
    report = msgspec.structs.replace(report, notify=True, approvals=approvals)
    assert f"from @{who.removeprefix('@')}" not in to_markdown(report)
