"""Projects to begin with. Each is played once and then copied, which takes milliseconds."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, copy_project, new_project


@pytest.fixture(scope="session")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return new_project(tmp_path_factory.mktemp("fresh") / "place")


@pytest.fixture(scope="session")
def _reviewed(_fresh: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_project(_fresh, tmp_path_factory.mktemp("reviewed") / "place")
    project.run("review", code=11)
    return project


@pytest.fixture(scope="session")
def _approved(_reviewed: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_project(_reviewed, tmp_path_factory.mktemp("approved") / "place")
    project.run("approve", "--as", "grace")
    return project


@pytest.fixture(scope="session")
def _registered(_approved: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_project(_approved, tmp_path_factory.mktemp("registered") / "place")
    project.run("register")
    return project


@pytest.fixture(scope="session")
def _shipped(_registered: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_project(_registered, tmp_path_factory.mktemp("shipped") / "place")
    project.ship("v1")
    return project


@pytest.fixture(scope="session")
def _second(_shipped: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_project(_shipped, tmp_path_factory.mktemp("second") / "place")
    project.release("better", accuracy="0.9")
    return project


@pytest.fixture
def fresh(_fresh: Project, tmp_path: Path) -> Project:
    """Committed and pushed; nothing was run."""
    return copy_project(_fresh, tmp_path / "place")


@pytest.fixture
def reviewed(_reviewed: Project, tmp_path: Path) -> Project:
    """A bundle on main that nobody has approved."""
    return copy_project(_reviewed, tmp_path / "place")


@pytest.fixture
def approved(_approved: Project, tmp_path: Path) -> Project:
    """A bundle that grace has approved, on main; nothing is registered."""
    return copy_project(_approved, tmp_path / "place")


@pytest.fixture
def registered(_registered: Project, tmp_path: Path) -> Project:
    """v1 is registered; no stage holds it."""
    return copy_project(_registered, tmp_path / "place")


@pytest.fixture
def shipped(_shipped: Project, tmp_path: Path) -> Project:
    """v1 in staging and in production."""
    return copy_project(_shipped, tmp_path / "place")


@pytest.fixture
def second(_second: Project, tmp_path: Path) -> Project:
    """v1 in staging and in production, and v2 registered."""
    return copy_project(_second, tmp_path / "place")


@pytest.fixture
def locked_out() -> Iterator[tuple[str, ...]]:
    """What to run a command with so that file modes bind it, whoever runs the tests."""
    if os.geteuid() != 0:
        yield ()
        return
    prefix = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
    if shutil.which("setpriv") is None or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("root is bound by no file mode, and setpriv cannot change that here")
    yield prefix


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> Callable[[Project], None]:
    """Let this process be one of the account that the project is of."""

    def be(project: Project) -> None:
        for name in list(os.environ):
            if name.startswith(("GIT_", "CI", "GITHUB_", "GITLAB_")):
                monkeypatch.delenv(name)
        for name, value in project.environment.items():
            monkeypatch.setenv(name, value)

    return be
