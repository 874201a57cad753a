from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from assent.errors import UsageError
from assent.measure.model_files import model_files


def test_a_folder(tmp_path: Path) -> None:
    for name in ("weights/b.bin", "weights/a.bin", "MLmodel", ".hidden", "code/__pycache__/x.pyc"):
        (tmp_path / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / name).write_text(name)
    found = model_files(tmp_path, "model/")
    assert [name for name, _ in found] == [
        ".hidden",
        "MLmodel",
        "code/__pycache__/x.pyc",
        "weights/a.bin",
        "weights/b.bin",
    ]
    assert all(path.read_text() == name for name, path in found)


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/model.pkl").write_text("x")
    assert model_files(tmp_path, "out/model.pkl") == [("model.pkl", tmp_path / "out/model.pkl")]


@pytest.mark.parametrize("declared", ["model", "empty", "nested", "model.pkl"])
def test_no_model_says_to_train(tmp_path: Path, declared: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "nested/deep").mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        model_files(tmp_path, declared)
    assert caught.value.hint == "run `assent train` first"


@pytest.mark.threat(39)
@pytest.mark.parametrize("declared", ["../model", "/etc", "a/../../b", "link", "link/hosts"])
def test_a_model_outside_the_repository_is_refused(tmp_path: Path, declared: str) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(UsageError):
        model_files(tmp_path, declared)


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../secret", "/etc", "nothing", ".", "sub/../.."]
)
def test_a_link_that_leaves_the_model_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "model/sub").mkdir(parents=True)
    (tmp_path / "model/a").write_text("x")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "model/link").symlink_to(target)
    with pytest.raises(UsageError):
        model_files(tmp_path, "model")


def test_a_link_inside_the_model_is_followed(tmp_path: Path) -> None:
    (tmp_path / "model/v1").mkdir(parents=True)
    (tmp_path / "model/v1/a").write_text("x")
    (tmp_path / "model/now").symlink_to("v1")
    (tmp_path / "model/b").symlink_to("v1/a")
    assert [name for name, _ in model_files(tmp_path, "model")] == ["b", "now/a", "v1/a"]


@pytest.mark.threat(39)
@pytest.mark.parametrize("name", ["a\\b", "a\nb", "a\x1b[31m", os.fsdecode(b"a\xff")])
def test_a_name_that_is_not_safe_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / name).write_text("x")
    with pytest.raises(UsageError, match="safe"):
        model_files(tmp_path, "model")


@pytest.mark.threat(39)
@pytest.mark.parametrize("declared", ["model", "model/pipe", "model/socket"])
def test_pipes_and_sockets_are_refused(tmp_path: Path, declared: str) -> None:
    (tmp_path / "model").mkdir()
    os.mkfifo(tmp_path / "model/pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "model/socket"))
    server.close()
    with pytest.raises(UsageError, match="a pipe, a socket or a device"):
        model_files(tmp_path, declared)
