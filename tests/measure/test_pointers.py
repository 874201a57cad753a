"""What stands for other bytes is named with its remedy, wherever bytes are taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from assent.config.settings import PredictionsSettings
from assent.errors import UsageError
from assent.measure.data import read_data
from assent.measure.files import expand
from assent.measure.metrics import read_metrics
from assent.measure.model_files import model_files
from assent.measure.models import inspect
from assent.measure.params import read_params
from assent.measure.pointers import StandInError, require_real, stand_in, stand_ins, why_missing
from assent.measure.predictions.reading import read_predictions
from assent.measure.profiles.reading import open_table
from tests.builders import new_repository, run_git

LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{7:064d}\nsize 12345678\n"
DVC = "outs:\n- md5: 0123456789abcdef0123456789abcdef\n  size: 14\n  path: train.csv\n"
KEY = "SHA256E-s5--0123.bin/SHA256E-s5--0123.bin"
POINTERS = {
    LFS: "Git LFS",
    LFS.replace("git-lfs", "hawser"): "Git LFS",
    LFS.replace("\n", "\r\n"): "Git LFS",
    "version https://git-lfs.github.com/spec/v1\next-0-x sha256:1\noid sha256:2\nsize 3\n": "LFS",
    LFS.replace("https://git-lfs.github.com/spec/v1", "http://git-media.io/v/2"): "Git LFS",
    "\0GITCRYPT\0" + "x" * 12: "git-crypt",
    "\0GITCRYPT\0" + "x" * 5000: "git-crypt",
    "/annex/objects/SHA256E-s5--0123.bin\n": "git-annex",
    f"../../.git/annex/objects/xx/yy/{KEY}": "git-annex",
    "#$# git-fat 0123456789abcdef0123456789abcdef01234567                 1000\n": "git-fat",
}


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("text", POINTERS)
def test_a_pointer_is_known_by_its_content(tmp_path: Path, text: str) -> None:
    kind = stand_in(write(tmp_path, "weights.bin", text))
    assert kind is not None
    assert POINTERS[text] in kind.what
    assert kind.remedy


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("weights.bin", ""),
        ("weights.bin", "x"),
        ("README.md", f"A pointer looks so:\n{LFS}"),
        ("long.txt", LFS + "x" * 2000),
        ("version.txt", "version 1\n"),
        ("crypt.bin", "\0GITCRYPT"),
        ("large.bin", "x\0GITCRYPT\0" + "x" * 5000),
        ("x.dvc", "no: outs\n"),
        ("outs.yaml", DVC),
    ],
)
def test_a_file_is_itself(tmp_path: Path, name: str, text: str) -> None:
    assert stand_in(write(tmp_path, name, text)) is None


def test_what_is_no_file_is_nothing_s_stand_in(tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to("nothing")
    os.mkfifo(tmp_path / "pipe")
    assert [stand_in(tmp_path / name) for name in ("nowhere", "pipe", "absent", ".")] == [None] * 4


# --- every place where bytes are taken ------------------------------------------------------------


def of_metrics(root: Path, name: str) -> str:
    [problem] = read_metrics(root, [name]).problems
    return problem.problem


def of_params(root: Path, name: str) -> str:
    [problem] = read_params(root, [name]).problems
    return problem.problem


def of_data(root: Path, name: str) -> str:
    reference, problem = read_data(root, "train", name)
    assert reference is None
    assert problem is not None
    return problem.problem


def of_model(root: Path, name: str) -> str:
    with pytest.raises(StandInError) as caught:
        model_files(root, name)
    return f"{caught.value.problem}: {caught.value.hint}"


def of_predictions(root: Path, name: str) -> str:
    settings = PredictionsSettings(path=name, id="id", label="y", prediction="p")
    with pytest.raises(StandInError) as caught:
        read_predictions(root, settings)
    return f"{caught.value.problem}: {caught.value.hint}"


def of_table(root: Path, name: str) -> str:
    with pytest.raises(StandInError) as caught, open_table(root, name):
        pass
    return f"{caught.value.problem}: {caught.value.hint}"


Taker = Callable[[Path, str], str]
TAKERS: list[Taker] = [of_metrics, of_params, of_data, of_model, of_predictions, of_table]
NAMES: dict[Taker, str] = {of_metrics: "m.json", of_params: "p.yaml"}
taken = pytest.mark.parametrize("taker", TAKERS, ids=lambda taker: taker.__name__)


@taken
def test_a_pointer_of_lfs_says_what_to_do(tmp_path: Path, taker: Taker) -> None:
    name = NAMES.get(taker, "data.csv")
    write(tmp_path, name, LFS)
    said = taker(tmp_path, name)
    assert "Git LFS pointer" in said
    assert "git lfs pull" in said
    assert "lfs: true" in said


@taken
def test_what_only_dvc_has_says_what_to_do(tmp_path: Path, taker: Taker) -> None:
    name = NAMES.get(taker, "data.csv")
    write(tmp_path, f"{name}.dvc", DVC)
    said = taker(tmp_path, name)
    assert "dvc pull" in said
    assert f"{name}.dvc" in said


@taken
def test_a_link_to_what_git_annex_has_elsewhere(tmp_path: Path, taker: Taker) -> None:
    name = NAMES.get(taker, "data.csv")
    (tmp_path / name).symlink_to(f".git/annex/objects/xx/yy/{KEY}")
    assert "git annex get" in taker(tmp_path, name)


@taken
def test_a_submodule_that_is_not_fetched(tmp_path: Path, taker: Taker) -> None:
    name = f"vendor/deep/{NAMES.get(taker, 'data.csv')}"
    write(tmp_path, ".gitmodules", '[submodule "v"]\n\tpath = vendor\n\turl = ../v.git\n')
    (tmp_path / "vendor").mkdir()
    assert "git submodule update --init" in taker(tmp_path, name)


@taken
def test_what_a_sparse_checkout_leaves_out(tmp_path: Path, taker: Taker) -> None:
    work = new_repository(tmp_path / "work")
    name = f"deep/{NAMES.get(taker, 'data.csv')}"
    write(work, name, "x")
    write(work, "kept/x", "x")
    run_git(work, "add", "-A")
    run_git(work, "commit", "-qm", "files")
    run_git(work, "sparse-checkout", "set", "kept")
    assert "git sparse-checkout add" in taker(work, name)


def test_what_is_nowhere_is_only_missing(tmp_path: Path) -> None:
    assert why_missing(tmp_path, "x/data.csv") is None
    assert of_metrics(tmp_path, "m.json") == "no such file"
    with pytest.raises(UsageError) as caught:
        model_files(tmp_path, "model")
    assert not isinstance(caught.value, StandInError)


# --- folders and globs ----------------------------------------------------------------------------


def test_one_pointer_in_a_folder_is_enough(tmp_path: Path) -> None:
    write(tmp_path, "model/config.json", "{}")
    write(tmp_path, "model/weights.bin", LFS)
    assert "model/weights.bin is a Git LFS pointer" in of_model(tmp_path, "model/")
    write(tmp_path, "data/a.csv", "x\n1\n")
    write(tmp_path, "data/b.csv", LFS)
    for source in ("data", "data/*.csv"):
        assert "data/b.csv is a Git LFS pointer" in of_data(tmp_path, source)
        assert "data/b.csv" in of_table(tmp_path, source)


def test_many_pointers_are_counted(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"model/{number}.bin", LFS) for number in range(9)]
    with pytest.raises(StandInError, match=r"0\.bin, .*2\.bin and 6 more are each a Git LFS"):
        require_real(tmp_path, paths, "reading")
    assert len(list(stand_ins(tmp_path, paths))) == 9


@pytest.mark.parametrize("pattern", ["data", "data/", "data/**", "data/*.bin", "data/a.bin"])
def test_a_link_to_nothing_is_not_left_out_in_silence(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, "data/b.bin", "x")
    (tmp_path / "data/a.bin").symlink_to(f"../.git/annex/objects/xx/yy/{KEY}")
    with pytest.raises(StandInError, match=r"data/a\.bin"):
        expand(tmp_path, [pattern])
    assert "git annex get" in of_metrics(tmp_path, pattern)


def test_another_link_to_nothing_is_the_editor_s(tmp_path: Path) -> None:
    write(tmp_path, "data/b.bin", "x")
    (tmp_path / "data/.#b.bin").symlink_to("ada@laptop.123")
    assert [path.name for path in expand(tmp_path, ["data"])] == ["b.bin"]


def test_a_glob_over_what_only_dvc_has(tmp_path: Path) -> None:
    write(tmp_path, "data/a.csv.dvc", DVC)
    assert "dvc pull" in of_data(tmp_path, "data/*.csv")
    write(tmp_path, "raw.dvc", DVC)
    assert "raw.dvc" in of_data(tmp_path, "raw/deep/*.csv")


def test_a_pointer_of_dvc_that_is_declared_itself(tmp_path: Path) -> None:
    write(tmp_path, "train.csv.dvc", DVC)
    for said in (of_data(tmp_path, "train.csv.dvc"), of_model(tmp_path, "train.csv.dvc")):
        assert "dvc pull" in said
        assert "let assent.yaml name 'train.csv' itself" in said


def test_an_empty_submodule_in_the_folder_of_the_model(tmp_path: Path) -> None:
    write(tmp_path, ".gitmodules", '[submodule "v"]\n\tpath = "model/vendor"\n')
    write(tmp_path, "model/w", "x")
    (tmp_path / "model/vendor").mkdir()
    assert "model/vendor is in a submodule" in of_model(tmp_path, "model")
    write(tmp_path, "model/vendor/x", "x")
    assert len(model_files(tmp_path, "model")) == 2


def test_a_real_submodule_of_a_repository_above(tmp_path: Path) -> None:
    library = new_repository(tmp_path / "library")
    write(library, "m.bin", "x")
    run_git(library, "add", "-A")
    run_git(library, "commit", "-qm", "model")
    outer = new_repository(tmp_path / "outer")
    allow = ("-c", "protocol.file.allow=always")
    run_git(outer, *allow, "submodule", "--quiet", "add", str(library), "project/vendor")
    run_git(outer, "commit", "-qm", "sub")
    run_git(tmp_path, "clone", "-q", str(outer), "clone")
    root = tmp_path / "clone/project"
    assert "submodule update" in of_model(root, "vendor/m.bin")
    assert "submodule update" in of_model(root, "vendor")
    run_git(root, *allow, "submodule", "--quiet", "update", "--init")
    assert len(model_files(root, "vendor")) == 1  # without the file .git of a submodule


def test_a_link_into_a_cache_that_holds_the_file_is_said_by_its_tool(tmp_path: Path) -> None:
    write(tmp_path, ".git/annex/objects/k", "x")
    (tmp_path / "model").mkdir()
    (tmp_path / "model/w").symlink_to("../.git/annex/objects/k")
    with pytest.raises(UsageError) as caught:
        model_files(tmp_path, "model")
    assert "git annex unlock" in (caught.value.hint or "")


@pytest.mark.threat(21)
def test_a_pointer_in_a_bundle_of_another_job_is_said(tmp_path: Path) -> None:
    [part] = inspect({"model.pt": write(tmp_path, "blob", LFS)}).parts
    assert part.problem is not None
    assert "Git LFS pointer" in part.problem


@pytest.mark.threat(39)
def test_names_of_a_stranger_do_no_harm(tmp_path: Path) -> None:
    write(tmp_path, ".gitmodules", '[submodule "x"]\npath = ../../etc\npath = /\npath =\n')
    for name in ("a" * 5000, "**", "**x/[", "*", "a/**/b", "-z", "x\ny"):
        assert why_missing(tmp_path, name) is None


@pytest.mark.parametrize(
    ("lock", "name"),
    [("dvc.lock", "model.bin"), ("dvc.lock", "out/a.csv"), ("sub/dvc.lock", "sub/model.bin")],
)
def test_what_only_the_lock_of_a_pipeline_knows(tmp_path: Path, lock: str, name: str) -> None:
    outs = "    - {path: model.bin, md5: ab}\n    - {path: ./out, md5: cd.dir}\n"
    write(tmp_path, lock, f"schema: '2.0'\nstages:\n  t:\n    cmd: x\n    outs:\n{outs}")
    kind = why_missing(tmp_path, name)
    assert kind is not None
    assert "dvc pull" in kind.remedy
    assert why_missing(tmp_path, "other.bin") is None
    write(tmp_path, lock, "stages: [1, {outs: 3}]\n")
    assert why_missing(tmp_path, name) is None
