"""Where the API and the site are, and how both write times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tests.gitlab.accounts import User
from tests.gitlab.project import Project


@dataclass(frozen=True)
class Addresses:
    """`api` ends with `/api/v4`; `web` is the site that people look at."""

    api: str
    web: str

    def project(self, project: Project, rest: str = "") -> str:
        return f"{self.api}/projects/{project.id}{rest}"

    def page(self, project: Project, rest: str = "") -> str:
        return f"{self.web}/{project.full_name}{f'/-{rest}' if rest else ''}"

    def user(self, user: User) -> str:
        return f"{self.web}/{user.username}"


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def stamp_or_null(at: datetime | None) -> str | None:
    return stamp(at) if at else None


def commit_stamp(at: datetime) -> str:
    """Times of commits are written with their own offset."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.000+00:00"


def day_or_null(at: date | None) -> str | None:
    return at.isoformat() if at else None
