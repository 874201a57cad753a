"""Packages of what really ran: every test runs a command and asks afterwards."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from assent.measure.command import run_command
from assent.measure.interpreters import Interpreter, Seen
from assent.measure.packages import MAX_ASKED, Packages, joined, read_packages
from tests.effort import more_in_soak
from tests.measure.venvs import new_venv, program

WORK = "import time; time.sleep(0.3)"
"""Long enough to be seen on a machine with a hundred other things to do."""


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONDA_PREFIX", "PYTHONPATH", "VIRTUAL_ENV"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with an environment of its own, and another one elsewhere."""
    root = tmp_path / "repository"
    new_venv(root / ".venv", numpy="2.0")
    new_venv(tmp_path / "other", numpy="1.26", pandas="2.2")
    (root / "work.py").write_text(WORK)
    (root / "uv.lock").write_text('[[package]]\nname = "numpy"\nversion = "9"\n')
    (root / "requirements.txt").write_text("numpy==9\n")
    return root


def ran(root: Path, command: str, *, python: str | None = None) -> Packages:
    result = run_command(command, root)
    assert result.exit_code == 0
    return read_packages(root, command, result.seen, python=python)


def script(root: Path, text: str) -> str:
    (root / "train.sh").write_text(text)
    return "sh train.sh"


@pytest.mark.parametrize(
    "command",
    [
        ".venv/bin/python work.py",
        "exec .venv/bin/python3 work.py",
        "env SEED=1 .venv/bin/python work.py",
        "cd .venv && bin/python ../work.py",
        "PATH=.venv/bin:$PATH python work.py",
        'PATH="$PWD/.venv/bin:$PATH"; python -m work',
        ". .venv/bin/activate && python work.py",
        "true; (cat work.py | .venv/bin/python -)",
        ".venv/bin/python -c 'import os; os.chdir(\"/\"); exec(open(\"'$PWD'/work.py\").read())'",
        # It is known by what it was before, so that it has to be seen by then.
        ".venv/bin/python -c 'import os, sys, time; time.sleep(1); "
        'os.execv(sys.executable, ["python", "work.py"])\'',
        "sh -c 'sh -c \".venv/bin/python work.py; true\"; true'",
        *more_in_soak(
            "nice -n 5 .venv/bin/python -u -W ignore work.py", "timeout 60 .venv/bin/python work.py"
        ),
    ],
)
def test_the_python_that_ran_is_asked(root: Path, command: str) -> None:
    expected = Packages(
        versions={"numpy": "2.0"},
        source="pip",
        python=".".join(map(str, sys.version_info[:3])),
        interpreters=(".venv",),
    )
    assert ran(root, command) == expected
    assert ran(root, script(root, f"{command}\n")) == expected


