"""A version whose change was taken back on the base branch: said by every verb, and not shipped
by one that names no version. Where Git cannot tell, nobody is stopped.
"""

from __future__ import annotations

import pytest

from tests.e2e.project import FILES, GRACE, Project

BACK = "is back at the inputs of v1; the newest version, v2,"
UNKNOWN = "it is not known whether main still has the inputs"


def revert(mine: Project) -> None:
    """Take back what made v2, on main."""
    mine.git("checkout", "--quiet", "main")
    mine.git("revert", "--no-edit", "--mainline", "1", "HEAD")
    mine.git("push", "--quiet", "origin", "main")


def shipped_by_plain_promotion(mine: Project, stage: str = "shadow") -> tuple[int, str]:
    """The version, and all that was said of it."""
    ran = mine.run("promote", stage, "--json")
    return ran.json["version"], ran.json["sentence"] + ran.stderr


def test_every_verb_says_that_main_is_back(second: Project) -> None:
    revert(second)
    second.run("review")
    assert f"main {BACK}" in second.comment()
    assert f"v1 already; main {BACK}" in second.run("register").stdout


def test_what_main_is_of_is_promoted(second: Project) -> None:
    revert(second)
    version, said = shipped_by_plain_promotion(second)
    assert version == 1
    assert f"main {BACK}" in said
    assert "promote v1 to shadow" in second.entries()


def test_the_newest_is_promoted_by_its_name(second: Project) -> None:
    revert(second)
    assert f"main {BACK}" in second.run("promote", "shadow", "v2").stdout
    assert "promote v2 to shadow" in second.entries()


def test_a_stage_that_holds_it_already_does_not_move_back(second: Project) -> None:
    second.run("promote", "shadow")
    revert(second)
    refused = second.run("promote", "shadow", code=10)
    assert "assent rollback shadow --to v1" in refused.stdout
    assert f"main {BACK}" in refused.stdout


def test_a_change_that_takes_it_back_says_so_before_it_is_merged(second: Project) -> None:
    second.branch("undo")
    second.write("params.yaml", FILES["params.yaml"])
    second.commit("another way to undo it")
    second.run("review", code=0)
    assert f"This change {BACK}" in second.comment()
    second.merge("undo", "--squash")
    assert shipped_by_plain_promotion(second)[0] == 1


def test_a_change_from_before_takes_nothing_back(second: Project) -> None:
    second.branch("older", start="main~1")
    second.write("README.md", "words")
    second.commit("docs")
    second.run("review")
    assert BACK not in second.comment()


@pytest.mark.parametrize("change", ["README.md", "train.sh"])
def test_a_main_that_has_moved_on(second: Project, change: str) -> None:
    """Docs leave v2 what main is of; new code makes it of no version yet."""
    second.git("checkout", "--quiet", "main")
    second.write(change, FILES["train.sh"] + "\n# more\n")
    second.commit("onwards", push=True)
    version, said = shipped_by_plain_promotion(second)
    assert (version, BACK in said, UNKNOWN in said) == (2, False, False)


def test_a_third_version_of_the_inputs_of_the_first(second: Project) -> None:
    revert(second)
    second.run("review", "--force", code=11)
    second.run("approve", "--as", GRACE)
    second.run("register")
    assert shipped_by_plain_promotion(second)[0] == 3


def test_a_clone_that_has_not_heard_of_the_newest(second: Project) -> None:
    second.git("update-ref", "refs/remotes/origin/main", "main~1")
    version, said = shipped_by_plain_promotion(second)
    assert version == 2
    assert UNKNOWN in said


def test_a_clone_without_history(second: Project) -> None:
    revert(second)
    shallow = second.clone("shallow", "--depth=1")
    version, said = shipped_by_plain_promotion(shallow)
    assert version == 2
    assert UNKNOWN in said


def test_the_first_version_has_nothing_to_go_back_to(registered: Project) -> None:
    registered.write("params.yaml", "accuracy: 0.7\n")
    registered.commit("onwards", push=True)
    version, said = shipped_by_plain_promotion(registered)
    assert (version, UNKNOWN in said) == (1, False)


def test_a_retired_version_is_none_to_speak_of(second: Project) -> None:
    revert(second)
    second.run("retire", "v2", "--reason", "taken back")
    version, said = shipped_by_plain_promotion(second)
    assert (version, BACK in said) == (1, False)
