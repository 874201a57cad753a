"""The actions for GitHub, made from the command line: one table, and nothing else to decide.

An action passes its inputs to Assent as variables of the environment and runs one constant
command line, so nothing that a person types becomes a part of a script.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from assent.cli.main import VERBS, variable
from assent.cli.published import OUTPUTS

ROOT = Path(__file__).parents[1]
OWNER = "OWNER/assent/actions"
REVISION = "0" * 40
MADE = "Made by `python -m docs.generate`."
ARGUMENTS = {
    "model": "The model; needless if there is only one.",
    "stage": "The stage.",
    "version": "The version, as v12; otherwise the newest.",
    "name": "A stage, a version as v12, a bundle or a revision.",
}
ACTS_WITH = "The token that Assent acts with. The permissions that it needs are in docs/actions.md."
WITHOUT = {
    "json": "the outputs and the summary say it",
    "approve --as": "on GitHub people approve in a review of the pull request",
    "approve --reject": "belongs to --as",
    "approve --reason": "belongs to --as",
}
"""Options that are no inputs, and why."""
READ = {"contents": "read"}


@dataclass(frozen=True, kw_only=True)
class Action:
    """What the command line does not say of an action. `permissions` are those of the job's
    token; one that needs nothing but the checkout gets no token at all.
    """

    permissions: Mapping[str, str]
    outputs: tuple[str, ...] = ()
    has_token: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


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
ACTIONS = {
    "train": Action(
        permissions=READ,
        note="It runs the code of the change: give the job no secrets and nothing to write to.",
    ),
    "evaluate": Action(
        permissions=READ,
        note="It runs the code of the change: give the job no secrets and nothing to write to.",
    ),
    "bundle": Action(
        permissions=READ,
        outputs=("bundle",),
        inputs={"output": "${{ runner.temp }}/assent-bundle"},
        note="With `output` in the job that trains, with `from` in the job that reviews.",
    ),
    "review": Action(
        permissions={
            "actions": "read",
            "contents": "read",
            "pull-requests": "write",
            "statuses": "write",
        },
        outputs=("verdict", "bundle", "report-path", "comment"),
        has_token=True,
        inputs={"bundle": "${{ steps.bundle.outputs.bundle }}", "exit-zero": "true"},
        note="Writes the comment and the commit status `assent/<model>`.",
    ),
    "approve": Action(
        permissions=JUDGING,
        outputs=("verdict", "bundle", "version"),
        has_token=True,
        inputs={"exit-zero": "true"},
        note="Records the reviews that count in the ledger. To read the members of a team, the "
        "token of an app with `members: read` is needed; the job's own token cannot.",
    ),
    "reply": Action(
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
    ),
    "register": Action(
        permissions=JUDGING,
        outputs=("verdict", "bundle", "version", "stage"),
        has_token=True,
        note="Runs on a push to the default branch.",
    ),
    "promote": Action(
        permissions=DEPLOYING,
        outputs=("verdict", "bundle", "version", "stage"),
        has_token=True,
        inputs={"stage": "staging"},
        note="Runs on the default branch, in a job of the stage's environment.",
    ),
    "rollback": Action(
        permissions=DEPLOYING,
        outputs=("verdict", "bundle", "version", "stage"),
        has_token=True,
        inputs={"stage": "production", "reason": "complaints from the north"},
        note="Runs on the default branch, in a job of the stage's environment.",
    ),
    "resolve": Action(
        permissions=READ,
        outputs=("bundle", "version", "stage"),
        has_token=True,
        inputs={"name": "production"},
    ),
    "pull": Action(
        permissions=READ,
        outputs=("bundle", "version"),
        has_token=True,
        inputs={"name": "production", "to": "served/"},
    ),
    "verify": Action(permissions=READ, has_token=True),
}


@dataclass(frozen=True)
class Input:
    """One input of an action and the variable that it becomes."""

    name: str
    variable: str
    description: str
    is_required: bool


def inputs(verb: str) -> list[Input]:
    """The inputs of a verb's action, in the order of the command line."""
    command: click.Command = importlib.import_module(f"assent.cli.{verb}").command
    found: list[Input] = []
    for parameter in command.params:
        name = variable(verb, parameter).removeprefix(f"ASSENT_{verb.upper()}_")
        name = name.lower().replace("_", "-")
        if name in WITHOUT or f"{verb} --{name}" in WITHOUT:
            continue
        is_option = isinstance(parameter, click.Option)
        text = (parameter.help or "") if is_option else ARGUMENTS[name]
        found.append(Input(name, variable(verb, parameter), text, parameter.required))
    return found


