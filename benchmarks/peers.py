"""GTO, the registry in Git tags: showing what is registered, and registering, as it grows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.context import Context
from benchmarks.figures import Figure, plain
from benchmarks.measure import Command, in_turns
from benchmarks.project import MODEL, Project

GTO = "1.10.1"
SIZES = (100, 1_000)


def measure(context: Context) -> Iterator[Figure]:
    gto = _installed(install=context.with_peers)
    if gto is None:
        yield Figure("peers", f"gto {GTO}", "skipped: not installed (--peers installs it)")
        return
    commands = {}
    for size in SIZES:
        project = _project(context.folder / f"gto{size}", context.env, size)
        for words in (["show"], ["register", MODEL]):
            name = f"gto {GTO} {words[0]}, {size:,} versions"
            before = partial(project.git, "commit", "--quiet", "--allow-empty", "--message", "new")
            commands[name] = Command([str(gto), *words], project.folder, context.env, before)
    for name, samples in in_turns(commands, context.rounds(5, quick=1)).items():
        yield plain("peers", name, samples)


def _installed(*, install: bool) -> Path | None:
    """The command, in a virtual environment of its own in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "assent-benchmarks" / f"gto-{GTO}"
    command = folder / "bin" / "gto"
    if install and not command.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", f"gto=={GTO}"]
        subprocess.run(pip, check=True, stdout=sys.stderr)
    return command if command.exists() else None


def _project(folder: Path, env: dict[str, str], versions: int) -> Project:
    """A repository with this many versions, each with the commit it was registered on."""
    project = Project(folder, env)
    project.create()
    stream = b"".join(_version(number) for number in range(1, versions + 1))
    project.git("fast-import", "--quiet", "--done", stdin=stream + b"done\n")
    project.git("checkout", "--quiet", "--force", "main")
    project.git("gc", "--quiet")
    return project


def _version(number: int) -> bytes:
    """A commit with its tag, one minute after the one before."""
    who = b"Ada <ada@example.com> %d +0000" % (1_577_836_800 + 60 * number)
    tags = [b"%s@v0.0.%d" % (MODEL.encode(), number)]
    if number % 10 == 0:
        tags.append(b"%s#production#%d" % (MODEL.encode(), number // 10))
    commit = b"commit refs/heads/main\nmark :%d\ncommitter %s\n%s" % (number, who, _data(b"change"))
    commit += b"M 100644 inline changed\n" + _data(b"%d" % number)
    return commit + b"".join(
        b"tag %s\nfrom :%d\ntagger %s\n%s" % (tag, number, who, _data(tag)) for tag in tags
    )


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
