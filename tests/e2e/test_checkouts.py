"""Checkouts that are not whole, and repositories within repositories: what is not there, or is of
no commit, is never taken for what the commit has.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assent.core.digest import digest_of
from tests.builders import new_repository, run_git
from tests.e2e.project import FILES, GRACE, Project, new_project
from tests.effort import more_in_soak

ALLOW = ("-c", "protocol.file.allow=always")
SUM = (
    "mkdir -p model; cat $(find src -name '*.py' | sort) params.yaml >model/w; "
    "echo train >>runs.log"
)


def add_submodule(mine: Project, place: str, **files: str) -> Path:
    """A submodule with some files, `name__py` for `name.py`; the repository that it is of."""
    source = new_repository(
        mine.folder.parent / f"source-{len(list(mine.folder.parent.iterdir()))}"
    )
    for name, text in files.items():
        (source / name.replace("__", ".")).write_text(text)
    run_git(source, "add", "-A")
    run_git(source, "commit", "-qm", "source")
    mine.git(*ALLOW, "submodule", "--quiet", "add", str(source), place)
    return source


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


# --- checkouts that are not whole -----------------------------------------------------------------


def refused(mine: Project, *named: str) -> None:
    """The review says what is missing, and neither judges nor leaves anything."""
    said = mine.run("review", code=2).stderr
    assert [one for one in named if one not in said] == [], said
    assert not (mine.folder / ".assent/review").exists()


@pytest.mark.parametrize(
    "what", ["inputs: ['src/**']", "inputs: [src]", "params: ['src/*/*.yaml']"]
)
def test_inputs_that_a_sparse_checkout_has_left_out(tmp_path: Path, what: str) -> None:
    mine = of_sources(tmp_path)
    key = what.partition(":")[0]
    mine.edit("assent.yaml", "inputs: [train.sh, 'src/**']", "inputs: [train.sh]")
    mine.edit("assent.yaml", "params: [params.yaml]", "# more")
    mine.edit("assent.yaml", "# more" if key == "params" else "inputs: [train.sh]", what)
    for name in ("src/x/b.py", "src/y/b.yaml", "docs/a.py"):
        mine.write(name, "a: 1\n")
    mine.commit("sources", push=True)
    clone = mine.clone("sparse")
    clone.git("sparse-checkout", "set", "--no-cone", "/*", "!/src/y", "!/docs")
    refused(clone, "src/y/b.yaml", "sparse checkout", "sparse-checkout add")
    assert not clone.runs()
    clone.git("sparse-checkout", "set", "--no-cone", "/*", "!/docs")
    clone.run("review", code=11)


def test_outputs_that_a_sparse_checkout_has_left_out_are_not_missed(tmp_path: Path) -> None:
    mine = of_sources(tmp_path)
    mine.write(".gitignore", ".assent/\nruns.log\nmetrics.json\n")
    for name in ("model/old/w", "src/old.json"):
        mine.write(name, "of an earlier run\n")
    mine.edit("assent.yaml", "metrics: [metrics.json]", "metrics: ['**/*.json']")
    mine.commit("outputs", push=True)
    clone = mine.clone("sparse")
    clone.git("sparse-checkout", "set", "--no-cone", "/*", "!/model", "!/src/old.json")
    clone.run("review", code=11)


def test_a_model_of_which_a_sparse_checkout_has_a_part(tmp_path: Path) -> None:
    text = "".join(
        line
        for line in FILES["assent.yaml"].splitlines(keepends=True)
        if not line.strip().startswith(("train: sh", "evaluate:", "inputs:", "params:"))
    )
    files = {"assent.yaml": text, ".gitignore": ".assent/\n", "metrics.json": '{"accuracy": 0.9}'}
    parts = {"model/a.bin": "a\n", "model/sub/b.bin": "b\n"}
    mine = new_project(tmp_path / "place", {**FILES, **files, **parts})
    clone = mine.clone("sparse")
    clone.git("sparse-checkout", "set", "--no-cone", "/*", "!/model/sub")
    refused(clone, "model/sub/b.bin", "sparse checkout")
    clone.git("sparse-checkout", "disable")
    clone.run("review", code=11)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("'src/**'", "src"),
        ("inputs: [train.sh, 'src/**']", "inputs: [src/lib/code.py]"),
        *more_in_soak(("'src/**'", "'src/**/*.py'"), ("'src/**'", "src/lib/code.py")),
        *more_in_soak(("params: [params.yaml]", "params: ['src/lib/*.yaml']")),
        ("train: data/train.csv", "train: 'src/**/*.csv'"),
        ("train: sh train.sh", "train: sh src/lib/go.sh"),
    ],
)
def test_a_submodule_that_is_not_fetched(tmp_path: Path, old: str, new: str) -> None:
    mine = of_sources(tmp_path)
    mine.edit("assent.yaml", old, new)
    add_submodule(mine, "src/lib", code__py="code\n", a__yaml="a: 1\n", a__csv="x\n", go__sh=SUM)
    mine.write("src/a.csv", "x\n")
    mine.commit("a submodule", push=True)
    clone = mine.clone("fresh")
    refused(clone, "src/lib", "submodule that is not fetched", "git submodule update --init")
    assert not clone.runs()
    clone.git(*ALLOW, "submodule", "--quiet", "update", "--init")
    clone.run("review", code=11)


def test_a_submodule_within_a_submodule_that_is_not_fetched(tmp_path: Path) -> None:
    mine = of_sources(tmp_path)
    source = add_submodule(mine, "src/lib", code__py="code\n")
    add_submodule(Project(source, env=mine.env), "deep", code__py="deep\n")
    run_git(source, "commit", "-qm", "deep")
    mine.git("-C", "src/lib", "pull", "--quiet")
    mine.commit("a submodule with a submodule", push=True)
    assert (mine.folder / "src/lib/code.py").exists()
    refused(mine, "src/lib/deep", "--recursive")


def test_a_repository_that_was_added_as_one_and_cannot_be_fetched(tmp_path: Path) -> None:
    mine = of_sources(tmp_path)
    own = new_repository(mine.folder / "src/own")
    (own / "b.py").write_text("b\n")
    run_git(own, "add", "-A")
    run_git(own, "commit", "-qm", "own")
    mine.commit("a repository as a folder", push=True)
    refused(mine.clone("fresh"), "src/own", "nobody can fetch it")


def test_a_submodule_that_the_command_fetches(tmp_path: Path) -> None:
    mine = of_sources(tmp_path)
    add_submodule(mine, "src/lib", code__py="code\n")
    mine.edit(
        "assent.yaml",
        "train: sh train.sh",
        "train: git -c protocol.file.allow=always submodule update --init && sh train.sh",
    )
    mine.commit("a submodule", push=True)
    clone = mine.clone("fresh")
    evidence = clone.run("review", "--json", code=11).json["report"]["evidence"]
    assert "src/lib/code.py" in evidence["inputs"]
    assert evidence["products"] == []
    assert not evidence["code"]["is_dirty"]


@pytest.mark.parametrize(
    "link", ["model/w", "src/b.py", "src/sub", "params.yaml", "data/train.csv"]
)
def test_links_in_a_checkout_that_has_none(tmp_path: Path, link: str) -> None:
    mine = of_sources(tmp_path)
    mine.write("real/place", "x,y\n1,2\n")
    mine.write(".gitignore", ".assent/\nruns.log\nmetrics.json\n")
    (mine.folder / link).parent.mkdir(exist_ok=True)
    (mine.folder / link).unlink(missing_ok=True)
    (mine.folder / link).symlink_to("../real/place" if "/" in link else "real/place")
    if link == "model/w":
        mine.edit("assent.yaml", "    train: sh train.sh\n", "")
    mine.commit("a link", push=True)
    clone = mine.clone("without", "-c", "core.symlinks=false")
    assert clone.git("status", "--porcelain") == ""
    refused(clone, link, "the text of a link")
    clone.write(link, "a file of its own")
    clone.run("review", code=11 if link != "params.yaml" else 10)


# --- pointers, and commands that may fetch --------------------------------------------------------

CONTENT = "x,y\n1,2\n"
POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    f"oid sha256:{hashlib.sha256(CONTENT.encode()).hexdigest()}\nsize {len(CONTENT)}\n"
)


@pytest.mark.parametrize(
    ("fetched", "code", "said"),
    [(None, 2, "Git LFS pointer"), (CONTENT, 11, ""), ("x\n", 2, "has changed")],
)
def test_an_input_that_the_command_is_to_fetch(
    tmp_path: Path, fetched: str | None, code: int, said: str
) -> None:
    mine = of_sources(tmp_path)
    mine.write("src/data.csv", POINTER)
    mine.edit("assent.yaml", "train: sh train.sh", "train: make")
    fetch = "" if fetched is None else f"printf '{fetched!r}' >src/data.csv; ".replace("''", "'")
    mine.write("Makefile", f"all:\n\t{fetch}sh train.sh\n")
    mine.commit("a pointer", push=True)
    ran = mine.run("review", "--json", code=code)
    assert said in ran.stderr
    if code == 11:
        inputs = ran.json["report"]["evidence"]["inputs"]
        assert inputs["src/data.csv"] == digest_of(CONTENT.encode())
    else:
        assert not (mine.folder / "model/w").exists()


def test_an_input_of_the_evaluation_that_is_a_pointer(tmp_path: Path) -> None:
    mine = of_sources(tmp_path)
    mine.edit("assent.yaml", "    train: sh train.sh\n", "")
    mine.write("model/w", "given\n")
    mine.write("src/data.csv", POINTER)
    mine.commit("a pointer", push=True)
    refused(mine, "src/data.csv", "Git LFS pointer")
