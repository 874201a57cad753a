"""What `diff` is asked and cannot do, it says; nothing is silently left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from assent.cli.diff import command
from assent.errors import UsageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("old.csv", "new.csv"):
        (tmp_path / name).write_text("id,value\n1,2\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(*words: str) -> UsageError:
    result = CliRunner().invoke(command, words)
    assert isinstance(result.exception, UsageError), result.output
    return result.exception


@pytest.mark.parametrize(
    "words",
    [
        ("--key", "id"),
        ("--label", "value"),
        ("--rows-only",),
        ("--save-profile", "new.json.gz"),
    ],
)
def test_an_option_of_data_is_not_ignored_without_it(words: tuple[str, ...]) -> None:
    error = refused("--files", "old.csv", "new.csv", *words)
    assert error.problem == f"{words[0]} means nothing without --data"
    assert refused("v1", "v2", *words).hint == "add --data"


def test_an_option_of_files_is_not_ignored_without_it() -> None:
    error = refused("--data", "old.csv", "new.csv", "--no-weights")
    assert error.problem == "--no-weights means nothing without --files"


def test_a_profile_gets_a_name_by_which_it_is_known_again(here: Path) -> None:
    error = refused("--data", "old.csv", "new.csv", "--save-profile", "new.json")
    assert error.hint == "give it a name that ends in .json.gz"
    assert not (here / "new.json").exists()


def test_two_files_are_data_or_models() -> None:
    assert "--data to compare data" in (refused("old.csv", "new.csv").hint or "")
    assert "--data" not in (refused("v1", "new.csv").hint or "")


def test_a_model_that_is_not_there_is_not_said_to_need_training() -> None:
    error = refused("--files", "old.csv", "nothing")
    assert "there is no file or folder 'nothing'" in error.problem
    assert "train" not in (error.hint or "")
