"""What is written for GitLab says what was meant, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.ci.reports import (
    LABEL_LIMIT,
    MOST_METRICS,
    VARIABLES_LIMIT,
    links_text,
    metrics_text,
    variable,
    variables_text,
    write,
)
from assent.cli import main
from assent.cli.published import OUTPUTS
from assent.errors import OutsideError

NASTY = st.lists(
    st.one_of(
        st.sampled_from(
            [*("\n", "\r", "=", "$", "${CI_JOB_TOKEN}", '"', "'", "\\", " ", "#", "}", "{", ",")]
        ),
        st.sampled_from(["ASSENT_VERDICT=passed", "PATH", "# EOF", "metric", "v12", "https://a/b"]),
        st.text(max_size=3),
    ),
    max_size=12,
).map("".join)
_SERIES = re.compile(
    r'assent_metric\{model="((?:[^"\\\n]|\\.)*)",metric="((?:[^"\\\n]|\\.)*)"\} (\S+)'
)


def read_variables(text: str) -> dict[str, str]:
    """As GitLab reads the file: a variable for each line, all of it after the first `=`."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        assert re.fullmatch(r"[A-Za-z0-9_]+", name), line
        found[name] = value
    return found


@pytest.mark.threat(37)
@given(st.dictionaries(st.sampled_from(list(OUTPUTS)), NASTY))
def test_a_value_makes_no_other_variable_and_nothing_is_expanded(outputs: dict[str, str]) -> None:
    text, left_out = variables_text(outputs)
    found = read_variables(text)
    expected = {variable(name): value for name, value in outputs.items() if value}
    assert set(found) | set(left_out) == set(expected)
    assert set(found) & set(left_out) == set()
    for name, value in found.items():
        assert value == expected[name]
        assert not set(value) & set("$\"'\\ \t\r\n")


def test_what_is_plain_is_a_variable() -> None:
    values = {
        "bundle": f"sha256:{'a' * 64}",
        "version": "v12",
        "comment": "https://gitlab.example.com/acme/churn/-/merge_requests/7#note_1",
        "stage": "",
    }
    text, left_out = variables_text(values)
    assert left_out == ()
    assert read_variables(text) == {
        "ASSENT_BUNDLE": values["bundle"],
        "ASSENT_VERSION": "v12",
        "ASSENT_COMMENT": values["comment"],
    }


@pytest.mark.threat(36)
def test_the_file_is_never_too_long_and_what_is_left_out_is_named() -> None:
    text, left_out = variables_text({"comment": "a" * 4_900, "change": "b" * 200, "version": "v1"})
    assert len(text.encode()) <= VARIABLES_LIMIT
    assert left_out == ("ASSENT_CHANGE",)
    assert read_variables(text)["ASSENT_VERSION"] == "v1"


def test_no_output_gives_an_option_of_a_verb() -> None:
    """A variable of an earlier job wins over one of the job itself."""
    given_by_variables = {
        main.variable(verb, parameter)
        for verb, command in main.commands()
        for parameter in command.params
    }
    assert {variable(name) for name in OUTPUTS} & given_by_variables == set()
    with pytest.raises(ValueError, match="not an output"):
        variable("A B")


@pytest.mark.threat(37)
@given(NASTY, st.dictionaries(NASTY, st.floats(allow_nan=False, allow_infinity=False)))
def test_a_metric_is_one_line_whatever_its_name_is(model: str, metrics: dict[str, float]) -> None:
    # One line is what a line feed ends: nothing else ends one in OpenMetrics.
    first, *series, last, rest = metrics_text(model, metrics).split("\n")
    assert (first, last, rest) == ("# TYPE assent_metric gauge", "# EOF", "")
    assert len(series) == len(metrics)
    for line, value in zip(series, metrics.values(), strict=True):
        found = _SERIES.fullmatch(line)
        assert found is not None, line
        assert float(found[3]) == value


def test_of_very_many_metrics_the_first_are_written() -> None:
    text = metrics_text("churn", {f"m{number}": number for number in range(MOST_METRICS + 5)})
    assert text.count("assent_metric{") == MOST_METRICS


def test_a_metric_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        metrics_text("churn", {"loss": float("nan")})


@given(st.lists(st.tuples(NASTY, NASTY)))
def test_what_is_no_address_is_no_link(links: list[tuple[str, str]]) -> None:
    shown = json.loads(links_text(links))["Assent"]
    assert all(re.match(r"https?://", one["external_link"]["url"]) for one in shown)
    assert json.loads(links_text([("a", "javascript:alert(1)")])) == {"Assent": []}


@pytest.mark.threat(36)
def test_a_label_is_never_too_long() -> None:
    [link] = json.loads(links_text([("x" * 999, "https://gitlab.example.com/x")]))["Assent"]
    assert link["external_link"] == {
        "label": "x" * LABEL_LIMIT,
        "url": "https://gitlab.example.com/x",
    }


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutsideError, match="writing what GitLab reads") as raised:
        write(str(tmp_path / "file" / "below"), {"a": b""})
    assert raised.value.hint == "ASSENT_REPORTS names the folder"
