"""Real projects to measure in: a clone, its bare remote, a store, and finished bundles."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Command

MODEL = "churn"
_UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "PYTHONDONTWRITEBYTECODE")


def environment(folder: Path) -> dict[str, str]:
    """The environment of everything measured: no settings of this machine's Git, no CI, and
    byte code that is compiled once, as an installation has it.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ASSENT_", "GITHUB_", "CI", "GIT_")) and name not in _UNSET
    }
    return {
        **kept,
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
    }


def assent_words(*words: str) -> list[str]:
    """The command line of Assent as people call it."""
    return [str(Path(sys.executable).with_name("assent")), *words]


@dataclass(frozen=True)
class Project:
    """A clone with a remote that filters, as forges do."""

    folder: Path
    env: dict[str, str]

    @property
    def remote(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.git")

    @property
    def address(self) -> str:
        """The remote by a protocol: a bare path would let Git take short cuts."""
        return self.remote.as_uri()

    def create(self) -> None:
        """Make the remote and the clone, with nothing in them."""
        self.folder.mkdir(parents=True)
        self._run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.remote))
        serve(self.remote)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.com")
        self.git("remote", "add", "origin", self.address)

    def write(self, **files: str) -> None:
        """Write files; `_` in a name stands for `.`."""
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text, "utf-8")

    def commit(self, message: str) -> None:
        """Commit everything and push it to main."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")

    def git(self, *words: str, stdin: bytes | None = None) -> str:
        return self._run("git", *words, stdin=stdin)

    def assent(self, *words: str, codes: Sequence[int] = (0,)) -> str:
        """Run Assent outside of the measurement."""
        return self._run(*assent_words(*words), codes=codes)

    def command(self, *words: str, **more: object) -> Command:
        """Assent as a command to measure."""
        return Command(assent_words(*words), self.folder, self.env, **more)  # type: ignore[arg-type]  # passed on by name

    def _run(self, *words: str, stdin: bytes | None = None, codes: Sequence[int] = (0,)) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env=self.env, input=stdin, capture_output=True, check=False
        )
        if done.returncode not in codes:
            output = (done.stdout + done.stderr).decode(errors="replace")
            raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{output}")
        return done.stdout.decode().strip()


def serve(remote: Path) -> None:
    """Let a bare repository answer as forges do: it filters (by depth only `tree:0`), gives any
    object by its id, and keeps a reverse index, which Git itself does since 2.41.
    """
    settings = {
        "uploadpack.allowFilter": "true",
        "uploadpack.allowAnySHA1InWant": "true",
        "uploadpackfilter.tree.maxDepth": "0",
        "pack.writeReverseIndex": "true",
    }
    for name, value in settings.items():
        words = ["git", "-C", str(remote), "config", name, value]
        subprocess.run(words, check=True)
