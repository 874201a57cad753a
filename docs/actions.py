"""The actions for GitHub, made from the command line and the table of `docs.wrappers`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from assent.cli.main import VERBS
from assent.cli.published import OUTPUTS
from docs.wrappers import MADE, READ, ROOT, WRAPPERS, inputs

OWNER = "OWNER/assent/actions"
REVISION = "0" * 40
ACTS_WITH = "The token that Assent acts with. The permissions that it needs are in docs/actions.md."
ACTIONS = WRAPPERS


def action(verb: str) -> str:
    """The `action.yml` of a verb."""
    about = ACTIONS[verb]
    lines = [f"# {MADE}", f"name: {_quoted(f'Assent: {verb}')}"]
    lines += [f"description: {_quoted(VERBS[verb])}", "inputs:"]
    for input_ in inputs(verb):
        lines += [f"  {input_.name}:", f"    description: {_quoted(input_.description)}"]
        lines += [f"    required: {str(input_.is_required).lower()}"]
        lines += [] if input_.is_required else ['    default: ""']
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
    lines += [
        f"        {input_.variable}: ${{{{ inputs.{input_.name} }}}}" for input_ in inputs(verb)
    ]
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
    for input_ in inputs(verb):
        needed = " **Required.**" if input_.is_required else ""
        yield f"| `{input_.name}` | {input_.description}{needed} |"
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
    for path in sorted((ROOT / "src/assent/forges/github/texts").glob("*.yml")):
        made[ROOT / "examples/github" / path.name] = path.read_text("utf-8")
    return made
