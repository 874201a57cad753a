"""The wrappers of the verbs, for both forges: one table, and nothing else to decide.

A wrapper passes its inputs to Assent as variables of the environment and runs one constant
command line, so nothing that a person types becomes a part of a script. `docs.actions` makes the
actions for GitHub from it, `docs.templates` the templates for GitLab.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from assent.cli.main import variable

ROOT = Path(__file__).parents[1]
MADE = "Made by `python -m docs.generate`."
ARGUMENTS = {
    "model": "The model; needless if there is only one.",
    "stage": "The stage.",
    "version": "The version, as v12; otherwise the newest.",
    "name": "A stage, a version as v12, a bundle or a revision.",
}
WITHOUT = {
    "json": "the outputs and the summary say it",
    "approve --as": "people approve on the forge",
    "approve --reject": "belongs to --as",
    "approve --reason": "belongs to --as",
}
"""Options that are no inputs, and why."""
READ = {"contents": "read"}


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the command line does not say of a job on GitLab.

    `rules` say in which pipelines it runs, `needs` which verbs' jobs come first, `artifacts` what
    it leaves for the next job: nothing where None, and where empty, what the project says. An
    input of `defaults` is not what the command takes it for when it is not given; the reasons are
    in `docs.templates`.
    """

    stage: str
    rules: tuple[Mapping[str, Any], ...]
    needs: tuple[str, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    artifacts: tuple[str, ...] | None = None
    has_environment: bool = False
    reports: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Wrapper:
    """What the command line does not say of a verb's wrappers. `permissions` are those of the
    token of a job on GitHub; one that needs nothing but the checkout gets no token at all. `job`
    is for GitLab, None where GitLab starts nothing that it could answer.
    """

    permissions: Mapping[str, str]
    outputs: tuple[str, ...] = ()
    has_token: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    job: Job | None = None


ON_DEFAULT = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
MERGE_REQUEST = {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}
OWN_MERGE_REQUEST = {
    # A fork's pipeline runs in the fork: its default branch is nobody's who reviews.
    "if": f"{MERGE_REQUEST['if']} && $CI_PROJECT_PATH == $CI_MERGE_REQUEST_PROJECT_PATH"
}
PUSH = {"if": f'{ON_DEFAULT} && $CI_PIPELINE_SOURCE == "push"'}
BY_HAND = {"if": f'{ON_DEFAULT} && $CI_PIPELINE_SOURCE == "web"'}
WOKEN = {"if": f'{ON_DEFAULT} && $CI_PIPELINE_SOURCE == "pipeline"'}
HOOK = {"if": f'{ON_DEFAULT} && $CI_PIPELINE_SOURCE == "trigger"'}
DAILY = {
    "if": f'{ON_DEFAULT} && $CI_PIPELINE_SOURCE == "schedule" && $ASSENT_SCHEDULE != "retrain"'
}
RETRAINING = {
    "if": f'{ON_DEFAULT} && $CI_PIPELINE_SOURCE == "schedule" && $ASSENT_SCHEDULE == "retrain"'
}
BUTTON = {
    "if": f'{ON_DEFAULT} && ($CI_PIPELINE_SOURCE == "push" || $CI_PIPELINE_SOURCE == "web")',
    "when": "manual",
    "allow_failure": True,  # else a button that nobody presses holds the pipeline up
}
SHORT = {"timeout": "30 minutes"}
TRAINING = {"interruptible": True}
RUNS_THE_CHANGE = "It runs the code of the change: give its runner nothing worth stealing."
BY_BUTTON = (
    "A manual job of the default branch. Whoever presses it can set its variables; they are judged "
    "like any other request."
)
JUDGING = {
    "actions": "read",
    "contents": "write",
    "pull-requests": "read",
    "statuses": "read",
}
DEPLOYING = {
    "actions": "read",
    "contents": "write",
    "deployments": "write",
    "pull-requests": "read",
    "statuses": "read",
}
WRAPPERS = {
    "train": Wrapper(
        permissions=READ,
        note="It runs the code of the change: give the job no secrets and nothing to write to.",
        job=Job(
            stage="build",
            rules=(MERGE_REQUEST,),
            keywords=TRAINING,
            artifacts=(),
            note=RUNS_THE_CHANGE,
        ),
    ),
    "evaluate": Wrapper(
        permissions=READ,
        note="It runs the code of the change: give the job no secrets and nothing to write to.",
        job=Job(
            stage="build",
            rules=(MERGE_REQUEST,),
            needs=("train",),
            keywords=TRAINING,
            artifacts=(),
            note=RUNS_THE_CHANGE,
        ),
    ),
    "bundle": Wrapper(
        permissions=READ,
        outputs=("bundle",),
        inputs={"output": "${{ runner.temp }}/assent-bundle"},
        note="With `output` in the job that trains. The job that reviews fetches it itself.",
        job=Job(
            stage="build",
            rules=(MERGE_REQUEST,),
            needs=("train", "evaluate"),
            keywords=SHORT,
            artifacts=("assent-bundle/",),
            reports=("metrics",),
            note="With `output: assent-bundle` it needs no store: the folder of that name is the "
            "artifact that `review` fetches.",
        ),
    ),
    "review": Wrapper(
        permissions={
            "actions": "read",
            "contents": "read",
            "pull-requests": "write",
            "statuses": "write",
        },
        outputs=("verdict", "bundle", "report-path", "comment"),
        has_token=True,
        inputs={"artifact": "assent-bundle", "exit-zero": "true"},
        note="Writes the comment and the commit status `assent/<model>`.",
        job=Job(
            stage="test",
            rules=(WOKEN, HOOK, BY_HAND, DAILY),
            keywords={**SHORT, "resource_group": "assent-$[[ inputs.model ]]-review"},
            reports=("junit",),
            defaults={"waiting": "assent-bundle"},
            note="It runs on the default branch, and reviews the merge requests that wait: writes "
            "the note and the commit status `assent/<model>`. To give `bundle`, leave `waiting` "
            "empty.",
        ),
    ),
    "approve": Wrapper(
        permissions=JUDGING,
        outputs=("verdict", "bundle", "version"),
        has_token=True,
        inputs={"exit-zero": "true"},
        note="Records the reviews that count in the ledger. To read the members of a team, the "
        "token of an app with `members: read` is needed; the job's own token cannot.",
        job=Job(
            stage="deploy",
            rules=(PUSH, BY_HAND, HOOK, DAILY),
            keywords=SHORT,
            note="Records the approvals that count in the ledger. GitLab starts no pipeline when "
            "somebody approves: see [gitlab.md](gitlab.md#when-approvals-are-recorded).",
        ),
    ),
    "reply": Wrapper(
        permissions={
            "actions": "read",
            "contents": "read",
            "pull-requests": "write",
            "statuses": "read",
        },
        outputs=("comment",),
        has_token=True,
        note="Runs on a new comment (`issue_comment`) and answers `/assent approve`, "
        "`/assent explain` and `/assent help` there. It records nothing: `approve` and `register` "
        "do that.",
        job=Job(
            stage="test",
            rules=(HOOK,),
            keywords=SHORT,
            note="Runs where a webhook for comments starts a pipeline.",
        ),
    ),
    "retrain": Wrapper(
        permissions={"actions": "read", "contents": "write", "pull-requests": "write"},
        outputs=("bundle", "change"),
        has_token=True,
        inputs={"artifact": "assent-retrained"},
        note="Runs on the default branch, on a schedule, after a job that trains with a token that "
        "can only read. See "
        "[github.md](github.md#scheduled-retraining) for the token that lets workflows start.",
        job=Job(
            stage="deploy",
            rules=(RETRAINING,),
            keywords=SHORT,
            defaults={"artifact": "assent-retrain-bundle"},
            note="Runs on a schedule whose variable `ASSENT_SCHEDULE` is `retrain`, and proposes "
            "what the job `artifact` of its pipeline has left: [pipeline.yml](#pipeline) has one.",
        ),
    ),
    "register": Wrapper(
        permissions=JUDGING,
        outputs=("verdict", "bundle", "version", "stage"),
        has_token=True,
        note="Runs on a push to the default branch, and on a schedule to catch up with what "
        "started no run. It looks at every change since the newest version.",
        job=Job(
            stage="deploy",
            rules=(PUSH, BY_HAND, DAILY),
            needs=("approve",),
            keywords=SHORT,
        ),
    ),
    "promote": Wrapper(
        permissions=DEPLOYING,
        outputs=("verdict", "bundle", "version", "stage"),
        has_token=True,
        inputs={"stage": "staging"},
        note="Runs on the default branch, in a job of the stage's environment.",
        job=Job(
            stage="deploy",
            rules=(BUTTON,),
            needs=("register",),
            keywords=SHORT,
            has_environment=True,
            defaults={"environment": "$ASSENT_PROMOTE_STAGE"},
            note=BY_BUTTON,
        ),
    ),
    "rollback": Wrapper(
        permissions=DEPLOYING,
        outputs=("verdict", "bundle", "version", "stage"),
        has_token=True,
        inputs={"stage": "production", "reason": "complaints from the north"},
        note="Runs on the default branch, in a job of the stage's environment.",
        job=Job(
            stage="deploy",
            rules=(BUTTON,),
            keywords=SHORT,
            has_environment=True,
            defaults={"environment": "$ASSENT_ROLLBACK_STAGE", "reason": ""},
            note=BY_BUTTON,
        ),
    ),
    "resolve": Wrapper(
        permissions=READ,
        outputs=("bundle", "version", "stage"),
        has_token=True,
        inputs={"name": "production"},
    ),
    "pull": Wrapper(
        permissions=READ,
        outputs=("bundle", "version"),
        has_token=True,
        inputs={"name": "production", "to": "served/"},
    ),
    "verify": Wrapper(
        permissions=READ, has_token=True, job=Job(stage="deploy", rules=(DAILY,), keywords=SHORT)
    ),
}


@dataclass(frozen=True)
class Input:
    """One input of a wrapper and the variable that it becomes. `default` is what the command
    takes it for when it is not given; a flag is true or false.
    """

    name: str
    variable: str
    description: str
    is_required: bool
    default: str | bool = ""


def inputs(verb: str) -> list[Input]:
    """The inputs of a verb's wrappers, in the order of the command line."""
    command: click.Command = importlib.import_module(f"assent.cli.{verb}").command
    inputs_of_verb: list[Input] = []
    for parameter in command.params:
        name = variable(verb, parameter).removeprefix(f"ASSENT_{verb.upper()}_")
        name = name.lower().replace("_", "-")
        if name in WITHOUT or f"{verb} --{name}" in WITHOUT:
            continue
        is_option = isinstance(parameter, click.Option)
        text = (parameter.help or "") if is_option else ARGUMENTS[name]
        is_flag = isinstance(parameter, click.Option) and parameter.is_flag
        default = parameter.default is True if is_flag else ""
        given = variable(verb, parameter)
        inputs_of_verb.append(Input(name, given, text, parameter.required, default))
    return inputs_of_verb
