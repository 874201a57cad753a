"""The answer to slash commands: in the words of the review, and inert whatever it names."""

from __future__ import annotations

import re
from typing import cast

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from assent.core.approval import Approvals
from assent.core.change import ReviewState
from assent.core.verdict import Finding, Outcome, Verdict
from assent.report.markdown import LIMIT
from assent.report.parts import Section
from assent.report.reply import (
    Place,
    approval_section,
    explanation_sections,
    help_section,
    problem_section,
    reply_to_markdown,
)
from tests.effort import examples

from . import samples
from .nasty import TEXTS, texts
from .rendered import page
from .test_escape import REFERENCES

TAGS = set("h3 p ul li strong code table thead tbody tr th td br".split())
APPROVALS = Approvals(required=2, of=("alice", "@acme/ml"), heard=(samples.YES, samples.NO))
YES = Place(stage=None, counts=True, why="is named by the policy")
NO = Place(stage="production", counts=False, why="is none of @acme/leads")


def approval(*places: Place, against: tuple[str, ...] = (), typed: str = "sha256:ab12") -> Section:
    return approval_section(
        "churn",
        typed,
        bundle=samples.NEW,
        head="c" * 40,
        places=places,
        against=against,
        approvals=None if against else APPROVALS,
    )


def shown(*sections: Section, has_approvals: bool = True) -> str:
    text = reply_to_markdown("bob", samples.AT, sections, has_approvals=has_approvals)
    return text.replace("\N{NO-BREAK SPACE}", " ")


def hostile(text: str) -> list[Section]:
    """Every place that a name or a sentence can come to."""
    people = tuple(
        replace(
            one, person=samples.person(text, 1), state=cast(ReviewState, text), why=text, role=text
        )
        for one in (samples.YES, samples.NO)
    )
    heard = Approvals(required=3, of=(text, "alice"), heard=people)
    finding = Finding(rule=text, outcome=Outcome.FAILED, reason=text, evidence=text, remedy=text)
    verdict = Verdict(findings=(finding,))
    return [
        replace(approval(replace(YES, why=text), replace(NO, stage=text, why=text), typed=text)),
        replace(approval(against=(text, text), typed=text), title=f"approve {text}"),
        *explanation_sections(text, samples.NEW, "c" * 40, verdict, heard),
        help_section([text, "churn"]),
        problem_section(text, text, text),
    ]


def test_an_approval_that_counts_says_for_what() -> None:
    lines = shown(approval(YES, NO)).splitlines()
    assert lines[0] == f"**Asked:** by `bob` at `{samples.AT}`"
    assert lines[2:5] == ["### approve churn", "", "✅ This approval counts."]
    assert f"`sha256:ab12` is `{samples.NEW}`, shown at `{'c' * 12}`." in lines
    assert "To register it counts: is named by the policy" in lines
    assert "To promote to `production` it does not count: is none of `@acme/leads`" in lines
    assert (
        "Approvals: 1 of 2 given · 1 more approval is needed from `alice` or `@acme/ml`." in lines
    )


def test_what_counts_for_nothing_does_not_count() -> None:
    assert "This approval does not count." in shown(approval(NO))
    assert "This approval does not count." in shown(approval())
    text = shown(approval(YES, against=("`#7` is at abc now",)))
    assert "This approval does not count." in text
    assert "it counts" not in text


def test_digits_of_nothing_stand_for_nothing() -> None:
    section = approval_section(
        "churn", "sha256:ab", bundle=None, head=None, places=(), against=("x",), approvals=None
    )
    assert "`sha256:ab` stands for no bundle that was shown here." in shown(section)


def test_what_is_not_recorded_is_said_where_there_is_an_approval() -> None:
    said = "nothing was written to the ledger"
    assert said in shown(approval(YES))
    assert said not in shown(help_section(["churn"]), has_approvals=False)


def test_an_explanation_has_the_verdict_and_the_people() -> None:
    verdict = Verdict(findings=(samples.PASS, samples.WAIT))
    sections = explanation_sections("churn", samples.NEW, "c" * 40, verdict, APPROVALS)
    lines = shown(*sections, has_approvals=False).splitlines()
    assert "⏳ Verdict: `churn` waits for 1 approval; every gate passed." in lines
    assert f"The bundle is `{samples.NEW}`, shown at `{'c' * 12}`." in lines
    assert "### Approvals of churn" in lines
    rows = [line for line in lines if line.startswith("| `")]
    assert [("✅ yes" in row, "no <br>" in row) for row in rows] == [(True, False), (False, True)]


def test_help_names_commands_and_models() -> None:
    text = shown(help_section(["churn", "fraud"]), has_approvals=False)
    assert "Models: `churn` `fraud`" in text
    assert "- `/assent approve churn DIGEST` approves" in text
    assert "and 3 more" in shown(help_section([f"m{n}" for n in range(53)]))
    assert "`/assent approve MODEL DIGEST`" in shown(help_section([]))


@pytest.mark.threat(33)
@given(text=texts)
@settings(max_examples=examples(100))
def test_a_hostile_answer_is_inert(text: str) -> None:
    seen = page(reply_to_markdown(text, text, hostile(text), has_approvals=True))
    assert set(seen.names) <= TAGS
    assert not REFERENCES.search(seen.outside)
    calm = page(reply_to_markdown("calm", "calm", hostile("calm"), has_approvals=True))
    assert [len(row) for row in seen.rows] == [len(row) for row in calm.rows]


@pytest.mark.threat(33)
@pytest.mark.parametrize("text", TEXTS)
def test_no_line_of_an_answer_is_a_command(text: str) -> None:
    answer = reply_to_markdown(text, text, hostile(text), has_approvals=True)
    assert not [line for line in answer.splitlines() if line.lstrip().startswith(("/", "@"))]


@pytest.mark.threat(36)
@pytest.mark.parametrize("text", ["|`@\n" * 25_000, "@" * 300, "x " * 200])
def test_what_is_too_long_is_left_out_with_a_count(text: str) -> None:
    sections = [section for _ in range(10) for section in hostile(text)]
    answer = reply_to_markdown(text, text, sections, has_approvals=True)
    assert len(answer.encode()) <= LIMIT
    assert answer.count("This approval does not count.") >= 2
    assert "**Record:**" in answer
    left = re.search(r"\*\*Left out:\*\* (\d+) parts, for length", answer)
    parts = len(re.findall(r"^### |^\*\*Approvals", answer, re.M))
    assert left is None or int(left[1]) + parts == len(sections)
    assert (left is None) is (parts == len(sections))
