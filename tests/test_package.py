"""What is released: one source distribution, and the wheel that it gives."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from assent import __version__
from assent.errors import to_install

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CHANGELOG = f"# Changelog\n\n## {__version__} (2026-12-01)\n\nAll.\n\n## 0.0.1 (2026-01-02)\n"


@pytest.fixture(scope="module")
def release() -> ModuleType:
    """The script of that name."""
    loader = importlib.machinery.SourceFileLoader("release", str(ROOT / "script/release"))
    spec = importlib.util.spec_from_loader("release", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def make(tree: Path, target: str, place: Path) -> Path:
    place.mkdir()
    command = [sys.executable, "-m", "hatchling", "build", "--target", target]
    subprocess.run([*command, "--directory", str(place)], cwd=tree, check=True)
    [path] = place.iterdir()
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree that the source distribution unpacks to."""
    place = tmp_path_factory.mktemp("source")
    path = make(ROOT, "sdist", place / "dist")
    assert path.name == f"assent_ml-{__version__}.tar.gz"
    with tarfile.open(path) as archive:
        archive.extractall(place, filter="data")
    return place / path.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It is built from the source distribution, as it is for a release."""
    path = make(source, "wheel", tmp_path_factory.mktemp("wheel") / "dist")
    assert path.name == f"assent_ml-{__version__}-py3-none-any.whl"
    return path


def test_a_wheel_holds_the_lock_that_it_was_made_with(wheel: Path) -> None:
    """Jobs on GitLab that install a wheel install what this says, with hashes."""
    with zipfile.ZipFile(wheel) as files:
        held = {
            name.rpartition("/")[2]: files.read(name)
            for name in files.namelist()
            if name.startswith("assent/requirements/")
        }
    names = [f"{name}.txt" for name in ("base", "data", "demo", "models", "objects", "spark")]
    assert held == {name: (ROOT / "requirements" / name).read_bytes() for name in names}


def test_a_wheel_holds_all_of_the_package_and_nothing_else(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "src/assent"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    tracked = {name.removeprefix("src/") for name in listed.stdout.splitlines()}
    with zipfile.ZipFile(wheel) as files:
        held = {name for name in files.namelist() if ".dist-info/" not in name}
    assert "assent/py.typed" in held  # PEP 561: its types are for whoever imports it
    beside = ("assent/requirements/", "assent/docs/")
    assert {name for name in held if not name.startswith(beside)} == tracked


def test_a_wheel_holds_every_page_that_a_hint_may_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        held = {
            name.rpartition("/")[2]: files.read(name)
            for name in files.namelist()
            if name.startswith("assent/docs/")
        }
    assert held == {page.name: page.read_bytes() for page in (ROOT / "docs").glob("*.md")}


def test_a_wheel_is_installed_and_runs(wheel: Path, tmp_path: Path) -> None:
    flags = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-I", "-m", "pip", "install", *flags, "--target", str(tmp_path)]
    subprocess.run([*command, str(wheel)], check=True)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    said = subprocess.run(
        [tmp_path / "bin/assent", "--version"],
        env=environment,
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert __version__ in said.stdout


def test_the_hint_names_the_distribution() -> None:
    """The package index has an `assent` of somebody else."""
    assert to_install("data") == f"pip install '{PROJECT['name']}[data]'"


def test_a_release_that_fits_has_no_problem(release: ModuleType) -> None:
    assert release.problems(f"v{__version__}", __version__, CHANGELOG) == []


@pytest.mark.parametrize(
    ("tag", "changelog", "problem"),
    [
        ("v9.9.9", CHANGELOG, "the tag is v9.9.9"),
        (__version__, CHANGELOG, "the tag is"),
        (f"v{__version__}", "# Changelog\n", "no heading"),
        (f"v{__version__}", CHANGELOG.replace(f"## {__version__}", "## 0.0.2"), "is of 0.0.2"),
        (f"v{__version__}", CHANGELOG.replace("2026-12-01", "unreleased"), "(unreleased)"),
        (f"v{__version__}", CHANGELOG.replace("2026-12-01", "2026-13-01"), "(2026-13-01)"),
    ],
)
def test_a_release_that_does_not_fit_is_refused(
    release: ModuleType, tag: str, changelog: str, problem: str
) -> None:
    found = release.problems(tag, __version__, changelog)
    assert len(found) == 1
    assert problem in found[0]
