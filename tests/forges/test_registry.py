"""What is known of the forges before any of them is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

import assent.forges
from assent.ci.environment import hidden_tokens, without_ci
from assent.forges.description import Description
from assent.forges.registry import FILES, FORGES, TOKENS, of_run

HERE = Path(assent.forges.__file__).parent


def test_every_folder_of_a_forge_is_in_the_registry() -> None:
    folders = {path.parent.name for path in HERE.glob("*/description.py")}
    assert folders == set(FORGES)
    assert all(name == one.name for name, one in FORGES.items())


@pytest.mark.parametrize("forge", FORGES.values(), ids=lambda one: one.name)
def test_a_description_leads_to_all_of_a_forge(forge: Description) -> None:
    for module, names in {
        forge.context(): ("read_run", "read_channel", "read_context"),
        forge.opening(): ("credentials", "git_account", "open_forge", "pipelines"),
    }.items():
        assert [name for name in names if not callable(getattr(module, name))] == []
    assert forge.files.guarding
    assert forge.tokens


def test_what_guards_a_repository_on_any_forge_guards_it() -> None:
    """A repository can be mirrored: `CODEOWNERS` for one forge, a pipeline for another."""
    assert FILES.guarding == (
        *(".github/workflows", ".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
        *(".gitlab-ci.yml", ".gitlab/CODEOWNERS"),
    )
    assert (FILES.folders, FILES.names) == ((".github", ".gitlab"), (".gitlab-ci.yml",))


def test_a_run_is_of_one_forge() -> None:
    known = {"GITHUB_ACTIONS": "github", "GITLAB_CI": "gitlab"}
    for name, forge in known.items():
        found = of_run({name: "true"})
        assert found is not None
        assert found.name == forge
        assert of_run({name: "false"}) is None
    assert of_run({}) is None


def test_commands_in_ci_are_told_of_no_token_of_any_forge() -> None:
    assert TOKENS == ("GITHUB_TOKEN", "GH_TOKEN", "ASSENT_GITLAB_TOKEN", "ASSENT_LEDGER_TOKEN")
    assert hidden_tokens({"GITLAB_CI": "true"}) == hidden_tokens({"GITHUB_ACTIONS": "true"})
    assert hidden_tokens({"GITLAB_CI": "true"}) == TOKENS
    assert hidden_tokens({"CI": "true"}) == ()


def test_a_laptop_has_nothing_of_a_ci() -> None:
    of_ci = ("ASSENT_FORGE", "CI_JOB_ID", "GITHUB_SHA", "GITLAB_CI")
    assert without_ci(dict.fromkeys(("HOME", "CITY", *of_ci), "1")) == {"HOME": "1", "CITY": "1"}
