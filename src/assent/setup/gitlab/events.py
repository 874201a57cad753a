"""The kinds of pipelines that Assent's jobs run in, and whether the team's jobs run there."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from assent.setup.gitlab.conditions import Answer, Unknown, Value, holds
from assent.setup.gitlab.team import Policy, Rule, Team, TeamJob

SCHEDULE = "ASSENT_SCHEDULE"
"""The variable of a schedule or a webhook that is Assent's."""
_SOURCES = {
    "push": "pushes",
    "schedule": "schedules",
    "trigger": "triggers",
    "web": "web",
    "pipeline": "pipelines",
    "merge_request_event": "merge_requests",
    "api": "api",
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of pipeline, in words, and what is known of it."""

    words: str
    source: str
    is_request: bool = False
    is_alone: bool = False
    """Whether Assent starts it for itself, so that the team's jobs have no business in it."""
    is_spare: bool = False
    """Whether Assent can do without it: another kind does the same."""
    elsewhere: str = ""
    """The condition that holds in every pipeline but these, of variables that an `include` may ask:
    https://docs.gitlab.com/ci/yaml/includes/#use-variables-with-include
    """


_NOT_DEFAULT = "$CI_COMMIT_REF_NAME != $CI_DEFAULT_BRANCH"
REQUEST = Event(
    words="merge requests",
    source="merge_request_event",
    is_request=True,
    elsewhere='$CI_PIPELINE_SOURCE != "merge_request_event"',
)
PUSH = Event(
    words="pushes to the default branch",
    source="push",
    elsewhere=f'($CI_PIPELINE_SOURCE != "push" || {_NOT_DEFAULT})',
)
BY_HAND = Event(
    words="the default branch, started by hand",
    source="web",
    elsewhere=f'($CI_PIPELINE_SOURCE != "web" || {_NOT_DEFAULT})',
)
NIGHTLY = Event(
    words="a schedule",
    source="schedule",
    is_spare=True,
    elsewhere=f'($CI_PIPELINE_SOURCE != "schedule" || {_NOT_DEFAULT})',
)
TRIGGERED = Event(
    words="a trigger",
    source="trigger",
    is_spare=True,
    elsewhere=f'($CI_PIPELINE_SOURCE != "trigger" || {_NOT_DEFAULT})',
)
WOKEN = Event(words="a review", source="pipeline", is_alone=True)
PLANNED = Event(words="a schedule of Assent's", source="schedule", is_alone=True)
HOOK = Event(words="a webhook of Assent's", source="trigger", is_alone=True)
EVENTS = (REQUEST, PUSH, BY_HAND, NIGHTLY, TRIGGERED, WOKEN, PLANNED, HOOK)


def variables(event: Event, branch: str | None) -> dict[str, Value]:
    """What is known of the variables of a pipeline of `event`. `branch` is the default branch; it
    is taken for one that is protected and that no merge request wants to merge elsewhere.
    """
    name: Value = branch if branch is not None else Unknown(is_set=True)
    known: dict[str, Value] = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": event.source,
        "CI_COMMIT_TAG": None,
        "CI_DEFAULT_BRANCH": name,
        "CI_COMMIT_MESSAGE": Unknown(is_set=True),
        "CI_COMMIT_TITLE": Unknown(is_set=True),
        "CI_EXTERNAL_PULL_REQUEST_IID": None,
    }
    requests = ("ID", "IID", "SOURCE_BRANCH_NAME", "TARGET_BRANCH_NAME", "PROJECT_PATH")
    for suffix in requests:
        known[f"CI_MERGE_REQUEST_{suffix}"] = Unknown(is_set=True) if event.is_request else None
    if event.is_request:
        known |= {"CI_COMMIT_BRANCH": None, "CI_COMMIT_REF_NAME": Unknown(is_set=True)}
        known |= {"CI_OPEN_MERGE_REQUESTS": Unknown(is_set=True)}
        return known
    known |= {"CI_COMMIT_BRANCH": name, "CI_COMMIT_REF_NAME": name}
    known |= {"CI_OPEN_MERGE_REQUESTS": None, "CI_COMMIT_REF_PROTECTED": "true"}
    known |= {SCHEDULE: Unknown(is_set=True) if event in (PLANNED, HOOK) else None}
    return known


def lets_in(team: Team, event: Event, branch: str | None) -> Answer:
    """Whether the team's `workflow` lets a pipeline of `event` be."""
    return Answer.YES if team.workflow is None else _first(team.workflow, variables(event, branch))


def runs(team: Team, job: TeamJob, event: Event, branch: str | None) -> Answer:
    """Whether a job of the team is in a pipeline of `event`."""
    return lets_in(team, event, branch) & _is_in(team, job, event, branch)


def _is_in(team: Team, job: TeamJob, event: Event, branch: str | None) -> Answer:
    if job.rules is not None:
        return _first(job.rules, variables(event, branch))
    if job.only is None and job.excepted is None:
        # GitLab: in every pipeline but those of merge requests; with a workflow, in every one.
        return Answer.of(team.workflow is not None or not event.is_request)
    wanted = job.only or Policy(refs=("branches", "tags"))
    answer = _names(wanted, event, branch)
    answer = answer & Answer.UNKNOWN if wanted.has_more else answer
    if job.excepted is not None:
        out = Answer.NO if not job.excepted.refs else _names(job.excepted, event, branch)
        answer &= ~(out | Answer.UNKNOWN if job.excepted.has_more else out)
    return answer


def _first(rules: tuple[Rule, ...], known: Mapping[str, Value]) -> Answer:
    """What the first rule that holds says. Where it is not known which that is, it is known only
    if all that may be say the same.
    """
    possible: set[Answer] = set()
    for rule in rules:
        answer = Answer.YES if rule.condition is None else holds(rule.condition, known)
        answer = answer & Answer.UNKNOWN if rule.has_more else answer
        if answer is not Answer.NO:
            possible.add(Answer.of(not rule.is_never))
        if answer is Answer.YES:
            break
    else:
        possible.add(Answer.NO)
    return possible.pop() if len(possible) == 1 else Answer.UNKNOWN


def _names(policy: Policy, event: Event, branch: str | None) -> Answer:
    """Whether one of the names of `only` or `except` is that of the pipeline."""
    answer = Answer.NO if policy.refs else Answer.YES
    for name in policy.refs:
        answer |= _is_named(name.partition("@")[0], event, branch)
    return answer


def _is_named(name: str, event: Event, branch: str | None) -> Answer:
    if name in (*_SOURCES.values(), "branches", "tags", "chat", "external"):
        kinds = {_SOURCES[event.source], *([] if event.is_request else ["branches"])}
        return Answer.of(name in kinds)
    if event.is_request:
        return Answer.NO  # a name is that of a branch or a tag
    if name.startswith("/"):
        return holds(f"$ref =~ {name}", {"ref": branch if branch is not None else Unknown()})
    return Answer.UNKNOWN if branch is None else Answer.of(name == branch)
