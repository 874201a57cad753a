"""Where the API and the site are, and how both write times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tests.github.repository import Repository


@dataclass(frozen=True)
class Addresses:
    """`api` is where the stand-in listens; `web` is the site that people look at."""

    api: str
    web: str = "https://github.com"

    def repo(self, repository: Repository, rest: str = "") -> str:
        return f"{self.api}/repos/{repository.full_name}{rest}"

    def page(self, repository: Repository, rest: str = "") -> str:
        return f"{self.web}/{repository.full_name}{rest}"


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_null(at: datetime | None) -> str | None:
    return stamp(at) if at else None
