"""What is written for the runner says what was meant, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.ci.outputs import (
    annotation,
    inert,
    inert_json,
    new_token,
    output_text,
    resume,
    stop,
    write_outputs,
    write_summary,
)
from assent.errors import OutsideError
from tests.ci import runner

pytestmark = pytest.mark.threat(37)

NASTY = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *("\n", "\r", "\r\n", "::", "##[", "]", " ", "%0A", "%", ":", ",", "=", "<<", "#"),
                *("error", "set-env", "add-mask", "set-output name=verdict", "verdict", "\u2028"),
            ]
        ),
        st.text(max_size=3),
    ),
    max_size=12,
).map("".join)


def test_the_reader_of_these_tests_knows_commands() -> None:
    """Or what follows would prove nothing."""
    assert runner.commands("x\n  ::set-env name=A::b\n::nothing::c") == [("set-env", "b")]
    assert runner.commands("text ##[add-mask]b") == [("add-mask", "b")]
    assert runner.commands("::stop-commands::t\n::error::a\n::t::\n::error::b") == [("error", "b")]
    assert runner.outputs("a=1\nb<<X\n2\n3\nX\n") == {"a": "1", "b": "2\n3"}


@given(NASTY)
def test_a_line_is_never_a_command(text: str) -> None:
    assert runner.commands(inert(text)) == []


@given(NASTY)
def test_json_is_never_a_command_and_says_the_same(text: str) -> None:
    line = inert_json(json.dumps({"a": text, text: 1}))
    assert runner.commands(line) == []
    assert json.loads(line) == {"a": text, text: 1}


@pytest.mark.parametrize("text", ["", "churn: a:b", "a::b", "#[x]", "≥ 3 %"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


@given(NASTY, NASTY)
def test_an_annotation_is_one_command_with_its_text(title: str, message: str) -> None:
    line = annotation("error", title, message, file="assent.yaml")
    assert runner.commands(line) == [("error", message)]
    assert line.startswith("::error file=assent.yaml,title=")
    about = line.removeprefix("::").partition("::")[0]
    assert about.count(",") == 1
    assert about.count("\n") + about.count("\r") + about.count(":") == 0


@given(st.dictionaries(st.sampled_from(["verdict", "bundle", "report-path"]), NASTY))
def test_outputs_are_read_as_they_were_written(values: dict[str, str]) -> None:
    assert runner.outputs(output_text(values, "assent-1f")) == values


def test_a_value_that_guesses_the_delimiter_is_refused() -> None:
    with pytest.raises(ValueError, match="not an output"):
        output_text({"verdict": "x\nassent-1f\nbundle=y"}, "assent-1f")
    with pytest.raises(ValueError, match="not an output"):
        output_text({"a\nb": "x"}, "assent-1f")


def test_the_delimiter_is_another_each_time(tmp_path: Path) -> None:
    path = tmp_path / "output"
    for _ in range(2):
        write_outputs(str(path), {"comment": "1\nverdict=passed\n2"})
    delimiters = {line for line in path.read_text().splitlines() if line.startswith("assent-")}
    assert len(delimiters) == 2
    assert runner.outputs(path.read_text()) == {"comment": "1\nverdict=passed\n2"}
    assert new_token() != new_token()


def test_a_summary_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    write_summary(str(path), "one\ud800")
    write_summary(str(path), "two\n\n")
    assert path.read_text() == "one\\ud800\ntwo\n"


def test_a_file_that_cannot_be_written_is_an_error_of_the_outside(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="outputs of the step: Is a directory"):
        write_outputs(str(tmp_path), {"verdict": "passed"})


@given(NASTY)
def test_what_stands_between_stop_and_resume_is_no_command(text: str) -> None:
    token = new_token()
    log = "\n".join([stop(token), text, resume(token), "::error::own"])
    assert runner.commands(log) == [("error", "own")]
