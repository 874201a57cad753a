"""What a terminal shows: colours where they are wanted, lines that fit, the verb that was meant."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from assent.cli import output
from assent.cli.main import VERBS, group
from assent.core.approval import Heard
from assent.core.change import ReviewState
from assent.core.verdict import Finding, Outcome, Verdict
from assent.report.lines import cells
from tests.builders import AT, person

SCRIPT = """\
from assent.cli import output
from assent.cli.run import colour
from assent.core.verdict import Finding, Outcome, Verdict
import click
finding = Finding(rule="accuracy min 0.7", outcome=Outcome.FAILED, reason="word " * 40)
with click.Context(click.Command("x"), color=colour()).scope():
    output.decision(Verdict(findings=(finding,)))
    output.findings([finding])
    output.pairs([("label", "word " * 40)])
"""


def in_terminal(columns: int, **env: str) -> str:
    """What the script writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in _OF_TERMINALS}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=theirs,
        env={**environment, "TERM": "xterm", **env},
    )
    os.close(theirs)
    shown = b"".join(iter(lambda: _read(ours), b""))
    assert process.wait() == 0
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


_OF_TERMINALS = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # so ends a terminal whose other side is closed
        return b""


def test_a_terminal_has_colours_and_lines_that_fit() -> None:
    for columns in (60, 80, 200):
        shown = in_terminal(columns)
        assert "\x1b[31m" in shown
        assert max(map(cells, shown.splitlines())) <= columns


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_none_are_wanted(env: dict[str, str]) -> None:
    assert "\x1b" not in in_terminal(80, **env)


def test_an_empty_no_color_asks_for_nothing() -> None:
    assert "\x1b[31m" in in_terminal(80, NO_COLOR="")


def test_what_is_piped_has_no_colours_and_is_not_broken() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True)
    assert b"\x1b" not in done.stdout
    assert max(map(len, done.stdout.decode().splitlines())) > 200


def test_no_verb_at_all_lists_them_and_is_no_success() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assent"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Usage: assent [OPTIONS] VERB" in done.stderr
    assert all(verb in done.stderr for verb in VERBS)
    assert "\\n" not in done.stderr
    of_group = subprocess.run(
        [sys.executable, "-m", "assent", "store"], capture_output=True, text=True, check=False
    )
    assert of_group.returncode == 2
    assert "  copy " in of_group.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["timelin"], "there is no verb 'timelin'; did you mean 'timeline'?"),
        (["store", "cpy"], "there is no verb 'cpy'; did you mean 'copy'?"),
        (["zzz"], "there is no verb 'zzz'"),
        (["timeline", "--limt", "3"], "--limit"),
        (["timeline", "--kind", "promotd"], "did you mean 'promoted'?"),
    ],
)
def test_the_name_that_was_meant(words: list[str], told: str) -> None:
    done = CliRunner().invoke(group, words)
    assert done.exit_code == 2
    assert told in done.output


@pytest.fixture
def plain() -> Iterator[None]:
    with click.Context(click.Command("x"), color=False).scope():
        yield


def test_no_words_of_others_reach_the_terminal_as_they_are(
    plain: None, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b]0;title\x07\x1b[2J\u202e| `x` ::error::y\n::warning::z"
    heard = Heard(
        person=person(hostile),
        state=ReviewState.APPROVED,
        at=AT,
        head=None,
        bundle=None,
        counts=False,
        why=hostile,
    )
    finding = Finding(rule=hostile, outcome=Outcome.FAILED, reason=hostile, remedy=hostile)
    output.hanging(hostile)
    output.pairs([(hostile, hostile)])
    output.table([(hostile, hostile)])
    output.findings([finding])
    output.heard([heard])
    output.decision(Verdict(findings=(finding,)))
    shown = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert not any(line.startswith("::") for line in shown.splitlines())