def action(verb: str) -> str:
    """The `action.yml` of a verb."""
    about = ACTIONS[verb]
    lines = [f"# {MADE}", f"name: {_quoted(f'Assent: {verb}')}"]
    lines += [f"description: {_quoted(VERBS[verb])}", "inputs:"]
    for one in inputs(verb):
        lines += [f"  {one.name}:", f"    description: {_quoted(one.description)}"]
        lines += [f"    required: {str(one.is_required).lower()}"]
        lines += [] if one.is_required else ['    default: ""']
    if about.has_token:
        lines += ["  token:", f"    description: {_quoted(ACTS_WITH)}", "    required: false"]
        lines += ["    default: ${{ github.token }}"]
    if about.outputs:
        lines.append("outputs:")
    for name in about.outputs:
        lines += [f"  {name}:", f"    description: {_quoted(OUTPUTS[name])}"]
        lines += [f"    value: ${{{{ steps.assent.outputs.{name} }}}}"]
    lines += ["runs:", "  using: composite", "  steps:", "    - id: assent", "      shell: bash"]
    lines += [f"      run: '\"$GITHUB_ACTION_PATH/../setup/run.sh\" {verb}'", "      env:"]
    lines += [f"        {one.variable}: ${{{{ inputs.{one.name} }}}}" for one in inputs(verb)]
    lines += ["        GITHUB_TOKEN: ${{ inputs.token }}"] if about.has_token else []
    return "\n".join(lines) + "\n"


SETUP_TEXT = "Install Assent from the action's own revision and make `assent` a command."


def setup() -> str:
    """The `action.yml` of `setup`."""
    return f"""\
# {MADE}
name: "Assent: setup"
description: {_quoted(SETUP_TEXT)}
runs:
  using: composite
  steps:
    - shell: bash
      run: '"$GITHUB_ACTION_PATH/../setup/path.sh"'
"""


def document() -> str:
    """The documentation of all actions."""
    lines = [
        "# Actions for GitHub",
        "",
        f"<!-- {MADE} -->",
        "",
        "Each action installs Assent from its own revision, passes its inputs on as variables of",
        "the environment, and runs one verb. An input that is empty is not given. The exit codes",
        "are those of the [command line](cli.md#exit-codes). How the actions work together is in",
        "[github.md](github.md).",
        "",
        f"`{OWNER}` stands for where you keep Assent's repository and `{REVISION[:8]}…` for the",
        "commit that you have chosen: pin it in full.",
        "",
        "## setup",
        "",
        f"{SETUP_TEXT} The other actions do not need it.",
        "",
        *_example("setup", {}, READ),
    ]
    for verb in ACTIONS:
        lines += ["", *_section(verb)]
    return "\n".join(lines) + "\n"


def _section(verb: str) -> Iterator[str]:
    about = ACTIONS[verb]
    yield from (f"## {verb}", "", VERBS[verb] + (f" {about.note}" if about.note else ""), "")
    yield from ("| input | meaning |", "|---|---|")
    for one in inputs(verb):
        needed = " **Required.**" if one.is_required else ""
        yield f"| `{one.name}` | {one.description}{needed} |"
    if about.has_token:
        yield "| `token` | The token that Assent acts with; otherwise that of the job. |"
    if about.outputs:
        yield from ("", "| output | meaning |", "|---|---|")
        yield from (f"| `{name}` | {OUTPUTS[name]} |" for name in about.outputs)
    yield ""
    yield from _example(verb, about.inputs, about.permissions)


def _example(name: str, given: Mapping[str, str], permissions: Mapping[str, str]) -> Iterator[str]:
    yield from ("```yml", "permissions:")
    yield from (f"  {scope}: {level}" for scope, level in sorted(permissions.items()))
    yield from ("steps:", f"  - uses: {OWNER}/{name}@{REVISION}")
    yield from ["    with:"] if given else []
    yield from (f"      {key}: {_plain(value)}" for key, value in given.items())
    yield "```"


def _plain(value: str) -> str:
    return _quoted(value) if value in ("true", "false") else value


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def files() -> dict[Path, str]:
    """Every file that is made, by its place."""
    made = {ROOT / "actions" / verb / "action.yml": action(verb) for verb in ACTIONS}
    made[ROOT / "actions/setup/action.yml"] = setup()
    for path in sorted((ROOT / "src/assent/verbs/github").glob("*.yml")):
        made[ROOT / "examples/github" / path.name] = path.read_text("utf-8")
    return made