def test_make(root: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    (root / "Makefile").write_text("PY := .venv/bin/python\ntrain:\n\t@$(PY) work.py\n")
    assert ran(root, "make train").versions == {"numpy": "2.0"}


def test_a_wrapper_of_a_version_manager(root: Path) -> None:
    program(root / "shims/python", f'#!/bin/sh\nexec "{root}/.venv/bin/python" "$@"\n')
    found = ran(root, "shims/python work.py")
    assert (found.interpreters, found.versions) == ((".venv",), {"numpy": "2.0"})


@pytest.mark.parametrize("is_seen", [True, False])
@pytest.mark.parametrize("first", ["#!{}", "#!/bin/sh\n'''exec' \"{}\" \"$0\" \"$@\"\n' '''"])
def test_a_console_script(root: Path, first: str, is_seen: bool) -> None:
    path = root / ".venv/bin/torchrun"
    program(path, first.format(root / ".venv/bin/python") + f"\n{WORK if is_seen else ''}\n")
    command = ".venv/bin/torchrun --nproc 2 train.py"
    found = ran(root, command) if is_seen else read_packages(root, command, Seen())
    assert (found.interpreters, found.versions, found.gap) == ((".venv",), {"numpy": "2.0"}, None)


def test_a_console_script_of_whatever_python_is_first(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{root}/.venv/bin:{os.environ['PATH']}")
    program(root / ".venv/bin/kedro", "#!/usr/bin/env python\n")
    assert read_packages(root, "kedro run", Seen()).versions == {"numpy": "2.0"}


def test_several_environments_are_all_asked(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other/bin/python"
    found = ran(root, script(root, f"{other} work.py\n.venv/bin/python work.py\n"))
    assert found.versions == {"numpy": "1.26, 2.0", "pandas": "2.2"} or found.versions == {
        "numpy": "2.0, 1.26",
        "pandas": "2.2",
    }
    assert {*found.interpreters} == {".venv", str(tmp_path / "other")}
    assert (found.source, found.gap) == ("pip", None)


def test_a_python_that_starts_another(root: Path, tmp_path: Path) -> None:
    (root / "run.py").write_text(
        "import subprocess, time\ntime.sleep(0.3)\n"
        f"subprocess.run(['{tmp_path}/other/bin/python', 'work.py'], check=True)\n"
    )
    found = ran(root, ".venv/bin/python run.py")
    assert {*found.interpreters} == {".venv", str(tmp_path / "other")}


@pytest.mark.parametrize("start", [".venv/bin/python", "nohup .venv/bin/python"])
def test_what_is_left_in_the_background_while_the_command_waits(root: Path, start: str) -> None:
    (root / "daemon.py").write_text(
        "import os, time\ntime.sleep(0.2)\n"
        "if os.fork(): os._exit(0)\nos.setsid()\ntime.sleep(0.5)\nopen('done', 'w').close()\n"
    )
    text = f"{start} daemon.py </dev/null >/dev/null 2>&1\nuntil [ -e done ]; do sleep 0.05; done\n"
    assert ran(root, script(root, text)).versions == {"numpy": "2.0"}


def test_a_process_that_gives_itself_another_title(root: Path) -> None:
    """As `setproctitle` does: it writes over its command line, and over its variables."""
    (root / "title.py").write_text(
        "import ctypes, time\ntime.sleep(0.3)\n"
        "stat = open('/proc/self/stat').read().rsplit(')', 1)[1].split()\n"
        "start, end = int(stat[45]), int(stat[48])\n"
        "ctypes.memset(start, 0, end - start); ctypes.memmove(start, b'ray::train', 10)\n"
        "import os\nif not os.fork(): time.sleep(0.3); os._exit(0)\nos.wait()\n"
    )
    found = ran(root, ".venv/bin/python title.py; true")
    assert (found.versions, found.gap) == ({"numpy": "2.0"}, None)


def test_the_search_path_for_modules_counts(root: Path) -> None:
    place = root / "vendor/torch-2.3.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Name: torch\nVersion: 2.3\n")
    command = script(root, "export PYTHONPATH=vendor\n.venv/bin/python work.py\n")
    assert ran(root, command).versions == {"numpy": "2.0", "torch": "2.3"}
    command = script(root, "export PYTHONPATH=vendor\n.venv/bin/python -E work.py\n")
    assert ran(root, command).versions == {"numpy": "2.0"}
    assert ran(root, "PYTHONPATH=vendor .venv/bin/python work.py").versions == {
        "numpy": "2.0",
        "torch": "2.3",
    }


@pytest.mark.threat(39)
def test_the_team_s_own_modules_are_not_imported(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (root, root / "src"):
        folder.mkdir(exist_ok=True)
        for name in ("json", "platform", "importlib"):
            (folder / f"{name}.py").write_text("open('ran', 'w')\nraise SystemExit(1)")
    monkeypatch.setenv("PYTHONPATH", "src")
    assert read_packages(root, ".venv/bin/python t.py", Seen()).versions == {"numpy": "2.0"}
    assert not (root / "ran").exists()


@pytest.mark.parametrize(
    "command",
    [
        "sh train.sh",
        "make",
        "true",
        "no-such-program --at all",
        "'",
        "FOO=1",
        "dvc repro",
        "./dvc repro",
        ".venv/bin/python -m dvc repro",
        ".venv/bin/python -m tox",
        "PATH=elsewhere:$PATH python train.py",
        "uv run --with torch train.py",
        "uv pip install x",
        "pixi run train",
        "Rscript train.R",
    ],
)
def test_where_no_python_was_seen_packages_are_not_known(root: Path, command: str) -> None:
    """Whatever lock file lies there."""
    program(root / "dvc", f"#!{root}/.venv/bin/python\n")
    assert read_packages(root, command, Seen()) == Packages(gap="not seen")


def test_without_a_command_nothing_ran(root: Path) -> None:
    assert read_packages(root, "", Seen()) == Packages(gap="nothing ran")


def test_a_command_that_ends_at_once_is_no_reason_for_a_claim(root: Path) -> None:
    for _ in range(20):
        found = ran(root, script(root, ".venv/bin/python -c pass\n"))
        assert found == Packages(gap="not seen") or found.interpreters == (".venv",)


@pytest.mark.parametrize("tool", ["dvc", "poetry", "jupyter-nbconvert"])
def test_what_only_runs_others_does_not_count(root: Path, tmp_path: Path, tool: str) -> None:
    path = program(
        tmp_path / "other/bin" / tool,
        f"#!{tmp_path}/other/bin/python\nimport subprocess, sys, time\ntime.sleep(0.3)\n"
        "subprocess.run(sys.argv[1:], check=True)\n",
    )
    assert ran(root, f"{path} .venv/bin/python work.py").interpreters == (".venv",)
    assert ran(root, f"{path} true") == Packages(gap="not seen")
    assert ran(root, f"sh -c '{path} true; true'") == Packages(gap="not seen")


def test_a_python_that_is_only_asked_what_it_is_does_not_count(root: Path, tmp_path: Path) -> None:
    """As uv and virtualenv do, with every one that they find, now and then."""
    (root / "py_info.py").write_text(WORK)
    other = tmp_path / "other/bin/python"
    text = f"{other} -I -B -c '{WORK}'\n{other} py_info.py\n.venv/bin/python -I work.py\n"
    assert ran(root, script(root, text)).interpreters == (".venv",)


def test_installing_does_not_count(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other/bin/python"
    text = f"{other} -m venv --without-pip new\nnew/bin/python work.py\n"
    assert ran(root, script(root, text)).interpreters == ("new",)


@pytest.mark.parametrize("name", ["docker", "ssh"])
def test_what_runs_elsewhere_is_not_known(root: Path, tmp_path: Path, name: str) -> None:
    shutil.copy(shutil.which("sleep") or "", tmp_path / name)
    found = ran(root, script(root, f".venv/bin/python work.py\n{tmp_path}/{name} 0.3\n"))
    assert (found.versions, found.gap) == ({"numpy": "2.0"}, "elsewhere")
    assert ran(root, f"{tmp_path}/{name} 0.3; true") == Packages(gap="elsewhere")


def test_what_git_fetches_over_ssh_is_nothing_elsewhere(root: Path, tmp_path: Path) -> None:
    shutil.copy(shutil.which("sleep") or "", tmp_path / "ssh")
    program(tmp_path / "git-remote", f"#!/bin/sh\n{tmp_path}/ssh 0.3\ntrue\n")
    shutil.copy(os.path.realpath("/bin/sh"), tmp_path / "git")
    text = f".venv/bin/python work.py\n{tmp_path}/git {tmp_path}/git-remote\n"
    assert ran(root, script(root, text)).gap is None


def test_an_environment_that_is_gone_is_not_known(root: Path) -> None:
    text = "cp -R .venv tmp\ntmp/bin/python work.py\nrm -r tmp\n"
    assert ran(root, script(root, text)) == Packages(gap="no answer")


def test_another_program_in_its_place_is_not_asked(root: Path, tmp_path: Path) -> None:
    """As in a container, where the same path is another file."""
    program(tmp_path / "copy/python3", "#!/bin/sh\ntouch asked\n")
    text = f"exec -a {tmp_path}/copy/python3 .venv/bin/python work.py"
    assert ran(root, f"bash -c '{text}'") == Packages(gap="hidden")
    assert not (root / "asked").exists()


@pytest.mark.parametrize(
    "answer", ["exit 1", "echo hello", "echo '[1, 2]'", "echo '[1, 2, 3, 4]'", ":"]
)
def test_a_python_that_does_not_answer(root: Path, answer: str) -> None:
    program(root / "bin/python", f"#!/bin/sh\n{answer}\n")
    assert read_packages(root, "bin/python train.py", Seen()) == Packages(gap="no answer")
    seen = Seen(interpreters=((Interpreter(path=str(root / ".venv/bin/python")), 1.0),))
    found = read_packages(root, "bin/python train.py", seen)
    assert (found.versions, found.gap) == ({"numpy": "2.0"}, "no answer")


def test_no_more_are_asked_than_somebody_would_wait_for(root: Path) -> None:
    links = [root / f"{number}/python" for number in range(MAX_ASKED + 1)]
    for link in links:
        program(link, f'#!/bin/sh\nexec "{root}/.venv/bin/python" "$@"\n')
    seen = Seen(interpreters=tuple((Interpreter(path=str(link)), 1.0) for link in links))
    found = read_packages(root, "make", seen)
    assert (found.versions, found.interpreters, found.gap) == ({"numpy": "2.0"}, (".venv",), "many")


@pytest.mark.parametrize("command", ["make", "docker run x", "", "python train.py"])
@pytest.mark.parametrize("python", [".venv/bin/python", "{root}/.venv/bin/python3", "mine"])
def test_the_python_that_the_team_names_alone_counts(
    root: Path, monkeypatch: pytest.MonkeyPatch, command: str, python: str
) -> None:
    (root / "links").mkdir()
    program(root / "links/mine", f'#!/bin/sh\nexec "{root}/.venv/bin/python" "$@"\n')
    monkeypatch.setenv("PATH", f"{root}/links:{os.environ['PATH']}")
    seen = Seen(interpreters=((Interpreter(path=sys.executable), 1.0),), gaps=("elsewhere",))
    found = read_packages(root, command, seen, python=python.format(root=root))
    assert (found.versions, found.gap) == ({"numpy": "2.0"}, None)


@pytest.mark.parametrize("python", ["no/such", "no-such", "work.py", "\0", ".", "bad\udc80"])
def test_a_python_that_is_none_is_not_known(root: Path, python: str) -> None:
    assert read_packages(root, "make", Seen(), python=python) == Packages(gap="no answer")


def test_the_lock_file_that_a_command_runs_from(root: Path) -> None:
    found = read_packages(root, "uv run train.py", Seen())
    assert (found.source, found.versions, found.gap) == ("uv.lock", {"numpy": "9"}, None)
    assert read_packages(root, "poetry run t", Seen()) == Packages(gap="not seen")  # no poetry.lock
    (root / "uv.lock").write_text("[[package")
    assert read_packages(root, "uv run train.py", Seen()) == Packages(gap="not seen")


def test_what_ran_comes_before_the_lock_file(root: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin/uv", "#!/bin/sh\nshift; .venv/bin/python work.py; true\n")
    command = f"PATH={tmp_path}/bin:$PATH uv run train.py"
    assert ran(root, command).versions == {"numpy": "2.0"}


def test_conda_s_r(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meta = tmp_path / "env/conda-meta"
    meta.mkdir(parents=True)
    for name in ("r-base-4.3.1-h29c4799_3", "python-3.11.7-h955ad1f_0", "odd"):
        (meta / f"{name}.json").write_text("{}")
    program(tmp_path / "env/bin/Rscript", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", f"{tmp_path}/env/bin:{os.environ['PATH']}")
    found = read_packages(root, "Rscript train.R", Seen())
    assert (found.source, found.python) == ("conda", "3.11.7")
    assert found.versions == {"python": "3.11.7", "r-base": "4.3.1"}
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path / "env"))
    assert read_packages(root, "make", Seen()) == Packages(gap="not seen")


def test_two_commands_together() -> None:
    train = Packages(versions={"a": "1, 2", "b": "1"}, source="pip", interpreters=("x", "y"))
    evaluate = Packages(versions={"a": "2", "c": "3"}, source="uv.lock", python="3.12")
    assert joined((train, evaluate)) == Packages(
        versions={"a": "1, 2", "b": "1", "c": "3"},
        source="pip, uv.lock",
        python="3.12",
        interpreters=("x", "y"),
    )
    assert joined((train, train)) == train
    assert joined((train, Packages(gap="not seen"))).gap == "not seen"
    assert joined((Packages(gap="many"), Packages(gap="elsewhere"))).gap == "elsewhere"
