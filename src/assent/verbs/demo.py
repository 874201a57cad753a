"""`demo`: the whole story in a new repository, with the real verbs and real training."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import msgspec

from assent.ci.environment import without_ci
from assent.errors import AssentError, ExitCode, UsageError, to_install
from assent.git import without_repository

Say = Callable[[str], None]


class DemoError(AssentError):
    """A step of the story did not end as the story says."""


class DemoResult(msgspec.Struct, frozen=True, kw_only=True):
    """Where the repository is, the report to open, and how many commands were played."""

    folder: Path
    report: Path
    commands: int


class _Step(msgspec.Struct, frozen=True):
    """A command, and the exit code that the story expects of it."""

    words: tuple[str, ...]
    code: int = ExitCode.DONE


class _Chapter(msgspec.Struct, frozen=True):
    """A heading, what is about to happen, the files it changes, and its commands."""

    title: str
    told: str
    steps: tuple[_Step, ...]
    edits: dict[str, tuple[str, str]] = {}


def demo(folder: Path, *, say: Say) -> DemoResult:
    """Play the story in `folder` (which must be new or empty), each command before its output.

    Raises `DemoError` if a step ends otherwise than the story says.
    """
    doing = f"playing the demo in {folder}"
    if importlib.util.find_spec("sklearn") is None:
        raise UsageError(doing, "scikit-learn is not installed", hint=to_install("demo"))
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(doing, "the folder is not empty", hint="name another one with --to")
    stage = _Stage(folder, say)
    stage.set_up()
    for chapter in _STORY:
        stage.play(chapter)
    return DemoResult(
        folder=stage.work,
        report=stage.work / ".assent/review/progression/report.html",
        commands=stage.commands,
    )


class _Stage:
    """The repository that the story happens in."""

    def __init__(self, folder: Path, say: Say) -> None:
        self.work = folder / "work"
        self.commands = 0
        self._remote = folder / "remote.git"
        self._say = say
        # The team's `python` is the one that has scikit-learn: ours.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        # The story plays on a laptop.
        self._env = {**without_ci(os.environ), "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        self._env = without_repository(self._env)
        self._env.pop("ASSENT_CONFIG", None)

    def set_up(self) -> None:
        """Make the remote, the project and Ada's identity."""
        self.work.mkdir(parents=True)
        source = resources.files("assent.demo") / "project"
        for file in source.iterdir():
            if file.is_file():
                name = ".gitignore" if file.name == "gitignore" else file.name
                (self.work / name).write_bytes(file.read_bytes())
        remote = str(self._remote)
        self._quietly("git", "init", "--quiet", "--bare", "--initial-branch=main", remote)
        self._quietly("git", "init", "--quiet", "--initial-branch=main")
        self._quietly("git", "config", "user.name", "Ada")
        self._quietly("git", "config", "user.email", "ada@example.com")
        self._quietly("git", "config", "commit.gpgsign", "false")
        self._quietly("git", "remote", "add", "origin", remote)

    def play(self, chapter: _Chapter) -> None:
        """Tell a chapter and run its commands."""
        self._say(f"\n\n━━ {chapter.title}\n{chapter.told}")
        for name, (old, new) in chapter.edits.items():
            path = self.work / name
            text = path.read_text("utf-8")
            if old not in text:
                raise DemoError(f"editing {name}", f"{old!r} is not there")
            path.write_text(text.replace(old, new), "utf-8")
        for step in chapter.steps:
            self._run(step)

    def _run(self, step: _Step) -> None:
        shown = " ".join(f'"{word}"' if " " in word else word for word in step.words)
        self._say(f"\n$ {shown}")
        words: Sequence[str] = step.words
        if words[0] == "assent":
            words = [sys.executable, "-m", "assent", *words[1:]]
        elif words[0] == "python":
            words = [sys.executable, *words[1:]]
        done = subprocess.run(words, cwd=self.work, env=self._env, check=False)
        self.commands += 1
        if done.returncode != step.code:
            raise DemoError(
                f"playing `{shown}`",
                f"it ended with exit code {done.returncode}, the story says {step.code}",
                hint="please report this with what is printed above",
            )
        if step.code != ExitCode.DONE:
            self._say(f"[exit code {step.code}: {ExitCode(step.code).name.lower()}]")

    def _quietly(self, *words: str) -> None:
        if shutil.which(words[0]) is None:
            raise UsageError("playing the demo", f"{words[0]} is not installed")
        done = subprocess.run(
            words, cwd=self.work, env=self._env, check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise DemoError(f"running {' '.join(words)}", done.stderr.strip())


def _assent(*words: str, code: int = ExitCode.DONE) -> _Step:
    return _Step(("assent", *words), code)


def _git(*words: str) -> _Step:
    return _Step(("git", *words))


def _commit(message: str) -> tuple[_Step, ...]:
    return _git("add", "--all"), _git("commit", "--quiet", "--message", message)


_MERGE = (
    _git("checkout", "--quiet", "main"),
    _git("merge", "--quiet", "--no-edit", "--no-ff", "all-features"),
    _git("push", "--quiet", "origin", "main"),
)

_STORY = (
    _Chapter(
        "1  The first model",
        "Ada predicts which patients' diabetes will progress fast, from two measurements.",
        (
            _Step(("python", "prepare.py")),
            *_commit("Predict progression from body mass index and blood pressure"),
            _git("push", "--quiet", "origin", "main"),
            _assent("train"),
            _assent("evaluate"),
            _assent("bundle"),
            _assent("review", code=ExitCode.WAITING),
        ),
    ),
    _Chapter(
        "2  Approved by somebody else, registered, promoted",
        "Ada wrote it, so her own approval does not count. Grace's does. Production also wants\n"
        "the release manager, Rosa.",
        (
            _assent("approve", "--as", "ada", code=ExitCode.BLOCKED),
            _assent("register", code=ExitCode.WAITING),
            _assent("approve", "--as", "grace"),
            _assent("register"),
            _assent("promote", "staging"),
            _assent("promote", "production", code=ExitCode.WAITING),
            _assent("approve", "--bundle", "v1", "--as", "rosa"),
            _assent("promote", "production"),
            _assent("status"),
        ),
    ),
    _Chapter(
        "3  A docs-only change trains nothing again",
        "The inputs are the same, so the finished bundle is reused.",
        (
            _Step(("sh", "-c", "echo '# Progression' > README.md")),
            *_commit("Write a README"),
            _git("push", "--quiet", "origin", "main"),
            _assent("train"),
        ),
    ),
    _Chapter(
        "4  A branch that improves the model",
        "All ten measurements instead of two.",
        (
            _git("checkout", "--quiet", "-b", "all-features"),
            *_commit("Use all measurements"),
            _assent("review", code=ExitCode.WAITING),
            _assent("explain", "--if-approved-by", "grace"),
            _assent("approve", "--as", "grace"),
        ),
        {"params.yaml": ("[bmi, bp]", "[age, sex, bmi, bp, s1, s2, s3, s4, s5, s6]")},
    ),
    _Chapter(
        "5  Merged, registered, shipped",
        "The merge has the same inputs, so the bytes that were reviewed are the bytes that ship.",
        (
            *_MERGE,
            _assent("register"),
            _assent("promote", "staging"),
            _assent("promote", "production", code=ExitCode.WAITING),
            _assent("approve", "--bundle", "v2", "--as", "rosa"),
            _assent("promote", "production"),
            _assent("resolve", "production"),
        ),
    ),
    _Chapter(
        "6  A branch that is worse for one slice",
        "Skipping blood tests for the young saves money. Overall it hardly shows.",
        (
            _git("checkout", "--quiet", "-b", "fewer-blood-tests"),
            *_commit("Skip blood tests below 40"),
            _assent("review", code=ExitCode.BLOCKED),
        ),
        {"params.yaml": ("skip_blood_tests_below: 0", "skip_blood_tests_below: 40")},
    ),
    _Chapter(
        "7  A branch whose data drifted",
        "The new export has the body mass index of some patients in another unit.",
        (
            _git("checkout", "--quiet", "-b", "new-export", "main"),
            _Step(
                (
                    "sh",
                    "-c",
                    "awk -F, -v OFS=, 'NR > 1 && NR % 2 { $4 = $4 * 0.2 } 1' data/train.csv > t "
                    "&& mv t data/train.csv",
                )
            ),
            *_commit("Train on the new export"),
            _assent("review", code=ExitCode.BLOCKED),
            _git("checkout", "--quiet", "main"),
        ),
    ),
    _Chapter(
        "8  Back again, and on the record",
        "A complaint comes in. Going back is one recorded step, and everything verifies.",
        (
            _assent("rollback", "production", "--reason", "complaints from the north clinic"),
            _assent("note", "complaint 17 is being looked at", "--version", "v2"),
            _assent("pull", "production", "--to", "served"),
            _assent("status"),
            _assent("timeline"),
            _assent("verify"),
            _git("fetch", "--quiet", "origin"),
            _git("log", "--format=%h %s, by %cn", "origin/assent/progression", "--max-count=5"),
        ),
    ),
)
