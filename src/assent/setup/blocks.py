"""What a job of the team's own CI runs, as values that are the same for every CI."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

import msgspec

from assent.parsing import mapping_of

MAX_VALUE = 1000


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A script of a job, the folder that it starts in, and the variables that are set for it."""

    text: str
    folder: str = ""
    values: Mapping[str, str] = {}


class CiJob(msgspec.Struct, frozen=True, kw_only=True):
    """One job. `uses` are the actions that it uses, `python` is the version that it asks for, as it
    says it, and `image` the container that it runs in.
    """

    file: str
    name: str
    forge: str
    blocks: tuple[Block, ...] = ()
    uses: tuple[str, ...] = ()
    python: str | None = None
    image: str | None = None
    conda: str | None = None
    """The file of an environment that an action makes."""

    @property
    def place(self) -> str:
        """How a person finds it."""
        return f"{posixpath.basename(self.file)}, job {self.name}"


def constants(value: Any) -> dict[str, str]:
    """The variables of an `env` that say the same everywhere."""
    return {
        name: str(its)
        for name, its in mapping_of(value).items()
        if isinstance(its, str | int | float)
        and not isinstance(its, bool)
        and "$" not in str(its)
        and "\n" not in str(its)
        and len(str(its)) <= MAX_VALUE
    }
