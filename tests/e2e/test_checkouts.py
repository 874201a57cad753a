"""Checkouts that are not whole, and repositories within repositories: what is not there, or is of
no commit, is never taken for what the commit has.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import new_repository, run_git
from tests.e2e.project import FILES, GRACE, Project, new_project

ALLOW = ("-c", "protocol.file.allow=always")
SUM = (
    "mkdir -p model; cat $(find src -name '*.py' | sort) params.yaml >model/w; "
    "echo train >>runs.log"
)


def add_submodule(mine: Project, place: str, **files: str) -> None:
    """A submodule with some files; `name__py` for `name.py`."""
    source = new_repository(
        mine.folder.parent / f"source-{len(list(mine.folder.parent.iterdir()))}"
    )
    for name, text in files.items():
        (source / name.replace("__", ".")).write_text(text)
    run_git(source, "add", "-A")
    run_git(source, "commit", "-qm", "source")
    mine.git(*ALLOW, "submodule", "--quiet", "add", str(source), place)


def of_sources(tmp_path: Path) -> Project:
    """A project whose model is the sum of what lies in `src`."""
    text = FILES["assent.yaml"].replace("[train.sh, data/train.csv]", "[train.sh, 'src/**']")
    return new_project(
        tmp_path / "place", {**FILES, "assent.yaml": text, "train.sh": SUM, "src/a.py": "a\n"}
    )


# --- repositories within the repository -----------------------------------------------------------


@pytest.mark.parametrize("how", ["a repository of its own", "a submodule"])
def test_a_file_that_no_commit_has_is_an_uncommitted_change(tmp_path: Path, how: str) -> None:
    mine = of_sources(tmp_path)
    if how == "a submodule":
        add_submodule(mine, "src/lib", code__py="code\n")
        mine.commit("a submodule", push=True)
    else:
        new_repository(mine.folder / "src/lib")
    mine.write("src/lib/new.py", "new\n")
    evidence = mine.run("review", "--json", code=11).json["report"]["evidence"]
    assert "src/lib/new.py" in evidence["inputs"]
    assert evidence["code"]["is_dirty"]
    assert evidence["code"]["changed"] == ["src/lib/new.py"]
    assert "`src/lib/new.py`" in mine.comment()
    mine.run("approve", "--as", GRACE)
    assert "src/lib/new.py" in mine.run("register", code=10).stderr


def test_a_changed_file_of_a_submodule_is_named_and_not_registered(tmp_path: Path) -> None:
    mine = of_sources(tmp_path)
    add_submodule(mine, "src/lib", code__py="code\n")
    mine.commit("a submodule", push=True)
    mine.write("src/lib/code.py", "other\n")
    evidence = mine.run("review", "--json", code=11).json["report"]["evidence"]
    assert evidence["code"]["changed"] == ["src/lib/code.py"]
    mine.run("approve", "--as", GRACE)
    assert "src/lib/code.py" in mine.run("register", code=10).stderr


@pytest.mark.parametrize("model", ["out/w", "out"])
def test_a_model_in_a_submodule_is_no_uncommitted_change(tmp_path: Path, model: str) -> None:
    mine = of_sources(tmp_path)
    mine.edit("assent.yaml", "model: model/", f"model: {model}")
    mine.write("train.sh", SUM.replace("model", "out"))
    add_submodule(mine, "out", w="first\n")
    mine.commit("a submodule", push=True)
    mine.register()
    for text in ("b\n", "c\n"):
        mine.write("src/a.py", text)
        mine.commit("other code", push=True)
        evidence = mine.run("review", "--json", code=11).json["report"]["evidence"]
        assert not evidence["code"]["is_dirty"]
    if model == "out/w":
        mine.write("out/other.txt", "not an output\n")
        mine.git("-C", "out", "add", "other.txt")
        evidence = mine.run("review", "--force", "--json", code=11).json["report"]["evidence"]
        assert evidence["code"]["changed"] == ["out/other.txt"]
