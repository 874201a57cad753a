"""What a shell offers while somebody types."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from assent.cli.main import VERBS, group
from assent.git import Repository
from assent.ledgers.git.ledger import GitLedger
from tests.builders import new_repository, registered, run_git
from tests.verbs.place import CONFIG


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = new_repository(tmp_path / "work")
    (folder / "assent.yaml").write_text(CONFIG)
    ledger = GitLedger(Repository(folder), None)
    for number in (1, 2):
        ledger.append(ledger.read("churn"), [registered(number)])
    monkeypatch.chdir(folder)
    return folder


def offered(*words: str) -> list[str]:
    *before, incomplete = words
    shell = ShellComplete(group, {}, "assent", "_ASSENT_COMPLETE")
    return [item.value for item in shell.get_completions(list(before), incomplete)]


def test_verbs_and_options() -> None:
    assert offered("") == list(VERBS)
    assert offered("ti") == ["timeline"]
    assert offered("store", "c") == ["copy"]
    assert "--since" in offered("timeline", "--s")
    assert offered("timeline", "--kind", "roll") == ["rolled_back"]


def test_models_stages_and_versions(here: Path) -> None:
    assert offered("status", "") == ["churn"]
    assert offered("status", "x") == []
    assert offered("promote", "") == ["staging", "production"]
    assert offered("promote", "staging", "") == ["v2", "v1"]
    assert offered("pull", "s") == ["staging"]
    assert offered("show", "v") == ["v2", "v1"]
    assert offered("diff", "v1", "v2") == ["v2"]
    assert offered("rollback", "staging", "--to", "") == ["v2", "v1"]
    assert offered("note", "x", "--model", "") == ["churn"]
    assert offered("timeline", "churn", "") == ["churn"]
    assert offered("timeline", "--stage", "prod") == ["production"]


def test_nothing_is_offered_and_nothing_fails_where_nothing_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert offered("promote", "") == []
    (tmp_path / "assent.yaml").write_text("nonsense: [")
    assert offered("status", "") == []
    assert capfd.readouterr() == ("", "")


def test_a_ledger_that_cannot_be_reached_offers_stages_still(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_git(here, "remote", "add", "origin", str(here / "nowhere"))
    assert offered("pull", "") == ["staging", "production"]
    assert capfd.readouterr() == ("", "")
