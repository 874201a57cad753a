"""The files of a folder, as a stranger sees them: listed once, read within bounds, never run."""

from __future__ import annotations

import os
import posixpath
from functools import cached_property
from pathlib import Path
from typing import Any

from assent import parsing
from assent.config.dvc import read_pointer
from assent.errors import AssentError
from assent.git import git
from assent.measure.files import read_small, require_inside
from assent.measure.patterns import UNMATCHED
from assent.parsing import ParseError

MAX_FILES = 20_000
MAX_READ_BYTES = 2 * 1024 * 1024
LEFT_OUT = UNMATCHED | {
    *(".dvc", ".venv", "venv", "env", ".env", "node_modules", "site-packages", ".tox", ".nox"),
    *("mlruns", "mlartifacts", "wandb", "lightning_logs", ".ipynb_checkpoints", ".mypy_cache"),
    *(".pytest_cache", ".ruff_cache", "dist", "build", ".eggs", ".idea", ".vscode"),
}
"""Folders that hold nothing that a person wrote."""


class Tree:
    """A folder and what stands below it. Paths are relative to it, with `/`. `above` is the whole
    repository where this is a part of it, and `place` where it is in that.
    """

    def __init__(self, root: Path, above: Tree | None = None, place: str = "") -> None:
        self.root = root
        self.above = above
        self.place = place
        self._texts: dict[str, bytes | None] = {}

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Every file that Git has or would take, sorted; all files where there is no repository.
        At most `MAX_FILES`.
        """
        try:
            listed = git(
                ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."],
                folder=self.root,
                doing=f"listing {self.root}",
            )
            names = listed.decode(errors="replace").split("\0")
        except AssentError:
            names = self._walked()
        kept = {name for name in names if name and not LEFT_OUT.intersection(name.split("/")[:-1])}
        named = (name for name in kept if _is_text(name) and self.is_file(name))
        return tuple(sorted(named))[:MAX_FILES]

    def _walked(self) -> list[str]:
        files: list[str] = []
        for here, folders, names in os.walk(self.root):
            folders[:] = sorted(set(folders) - LEFT_OUT)
            base = Path(here).relative_to(self.root)
            files += [(base / name).as_posix() for name in names]
            if len(files) > MAX_FILES:
                break
        return files

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a listed file."""
        return frozenset(
            above for name in self.files for above in _above(name) if above not in ("", ".")
        )

    @cached_property
    def pointers(self) -> dict[str, str]:
        """What `.dvc` files point to, by path, and the pointer that does."""
        pointers: dict[str, str] = {}
        for name in self.files:
            text = self.read(name) if name.endswith(".dvc") else None
            try:
                locked = () if text is None else read_pointer(text, posixpath.dirname(name))
            except ParseError:
                continue
            pointers |= {locked_file.path: name for locked_file in locked}
        return pointers

    def is_file(self, name: str) -> bool:
        """Whether there is a regular file, tracked by Git or not."""
        return _is_inside(name) and (self.root / name).is_file()

    def is_folder(self, name: str) -> bool:
        """Whether there is a folder of this name."""
        return _is_inside(name) and (self.root / name).is_dir()

    def exists(self, name: str) -> bool:
        """Whether there is anything of this name."""
        return self.is_file(name) or self.is_folder(name)

    def is_there(self, name: str) -> bool:
        """Whether it exists, or DVC can bring it."""
        return self.exists(name) or self.brings(name)

    def brings(self, name: str) -> bool:
        """Whether a pointer stands for a path, a folder above it, or something below it."""
        name = name.rstrip("/")
        is_above = name in self._above_pointers
        return is_above or any(path in self.pointers for path in (name, *_above(name)))

    @cached_property
    def _above_pointers(self) -> frozenset[str]:
        return frozenset(above for pointer in self.pointers for above in _above(pointer))

    def below(self, folder: str, suffix: str = "") -> list[str]:
        """The listed files below a folder whose names end so."""
        start = f"{folder}/" if folder not in ("", ".") else ""
        return [name for name in self.files if name.startswith(start) and name.endswith(suffix)]

    def is_source(self, folder: str) -> bool:
        """Whether a folder holds Python that somebody wrote: then it is no model."""
        return self.is_folder(folder) and bool(self.below(folder, ".py"))

    def read(self, name: str) -> bytes | None:
        """The content of a small file, or None if it is none, leads elsewhere or is too large."""
        if name not in self._texts:
            self._texts[name] = self._read(name)
        return self._texts[name]

    def _read(self, name: str) -> bytes | None:
        path = self.root / name
        try:
            if not self.is_file(name) or path.stat().st_size > MAX_READ_BYTES:
                return None
            require_inside(self.root, path)
            return read_small(path)
        except (AssentError, OSError):
            return None

    def text(self, name: str) -> str:
        """The content as text; empty if there is none."""
        return (self.read(name) or b"").decode(errors="replace")

    def values(self, name: str) -> Any:
        """What a JSON, YAML or TOML file says, or None."""
        text, suffix = self.read(name), posixpath.splitext(name)[1].lower()
        try:
            return None if text is None else parsing.parse(text, suffix)
        except (ParseError, KeyError):
            return None

    def mapping(self, name: str) -> dict[str, Any]:
        """The same, if it is a mapping; else an empty one."""
        mapping = self.values(name)
        return mapping if isinstance(mapping, dict) else {}


def _is_inside(name: str) -> bool:
    return (
        bool(name) and not name.startswith("/") and ".." not in name.split("/") and "\0" not in name
    )


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _above(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
