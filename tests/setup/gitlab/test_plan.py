"""The plan is a function of what was read: whatever is unknown is taken for possible."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.setup.gitlab.conditions import Answer
from assent.setup.gitlab.events import EVENTS, PUSH, REQUEST, WOKEN, lets_in, runs
from assent.setup.gitlab.plan import decide
from assent.setup.gitlab.team import Policy, Rule, Team, TeamJob, read_team


def job(**about: object) -> TeamJob:
    return TeamJob(name="test", **about)  # type: ignore[arg-type]  # as each test says


def rule(condition: str | None = None, **about: bool) -> Rule:
    return Rule(condition=condition, **about)


PUSHED = rule('$CI_PIPELINE_SOURCE == "push"')


@pytest.mark.parametrize(
    ("one", "answer"),
    [
        (job(rules=(PUSHED,)), Answer.NO),
        (job(rules=()), Answer.NO),
        (job(rules=(rule(),)), Answer.YES),
        (job(rules=(rule('$CI_PIPELINE_SOURCE == "pipeline"', is_never=True), rule())), Answer.NO),
        (job(rules=(rule("$NAME"),)), Answer.UNKNOWN),
        (job(rules=(rule("$NAME", is_never=True),)), Answer.NO),
        (job(rules=(rule("$NAME"), rule())), Answer.YES),
        (job(rules=(rule(has_more=True),)), Answer.UNKNOWN),
        (job(rules=(rule("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"),)), Answer.YES),
        (job(), Answer.YES),
        (job(only=Policy(refs=("main",))), Answer.YES),
        (job(only=Policy(refs=("develop",))), Answer.NO),
        (job(only=Policy(refs=("main@acme/churn",))), Answer.YES),
        (job(only=Policy(refs=("tags",))), Answer.NO),
        (job(only=Policy(refs=("pushes",))), Answer.NO),
        (job(only=Policy(refs=("pipelines",))), Answer.YES),
        (job(only=Policy(refs=("merge_requests",))), Answer.NO),
        (job(only=Policy(refs=("/^ma/",))), Answer.YES),
        (job(only=Policy(refs=("/^m.*/",))), Answer.UNKNOWN),
        (job(only=Policy(refs=("main",), has_more=True)), Answer.UNKNOWN),
        (job(excepted=Policy(refs=("pipelines",))), Answer.NO),
        (job(excepted=Policy(refs=("main",))), Answer.NO),
        (job(excepted=Policy(refs=("schedules",))), Answer.YES),
        (job(excepted=Policy(has_more=True)), Answer.UNKNOWN),
    ],
)
def test_whether_a_job_would_run_again_for_a_review(one: TeamJob, answer: Answer) -> None:
    team = Team(jobs=(one,))
    assert runs(team, one, WOKEN, "main") is answer
    said = any("run again in pipelines of a review" in told for told in decide(team, "main").found)
    assert said is (answer is not Answer.NO)
    assert decide(team, "main").guard is not None or not said


def test_a_job_without_rules_is_in_merge_requests_only_with_a_workflow() -> None:
    one = job()
    assert runs(Team(jobs=(one,)), one, REQUEST, "main") is Answer.NO
    workflow = (rule("$CI_MERGE_REQUEST_IID"),)
    assert runs(Team(jobs=(one,), workflow=workflow), one, REQUEST, "main") is Answer.YES


def test_what_is_not_known_of_the_default_branch_is_taken_for_possible() -> None:
    one = job(only=Policy(refs=("develop",)))
    assert runs(Team(jobs=(one,)), one, PUSH, None) is Answer.UNKNOWN
    assert decide(Team(jobs=(one,)), None).guard is not None


@pytest.mark.parametrize("workflow", [None, (rule(),), (PUSHED,), (rule("$NAME"),)])
def test_a_team_without_requests_has_none_afterwards(workflow: tuple[Rule, ...] | None) -> None:
    team = Team(jobs=(job(),), workflow=workflow)
    guard = decide(team, "main").guard
    assert guard is not None
    assert (REQUEST.elsewhere in guard) is (lets_in(team, REQUEST, "main") is Answer.NO)


def test_every_kind_of_pipeline_is_asked_for() -> None:
    plan = decide(Team(jobs=(job(),), workflow=()), "main")
    [said] = [one for one in plan.found if "lets in no pipelines of: " in one]
    assert said.partition(": ")[2].split(", ") == [
        part for event in EVENTS for part in event.words.split(", ")
    ]
    assert plan.guard is not None
    assert all(event.elsewhere in plan.guard for event in EVENTS)


@pytest.mark.parametrize(
    "text",
    [
        "a: {extends: a, script: [x]}\n",
        "a: {extends: b}\nb: {extends: a}\n",
        "a: {rules: [!reference [a, rules]]}\n",
        "a: {rules: !reference [.gone, rules]}\n",
        "a: {rules: 7, only: {refs: 7}, except: [[]], stage: [], extends: {}}\n",
        "stages: [7, {}]\nworkflow: {rules: {}}\ndefault: 7\nvariables: [a]\ninclude: {}\n",
        "include: [.gitlab-ci.yml, .gitlab-ci.yml]\na: {script: [x]}\n",
        "workflow: 7\na: 7\n",
    ],
)
def test_whatever_a_file_holds_is_read_to_its_end(tmp_path: Path, text: str) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text(text)
    team = read_team(tmp_path, ".gitlab-ci.yml")
    assert decide(team, "main").found


def test_only_so_many_files_are_read(tmp_path: Path) -> None:
    for at in range(60):
        (tmp_path / f"{at}.yml").write_text(f"include: [{at + 1}.yml]\n")
    team = read_team(tmp_path, "0.yml")
    assert len(team.read) == 30
    assert "more than 30 files" in team.unread[0]


def test_what_no_file_may_name_stays_out_of_what_is_carried() -> None:
    names = {"PIP_INDEX_URL": 'x"\ny', "UV_INDEX": "a", "OTHER": "b", "PIP_x-y": "c"}
    alone = decide(Team(jobs=(job(),), variables=names, tags=("a\nb: c",)), "main").alone
    assert alone == (
        'default:\n  tags: ["a\\nb: c"]\nvariables:\n  PIP_INDEX_URL: "x\\"\\ny"\n  UV_INDEX: "a"\n'
    )
