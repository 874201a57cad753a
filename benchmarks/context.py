"""What every benchmark gets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Context:
    """A scratch folder, the environment of what is measured, and how thorough to be."""

    folder: Path
    env: dict[str, str]
    is_quick: bool
    with_peers: bool

    def rounds(self, count: int, *, quick: int) -> int:
        return quick if self.is_quick else count
