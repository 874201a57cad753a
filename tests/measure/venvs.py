"""Virtual environments that differ in their packages, made in milliseconds."""

from __future__ import annotations

import sys
from pathlib import Path
from venv import EnvBuilder


def new_venv(folder: Path, **packages: str) -> Path:
    """An environment with these packages (name and version), of which only the metadata exist;
    its Python.
    """
    EnvBuilder(with_pip=False, symlinks=True).create(folder)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name, number in packages.items():
        place = folder / "lib" / version / "site-packages" / f"{name}-{number}.dist-info"
        place.mkdir(parents=True)
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
    return folder / "bin/python"


def program(path: Path, text: str) -> Path:
    """An executable file with this text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path
