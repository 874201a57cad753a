"""The files by which the CI of a forge runs Assent: what `init` asks of each forge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from assent.config.settings import Config
from assent.errors import UsageError
from assent.files import write_atomically

if TYPE_CHECKING:  # every verb imports this through `wiring`, and few look at a repository
    from assent.setup.installs import Install


class PipelineFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files that were written, or would be. `seen` is what was seen in the files of the team,
    `to_check` what a person has to look at in them, and `to_add` the lines that a person has to add
    to the team's own.
    """

    files: tuple[Path, ...]
    seen: tuple[str, ...] = ()
    to_check: tuple[str, ...] = ()
    to_add: str | None = None


class Pipelines(Protocol):
    """What runs Assent in the CI of one forge."""

    @property
    def forge(self) -> str:
        """The forge's name, as `assent init --<name>` has it."""

    @property
    def is_pinned(self) -> bool:
        """Whether the files say where Assent is."""

    def store(self, folder: Path) -> str:
        """The container registry that the forge gives the repository of `folder`, as a `store`;
        empty where its remote does not say.
        """

    def write(
        self,
        folder: Path,
        configs: Mapping[str, Config],
        installs: Mapping[str, Install],
        *,
        force: bool,
        dry_run: bool,
    ) -> PipelineFiles:
        """Write the files for the models of `configs`, which are by their path below `folder`, the
        top folder of a repository. `installs` is what each model needs installed to be trained, as
        far as it is known. With `dry_run` nothing is written.

        Raises `UsageError`, and writes nothing, if another text stands where one of the files
        belongs, unless `force`.
        """


def changed_files(folder: Path, texts: Mapping[str, str], *, force: bool) -> dict[Path, str]:
    """Those of the texts, by their path below `folder`, that are not there as they should be.

    Raises `UsageError` if another text stands where one belongs, unless `force`.
    """
    changed: dict[Path, str] = {}
    for name, text in texts.items():
        path = folder / name
        standing = path.read_text("utf-8", errors="replace") if path.exists() else None
        if standing == text:
            continue
        if standing is not None and not force:
            raise UsageError(
                f"writing {path}",
                "it exists already and says something else",
                hint="edit it, or replace all of them with --force",
            )
        changed[path] = text
    return changed


def write_files(changed: Mapping[Path, str]) -> tuple[Path, ...]:
    """Write each of them, and return their paths."""
    for path, text in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    return tuple(changed)


def new_files(folder: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """The files of these that are not there yet."""
    return tuple(folder / name for name in names if not (folder / name).exists())
