"""How Assent's jobs get into the pipeline of a team, so that the team's jobs run exactly where they
ran before, and Assent's where they must.

There are two ways. Where no job of the team would run in a pipeline that Assent starts for itself,
and the team's `workflow` lets in what Assent needs, a few lines in the team's file are enough.
Otherwise the team's file is included *beside* Assent's, in every pipeline but those: its text does
not change, its place does. A child pipeline is no third way: GitLab calls its source
`parent_pipeline` and does not list it among those of the merge request, so whoever reviews would
have to believe what a pipeline of the change says about itself (decision 15).
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from assent.setup.gitlab.conditions import Answer
from assent.setup.gitlab.events import (
    EVENTS,
    REQUEST,
    SCHEDULE,
    Event,
    lets_in,
    runs,
)
from assent.setup.gitlab.team import STAGES, Team, TeamJob

MAX_SHOWN = 5
REQUEST_RULE = '$CI_PIPELINE_SOURCE == "merge_request_event"'
NOT_WOKEN = '$CI_PIPELINE_SOURCE != "pipeline"'
NOT_PLANNED = f"${SCHEDULE} == null"
_CARRIED = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""Variables that an installation needs wherever it happens."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, and why.

    `guard` is the condition under which the team's file is included; None where it stays as it is
    and gets a few lines. `stage` is the one of Assent's jobs, None for those that they have anyway.
    `alone` is what pipelines without the team's file need of it. `found` is what was seen,
    `to_check` what a person has to look at.
    """

    guard: str | None
    stage: str | None
    alone: str = ""
    found: tuple[str, ...] = ()
    to_check: tuple[str, ...] = ()


def decide(team: Team, branch: str | None, *, is_moved: bool = False) -> Plan:
    """The plan for a pipeline. `branch` is the default branch, None where it is not known.
    `is_moved`: the team's file stands beside already.
    """
    alone = [event for event in EVENTS if event.is_alone]
    again = {
        event: [job.name for job in team.jobs if _may_run(team, job, event, branch)]
        for event in alone
    }
    is_let_in = {event: lets_in(team, event, branch) for event in EVENTS}
    if _has_no_requests(team, branch):
        is_let_in[REQUEST] = Answer.NO
    is_kept_out = any(
        answer is Answer.NO or (answer is Answer.UNKNOWN and not event.is_spare)
        for event, answer in is_let_in.items()
    )
    is_beside = is_moved or is_kept_out or bool(team.unread) or any(again.values())
    left_out = [
        event.elsewhere
        for event, answer in is_let_in.items()
        if answer is Answer.NO and not event.is_alone
    ]
    stage = team.last_stage
    notes = _found(team, again, is_let_in, is_beside=is_beside, stage=stage)
    return Plan(
        guard=" && ".join([NOT_WOKEN, NOT_PLANNED, *left_out]) if is_beside else None,
        stage=stage,
        alone=_alone(team, stage) if is_beside else "",
        found=tuple(notes),
        to_check=tuple(_to_check(team, is_let_in, branch)),
    )


def _has_no_requests(team: Team, branch: str | None) -> bool:
    """Whether the first and last stages have jobs for merge requests that no pipeline was ever made
    of, because GitLab makes none of them alone.
    """
    asked = [job for job in team.jobs if _may_run(team, job, REQUEST, branch)]
    return bool(asked) and all(job.is_at_an_end for job in asked)


def _alone(team: Team, stage: str) -> str:
    """What pipelines without the team's file need: it is included first, so the team's wins."""
    lines = [] if stage in STAGES else [f"stages: {json.dumps([stage])}"]
    if team.tags:
        lines += ["default:", f"  tags: {json.dumps(list(team.tags))}"]
    carried = {
        name: value
        for name, value in team.variables.items()
        if name.upper().startswith(_CARRIED) and name.isidentifier() and name.isascii()
    }
    if carried:
        lines += ["variables:", *(f"  {name}: {json.dumps(carried[name])}" for name in carried)]
    return "".join(f"{line}\n" for line in lines)


def _found(
    team: Team,
    again: dict[Event, list[str]],
    is_let_in: dict[Event, Answer],
    *,
    is_beside: bool,
    stage: str,
) -> Iterable[str]:
    yield (
        f"{_count(len(team.jobs))} of yours in what was read; Assent's are in the stage {stage}, "
        "so that none of yours waits for a training"
    )
    for event, names in again.items():
        if names:
            yield f"{_listed(names)} would run again in pipelines of {event.words}"
    kept_out = [event.words for event in EVENTS if is_let_in[event] is Answer.NO]
    if kept_out:
        yield f"your workflow lets in no pipelines of: {', '.join(kept_out)}"
    if team.unread:
        yield f"not read: {_listed(team.unread)}"
    if is_beside:
        yield "so your file moves to a place beside Assent's, and is left out where it never ran"
    else:
        yield "none of them runs in a pipeline that Assent starts: a few lines are enough"


def _to_check(team: Team, is_let_in: dict[Event, Answer], branch: str | None) -> Iterable[str]:
    for event, answer in is_let_in.items():
        if answer is Answer.UNKNOWN and not event.is_alone and not event.is_spare:
            yield (
                f"whether your workflow lets in pipelines of {event.words} is not known here; if "
                "it does not, Assent never runs there: then add to the condition of your file in "
                f".gitlab-ci.yml: && {event.elsewhere}"
            )
    if team.jobs and not any(_may_run(team, job, REQUEST, branch) for job in team.jobs):
        yield (
            "none of your jobs runs in merge requests: with *Pipelines must succeed* GitLab looks "
            "at the pipeline of the merge request, which holds Assent's jobs alone; give "
            f"those that must succeed the rule - if: {REQUEST_RULE}"
        )
    if team.unread and team.stages is None:
        yield (
            f"the stages may be named in what was not read: where {team.last_stage} is none of "
            "them, correct build-stage, test-stage and deploy-stage"
        )
    ends = [job.name for job in team.jobs if job.stage == ".post" and job.waits]
    if ends:
        yield f"{_listed(ends)} in .post waits for Assent's jobs as well; `needs: []` ends that"
    if _wants_pipelines(team):
        yield (
            "other projects seem to start pipelines here: your jobs are left out of those, since "
            "nothing tells them from Assent's; see docs/gitlab.md"
        )
    for name in ("GIT_STRATEGY", "GIT_CHECKOUT"):
        if team.variables.get(name, "").lower() in ("none", "false", "empty"):
            yield f"{name} is {team.variables[name]} for all jobs: Assent's need the checkout"


def _may_run(team: Team, job: TeamJob, event: Event, branch: str | None) -> bool:
    return runs(team, job, event, branch) is not Answer.NO


def _wants_pipelines(team: Team) -> bool:
    """Whether a rule or a name speaks of pipelines that another project starts."""
    rules = [*(team.workflow or ()), *(rule for job in team.jobs for rule in job.rules or ())]
    names = [name for job in team.jobs if job.only is not None for name in job.only.refs]
    return "pipelines" in names or any(
        rule.condition is not None
        and not rule.is_never
        and '"pipeline"' in rule.condition
        and "==" in rule.condition
        for rule in rules
    )


def _count(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"


def _listed(names: Iterable[str]) -> str:
    shown = [str(name)[:120] for name in names]
    more = len(shown) - MAX_SHOWN
    return ", ".join(shown[:MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")
