"""The command line as a whole: every verb is there, says what it does, and starts fast."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from assent.cli.ledger import VERBS as LEDGER
from assent.cli.main import VERBS, commands, group, variable
from assent.cli.store import VERBS as STORE
from assent.errors import AssentError

ROOT = Path(__file__).parents[2]
HEAVY = {"yaml", "jinja2", "psutil", "msgspec", "dotenv", "requests", "sklearn", "numpy"}

COMMANDS = dict(commands())
GROUPS = {"store": STORE, "ledger": LEDGER}
SAID = {
    **{verb: said for verb, said in VERBS.items() if verb not in GROUPS},
    **{f"{one} {verb}": said for one, verbs in GROUPS.items() for verb, said in verbs.items()},
}
"""Every command by its words, and what the list of verbs says of it."""

every_verb = pytest.mark.parametrize("verb", COMMANDS)


def command(verb: str) -> click.Command:
    return COMMANDS[verb]


def options(verb: str) -> list[click.Option]:
    return [one for one in command(verb).params if isinstance(one, click.Option)]


@every_verb
def test_a_verb_has_its_files(verb: str) -> None:
    name = verb.replace(" ", "_")
    assert (ROOT / f"src/assent/cli/{name}.py").is_file()
    assert (ROOT / f"src/assent/verbs/{name}.py").is_file()


def test_no_command_is_forgotten() -> None:
    shared = {"__init__", "flags", "main", "run", "options", "output", "published"}
    shared |= {"choices", "completion", "layout", "pages", "records"}
    files = {path.stem for path in (ROOT / "src/assent/cli").glob("*.py")}
    assert COMMANDS.keys() == SAID.keys()
    assert files - shared == {verb.replace(" ", "_") for verb in SAID} | GROUPS.keys()


@every_verb
def test_help_shows_what_it_does_and_an_example(verb: str) -> None:
    done = CliRunner().invoke(
        group, [*verb.split(), "--help"], prog_name="assent", terminal_width=100
    )
    assert done.exit_code == 0
    assert f"Usage: assent {verb}" in done.output
    example = done.output.partition("Example:\n")[2]
    assert example.strip().startswith(f"assent {verb}")
    for line in example.partition("\n\n")[0].strip().splitlines():
        words = line.split()
        assert " ".join(words).startswith(f"assent {verb}")


@every_verb
def test_the_first_line_says_what_the_list_of_verbs_says(verb: str) -> None:
    assert inspect.cleandoc(command(verb).help or "").split("\n\n")[0] == SAID[verb]


@every_verb
def test_every_option_has_help(verb: str) -> None:
    for option in options(verb):
        assert option.help, f"{option.opts} of {verb}"
        assert option.help.endswith((".", "?")), f"{option.opts} of {verb}: {option.help!r}"


@every_verb
def test_every_verb_speaks_json(verb: str) -> None:
    names = {name for option in options(verb) for name in option.opts}
    assert "--json" in names
    if verb not in ("init", "demo"):
        assert "--config" in names


def test_no_option_letter_means_two_things() -> None:
    """`-m` is the model everywhere or nowhere."""
    meanings: dict[str, set[str]] = {}
    for verb in COMMANDS:
        for option in options(verb):
            long = next(name for name in option.opts if name.startswith("--"))
            for name in option.opts:
                if not name.startswith("--"):
                    meanings.setdefault(name, set()).add(long)
    assert {letter: names for letter, names in meanings.items() if len(names) > 1} == {}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["-h"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    script = (
        "import sys\n"
        f"sys.argv[1:] = {words!r}\n"
        "from assent.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "import json\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    modules = {name.partition(".")[0] for name in json.loads(done.stderr)}
    assert modules & HEAVY == set()


@pytest.mark.parametrize(
    "verb", ["resolve", "status", "timeline", "note", "clear", "promote", "rollback", "retire"]
)
def test_a_verb_does_not_import_what_only_another_needs(verb: str) -> None:
    """A command that reads a pointer must not load what renders reports or watches processes."""
    script = (
        f"import sys, assent.cli.{verb}, assent.wiring\n"
        "print(','.join(name for name in ('jinja2', 'psutil') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b""


def test_every_verb_can_be_listed() -> None:
    done = CliRunner().invoke(group, ["--help"], prog_name="assent", terminal_width=100)
    assert "Usage: assent [OPTIONS] VERB [ARGS]..." in done.output
    for verb, help_text in VERBS.items():
        assert verb in done.output
        assert help_text in done.output


def variables() -> dict[str, str]:
    """The variable of every option and argument, and whose it is."""
    found: dict[str, str] = {}
    for verb in COMMANDS:
        for parameter in command(verb).params:
            name = variable(verb, parameter)
            assert name not in found, f"{name} is {found[name]} and {verb}"
            assert parameter.envvar == name
            found[name] = verb
    return found


def test_an_option_can_come_from_the_environment() -> None:
    """That is how the actions and templates pass their inputs."""
    done = CliRunner().invoke(group, ["demo"], env={"ASSENT_DEMO_TO": str(ROOT)})
    assert "the folder is not empty" in str(done.exception)


def test_every_option_and_argument_has_one_variable_named_as_itself() -> None:
    found = variables()
    assert {"ASSENT_PULL_TO", "ASSENT_PULL_NAME", "ASSENT_REVIEW_BUNDLE"} <= set(found)
    assert all(re.fullmatch(r"ASSENT_[A-Z]+_[A-Z_]+", name) for name in found)
    documented = {"ASSENT_TRACEBACK", "ASSENT_RUN_ID", "ASSENT_RUN_ATTEMPT", "ASSENT_RUN_ADDRESS"}
    assert documented & set(found) == set()


@pytest.mark.parametrize("name", ["ASSENT_HELP", "ASSENT_VERSION", "ASSENT_STATUS_HELP"])
def test_no_variable_turns_a_verb_into_something_else(name: str) -> None:
    done = CliRunner().invoke(group, ["resolve"], env={name: "1"}, prog_name="assent")
    assert "Missing argument 'NAME'" in done.output


def test_an_argument_can_come_from_the_environment_and_the_command_line_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"ASSENT_RESOLVE_NAME": "production", "ASSENT_INIT_NAME": "other"}
    done = CliRunner().invoke(group, ["resolve"], env=env)
    assert "Missing argument" not in done.output
    assert CliRunner().invoke(group, ["init", "--name", "churn"], env=env).exit_code == 0
    assert "  churn:\n" in (tmp_path / "assent.yaml").read_text()


def test_an_empty_variable_gives_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An action passes an input that was not given as an empty text."""
    monkeypatch.chdir(tmp_path)
    env = dict.fromkeys(variables(), "")
    assert CliRunner().invoke(group, ["init", "--name", "churn"], env=env).exit_code == 0
    done = CliRunner().invoke(group, ["resolve"], env=env)
    assert "Missing argument 'NAME'" in done.output
    done = CliRunner().invoke(group, ["promote", "staging"], env=env)
    assert isinstance(done.exception, AssentError), done.output  # read, and then found wanting
