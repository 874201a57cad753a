"""Which accounts of GitLab are no persons."""

from __future__ import annotations

import re

from assent.forges.gitlab.schemas import User

GHOST = "ghost"
"""The account that GitLab gives everything to that a deleted account has left."""
_TOKEN_USER = re.compile(r"(?:project|group)_[0-9]+_bot(?:[0-9]+|_[0-9a-f]+)?")


def is_bot(user: User) -> bool:
    """Whether it is a bot, a service account, the user of a project's or group's token, or the
    ghost. Older releases of GitLab do not say it of all of these, but name them alike.
    """
    login = user.username
    return bool(user.bot) or login == GHOST or _TOKEN_USER.fullmatch(login) is not None
