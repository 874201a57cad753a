"""Write the documents that are made from the code. A test compares them with what is committed.

Usage: python -m docs.generate
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from assent.cli.main import commands
from assent.config.settings import json_schema
from assent.errors import ExitCode
from docs import actions, api, forges, templates

DOCS = Path(__file__).parent
EXIT_CODES = {
    ExitCode.DONE: "done, or the verdict passed",
    ExitCode.BUG: "a bug in Assent",
    ExitCode.USAGE: "your configuration or usage",
    ExitCode.OUTSIDE: "the outside world: forge, store, network, disk",
    ExitCode.INTEGRITY: "the ledger or the store does not verify",
    ExitCode.BLOCKED: "blocked by a gate or by policy",
    ExitCode.WAITING: "waiting for approval, or for time in a stage",
}


def cli() -> str:
    """The reference of the command line."""
    lines = [
        "# Command line",
        "",
        "<!-- Made by `python -m docs.generate`. -->",
        "",
        "Every option and argument can also be given in the environment: `ASSENT_<VERB>_<NAME>`,",
        "for example `ASSENT_PROMOTE_REASON` or `ASSENT_PROMOTE_STAGE`. An empty variable gives",
        "nothing. A flag's says `true`, `false`, `1`, `0`, `yes`, `no`, `on` or `off`; anything",
        "else is an error. Results go to standard output, progress and errors to standard error.",
        "With `--json`, standard output is one JSON document.",
        "",
        "A terminal has colours, and lines as long as it is wide; a file or a pipe has neither.",
        "`NO_COLOR` turns colours off. A shell completes verbs, options, models, stages and",
        "versions once it was told to:",
        "",
        "```text",
        'eval "$(_ASSENT_COMPLETE=bash_source assent)"      # in ~/.bashrc',
        'eval "$(_ASSENT_COMPLETE=zsh_source assent)"       # in ~/.zshrc',
        "_ASSENT_COMPLETE=fish_source assent | source       # in ~/.config/fish/config.fish",
        "```",
        "",
        "In GitHub Actions a verb also writes the step's outputs and summary, and annotations for",
        "what blocks; see [github.md](github.md). On GitLab, where `ASSENT_REPORTS` is a folder,",
        "it writes there what GitLab reads of a job; see [gitlab.md](gitlab.md).",
        "",
        "## Exit codes",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {code.value} | {EXIT_CODES[code]} |" for code in ExitCode),
        "| 130 | interrupted by Ctrl-C or a polite end (SIGTERM) |",
        "",
        "`train`, `evaluate` and `review` pass on the exit code of your own command when it fails.",
    ]
    for verb, command in commands():
        lines += ["", f"## {verb}", "", *_verb(verb, command)]
    return "\n".join(lines) + "\n"


def schema() -> str:
    """The JSON Schema of `assent.yaml`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _verb(verb: str, command: click.Command) -> list[str]:
    context = click.Context(command, info_name=f"assent {verb}", parent=None)
    text, _, example = (command.help or "").partition("Example:\n")
    usage = " ".join(command.collect_usage_pieces(context))
    paragraphs = [re.sub(r"\s*\n\s*", " ", part).strip("\b ") for part in text.split("\n\n")]
    lines = ["```", f"assent {verb} {usage}", "```", ""]
    for paragraph in paragraphs:
        lines += [paragraph, ""] if paragraph else []
    lines += ["| option | meaning |", "|---|---|"]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            record = parameter.get_help_record(context)
            if record is not None:
                name, meaning = (part.replace("|", "\\|") for part in record)
                lines.append(f"| `{name}` | {meaning} |")
    example = "\n".join(line.strip() for line in example.strip().splitlines())
    return [*lines, "", "```sh", example, "```"]


FILES = {
    "cli.md": cli,
    "assent.schema.json": schema,
    "actions.md": actions.document,
    "templates.md": templates.document,
    "forges.md": forges.document,
    "api.md": api.document,
}


def main() -> None:
    """Write all of them."""
    for name, make in FILES.items():
        (DOCS / name).write_text(make(), "utf-8")
    for path, text in (actions.files() | templates.files()).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
