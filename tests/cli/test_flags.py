"""Flags of the environment: the same with every release of Click."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from assent.cli.flags import Flag, flag
from assent.cli.main import commands, group, variable


@click.command()
@flag("--exit-zero", "-z", help="…")
def command(exit_zero: bool) -> None:
    click.echo(repr(exit_zero))


command.params[0].envvar = "ASSENT_X_EXIT_ZERO"


def asked(*words: str, **env: str) -> Result:
    return CliRunner().invoke(command, words, env={"ASSENT_X_EXIT_ZERO": None, **env})


def said(text: str) -> Result:
    return asked(ASSENT_X_EXIT_ZERO=text)


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "on", " on\n"])
def test_yes(text: str) -> None:
    assert said(text).output == "True\n"


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "off", "", "  "])
def test_no(text: str) -> None:
    assert said(text).output == "False\n"


@pytest.mark.parametrize(
    "text", ["perhaps", "2", "t", "n", "--exit-zero", "exit-zero", "exit_zero", "None", "x" * 9_999]
)
def test_neither_is_a_usage_error(text: str) -> None:
    done = said(text)
    assert done.exit_code == 2
    assert f"ASSENT_X_EXIT_ZERO is {text[:40]!r}; it takes true or false" in done.output


def test_without_a_variable() -> None:
    assert asked().output == "False\n"
    assert asked("-z").output == "True\n"


@pytest.mark.parametrize("text", ["false", "", "perhaps"])
def test_the_command_line_wins(text: str) -> None:
    assert asked("--exit-zero", ASSENT_X_EXIT_ZERO=text).output == "True\n"


@pytest.mark.parametrize("verb", dict(commands()))
def test_every_flag_of_a_verb_is_read_like_this(verb: str) -> None:
    found = dict(commands())[verb]
    wanted = [one for one in found.params if one.required]
    needed = {variable(verb, one): "x" for one in wanted}
    for one in found.params:
        if isinstance(one, click.Option) and one.is_flag:
            assert isinstance(one, Flag), one.name
            env = {**needed, variable(verb, one): "perhaps"}
            done = CliRunner().invoke(group, verb.split(), env=env)
            assert (done.exit_code, "is 'perhaps'" in done.output) == (2, True), one.name


@pytest.mark.parametrize(("text", "is_json"), [("yes", True), ("False", False)])
def test_errors_are_json_where_it_was_asked_for(tmp_path: Path, text: str, is_json: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assent", "status"],
        cwd=tmp_path,
        env={**os.environ, "ASSENT_STATUS_JSON": text},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout.startswith(b'{"error"') == is_json
