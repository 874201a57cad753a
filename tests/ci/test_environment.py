"""The environment of the CI run as one value."""

from __future__ import annotations

import pytest

from assent.ci.environment import read_run
from assent.core.evidence import Run

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "42",
    "GITHUB_RUN_ATTEMPT": "3",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/churn",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_JOB_ID": "77",
    "CI_JOB_URL": "https://gitlab.com/acme/churn/-/jobs/77",
}
OTHER = {"ASSENT_RUN_ID": "build-9", "ASSENT_RUN_ADDRESS": "https://ci.acme/9"}


def test_github_actions_is_known() -> None:
    address = "https://github.com/acme/churn/actions/runs/42"
    assert read_run(GITHUB) == Run(system="github", id="42", attempt=3, address=address)


def test_gitlab_is_known() -> None:
    run = read_run(GITLAB)
    assert run is not None
    assert (run.system, run.address) == ("gitlab", GITLAB["CI_JOB_URL"])


def test_any_other_system_can_say_who_it_is() -> None:
    assert read_run(OTHER) == Run(system="ci", id="build-9", address="https://ci.acme/9")
    attempt = read_run({**OTHER, "ASSENT_RUN_ATTEMPT": "2"})
    assert attempt is not None
    assert attempt.attempt == 2


def test_what_is_said_to_assent_wins_over_what_is_found() -> None:
    run = read_run({**GITHUB, **GITLAB, **OTHER})
    assert run is not None
    assert run.id == "build-9"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"CI": "true"},
        {"GITHUB_ACTIONS": "true"},
        {"GITHUB_RUN_ID": "42"},
        {**GITHUB, "GITHUB_ACTIONS": "false"},
        {"CI_JOB_ID": "77"},
        {"ASSENT_RUN_ID": ""},
    ],
)
def test_outside_ci_there_is_no_run(environ: dict[str, str]) -> None:
    assert read_run(environ) is None


@pytest.mark.threat(22)
@pytest.mark.parametrize(("text", "attempt"), [("7", 7), ("", 1), ("x", 1), ("-2", 1), ("1.5", 1)])
def test_an_attempt_that_is_no_number_is_the_first(text: str, attempt: int) -> None:
    run = read_run({**GITHUB, "GITHUB_RUN_ATTEMPT": text})
    assert run is not None
    assert (run.id, run.attempt) == ("42", attempt)
