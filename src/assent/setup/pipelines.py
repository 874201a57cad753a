"""The files by which the CI of a forge runs Assent: what `init` asks of each forge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from assent.config.settings import Config

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


def new_files(folder: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """The files of these that are not there yet."""
    return tuple(folder / name for name in names if not (folder / name).exists())
