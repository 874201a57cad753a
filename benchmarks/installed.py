"""Peers from the package index, each in a virtual environment of its own in the user's cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def python_of(package: str, *more: str, install: bool) -> Path | None:
    """The interpreter that has a package, installed with `more` if it may be; None without it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "assent-benchmarks" / package.replace("==", "-")
    python, done = folder / "bin" / "python", folder / "installed"
    if install and not done.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", package, *more]
        subprocess.run(pip, check=True, stdout=sys.stderr)
        done.touch()
    return python if done.exists() else None
