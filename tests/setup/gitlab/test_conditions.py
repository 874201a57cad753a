"""Conditions of GitLab's rules: what is said to be known is what the tool says, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.setup.gitlab.conditions import Answer, Unknown, Value, holds
from tests.templates.harness import Pipeline
from tests.templates.teams import repository

TEXTS = {"A": "main", "B": "main", "C": "release-1", "D": ""}
KNOWN: dict[str, Value] = {**TEXTS, "E": None, "SET": Unknown(is_set=True)}
CONDITIONS = {
    '$A == "main"': True,
    "$A == 'other'": False,
    "$A == $B": True,
    "$A != $B": False,
    "$A": True,
    "$D": False,
    "$E": False,
    "$E == null": True,
    "$A == null": False,
    "$A != null": True,
    '$D == ""': True,
    '$E == ""': False,
    "$D == null": False,
    "$A && $C": True,
    "$A && $E": False,
    "$E || $C": True,
    "$E && $A || $C": True,
    "$E && ($A || $C)": False,
    '($A == "main") && ($C != "x")': True,
    '$A == "main" && $C == "x" || $E': False,
    "$C =~ /^release-/": True,
    "$C =~ /^RELEASE-/": False,
    "$C =~ /^RELEASE-/i": True,
    "$C =~ /release/": True,
    "$C =~ /ease-1$/": True,
    "$C =~ /^release$/": False,
    "$C !~ /^release-/": False,
    "$A !~ /^release-/": True,
    "$E =~ /x/": False,
    '"main" == $A': True,
}
UNKNOWN = [
    *("$X", '$X == "a"', "$X != null", "$A && $X", "$E || $X", "$X =~ /a/", "$C =~ /^rel.*/"),
    *("$SET == $A", '$SET == "a"', "$SET =~ /a/", "$C =~ $A", '$A == "x$B"'),
    *(
        "",
        "(",
        "$A ==",
        "$A == (",
        "&& $A",
        "$A $B",
        "!$A",
        "$A = 1",
        ")",
        "(" * 200 + "$A",
        "`$A`",
    ),
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_is_known(condition: str) -> None:
    assert holds(condition, KNOWN) is Answer.of(CONDITIONS[condition])


def test_what_is_known_is_what_the_tool_says(tmp_path: Path) -> None:
    jobs = {
        f"job{at}": {"script": ["true"], "rules": [{"if": condition}]}
        for at, condition in enumerate(CONDITIONS)
    }
    always = {"script": ["true"]}
    folder = repository(tmp_path / "team", {".gitlab-ci.yml": "a: {script: [x]}\n"})
    listed = Pipeline(folder, TEXTS, unset=("E",)).listing({**jobs, "always": always})
    said = {condition: f"job{at}" in listed for at, condition in enumerate(CONDITIONS)}
    assert said == CONDITIONS


@pytest.mark.parametrize("condition", UNKNOWN)
def test_what_is_not_known(condition: str) -> None:
    assert holds(condition, KNOWN) is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("$A || $X", Answer.YES),
        ("$E && $X", Answer.NO),
        ("$SET", Answer.YES),
        ("$SET == null", Answer.NO),
        ('$SET != ""', Answer.YES),
    ],
)
def test_what_is_known_whatever_the_rest_is(condition: str, answer: Answer) -> None:
    assert holds(condition, KNOWN) is answer


@given(st.text(alphabet="$AEX =!~&|()\"'/nul^.*", max_size=40))
def test_whatever_is_written_has_an_answer(condition: str) -> None:
    assert holds(condition, KNOWN) in Answer


@given(st.sampled_from(sorted(CONDITIONS)), st.sampled_from(["A", "B", "C", "D", "E"]))
def test_to_know_less_changes_no_answer(condition: str, forgotten: str) -> None:
    less = {name: value for name, value in KNOWN.items() if name != forgotten}
    assert holds(condition, less) in (holds(condition, KNOWN), Answer.UNKNOWN)


def test_a_condition_of_any_length_ends() -> None:
    assert holds("$A && " * 100_000 + "$A", KNOWN) is Answer.UNKNOWN
    assert holds("(" * 9_000, KNOWN) is Answer.UNKNOWN
