"""What `init` finds by looking at a repository."""

from __future__ import annotations

from pathlib import Path

from assent.config.read import read_config
from assent.verbs.init import init


def inputs_of(folder: Path) -> tuple[str, ...]:
    init(folder, name="churn")
    return read_config((folder / "assent.yaml").read_bytes(), "assent.yaml").models["churn"].inputs


def test_what_training_imports_is_an_input(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import json, features\nfrom lib.io import read\n")
    (tmp_path / "features.py").write_text("import shared, train\n")
    (tmp_path / "shared.py").write_text("")
    (tmp_path / "unused.py").write_text("")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/__init__.py").write_text("")
    assert inputs_of(tmp_path) == ("train.py", "features.py", "lib/**", "shared.py")


def test_a_script_that_is_no_python_is_still_an_input(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("def (")
    assert inputs_of(tmp_path) == ("train.py",)
