"""What `init` finds by looking at a repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from assent.cli.init import command
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


MODEL = "import joblib, json\njoblib.dump(m, 'm.pkl')\njson.dump({'auc': 1}, open('m.json', 'w'))\n"


def said(folder: Path, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("forge", "file"),
    [("--github", ".github/workflows/assent-review.yml"), ("--gitlab", ".gitlab-ci.yml")],
)
def test_a_dry_run_says_what_would_be_written_for_the_forge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forge: str, file: str
) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "train.py").write_text(MODEL)
    shown = said(tmp_path, "--dry-run", forge, monkeypatch=monkeypatch)
    assert f"would write {file}\n" in shown
    assert shown.endswith("nothing was written\n")
    assert sorted(one.name for one in tmp_path.iterdir()) == [".git", "train.py"]
    assert f"wrote {file}\n" in said(tmp_path, forge, monkeypatch=monkeypatch)


def test_what_was_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text(MODEL)
    shown = said(tmp_path, "--name", "churn", monkeypatch=monkeypatch)
    assert "wrote assent.yaml for the model churn\nadded .assent/ to .gitignore\n" in shown
    assert "next: check it, then run `assent review`" in shown
    again = said(tmp_path, "--name", "churn", "--force", monkeypatch=monkeypatch)
    assert ".gitignore" not in again


def test_models_are_several_and_what_is_missing_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        text = f"import joblib\njoblib.dump(m, 'models/{name}.pkl')\n"
        (tmp_path / f"train_{name}.py").write_text(text)
    shown = said(tmp_path, monkeypatch=monkeypatch)
    assert "assent.yaml for the models " in shown
    assert "next: correct metrics, then run `assent review`" in shown


@pytest.mark.parametrize(
    ("forge", "origin", "store"),
    [
        ("github", "git@github.com:Acme/Churn.git", "oci://ghcr.io/acme/churn/assent"),
        ("github", "https://token@github.com/acme/churn", "oci://ghcr.io/acme/churn/assent"),
        ("github", "https://github.example.com/acme/churn.git", None),
        ("github", "https://github.com/acme/-churn-.git", None),
        ("github", "../churn.git", None),
        (
            "gitlab",
            "git@gitlab.com:Acme/ml/churn.git",
            "oci://registry.gitlab.com/acme/ml/churn/assent",
        ),
        (
            "gitlab",
            "https://ada:token@gitlab.com/acme/churn.git",
            "oci://registry.gitlab.com/acme/churn/assent",
        ),
        ("gitlab", "git@gitlab.com.example.com:acme/churn.git", None),
        ("gitlab", "https://gitlab.example.com/acme/churn.git", None),
        ("gitlab", "", None),
    ],
)
def test_the_registry_that_the_forge_gives_is_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forge: str, origin: str, store: str | None
) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    if origin:
        words = ["git", "-C", str(tmp_path), "remote", "add", "origin", origin]
        subprocess.run(words, check=True)
    (tmp_path / "train.py").write_text(MODEL)
    shown = said(tmp_path, f"--{forge}", monkeypatch=monkeypatch)
    written = (tmp_path / "assent.yaml").read_bytes()
    assert read_config(written, "assent.yaml").store == (store or ".assent/store")
    if forge == "github":
        review = (tmp_path / ".github/workflows/assent-review.yml").read_text()
        assert ("self-hosted" in review) is (store is None)
        assert ("packages: write" in review) is (store is not None)
        reply = (tmp_path / ".github/workflows/assent-reply.yml").read_text()
        assert ("packages: read" in reply) is (store is not None)
        assert "packages: write" not in reply
    else:
        assert ("with the host that CI_REGISTRY has" in shown) is (store is None)
