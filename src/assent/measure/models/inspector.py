"""Which code looks into models: what one code has said of a file another one may say otherwise."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assent.core.digest import Digest, digest_of_value

SOURCES = (
    "core/digest.py",
    "core/inspection.py",
    "core/scalar.py",
    "measure/damaged.py",
    "measure/files.py",
    "measure/flatbuffer.py",
    "measure/models",
    "measure/pointers.py",
    "measure/redaction.py",
    "parsing.py",
)
"""What an inspection follows from, files and folders of the package."""
LIBRARIES = {"h5py": "h5py", "msgspec": "msgspec", "yaml": "pyyaml"}
"""What others have written of it: modules, and what they are installed as."""

_PACKAGE = Path(__file__).parents[2]


@cache
def inspecting_code() -> Digest | None:
    """The digest of the code that inspects models here, with its libraries and its Python; None
    where the code is not at hand as files.
    """
    return digest_of_code(_PACKAGE)


def digest_of_code(package: Path) -> Digest | None:
    """The same for the code of a package elsewhere."""
    try:
        sources = {
            path.relative_to(package).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for source in SOURCES
            for path in _files(package / source)
        }
    except OSError:
        return None
    python = [sys.implementation.name, *sys.version_info[:2]]
    libraries = {name: _version(of) for name, of in LIBRARIES.items()}
    return digest_of_value({"sources": sources, "libraries": libraries, "python": python})


def _files(source: Path) -> list[Path]:
    return [source] if source.suffix == ".py" else sorted(source.rglob("*.py"))


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
