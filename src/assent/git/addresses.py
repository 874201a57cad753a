"""What the address of a remote is, as Git reads it: see `git help fetch`, "GIT URLS"."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

_HOST = re.compile(r"(?:ssh://(?:[^@/]*@)?(?P<url>[^:/@]+)|(?:[^@/:]*@)?(?P<scp>[^:/@]+):(?!//))")
_FILE = "file://"


def ssh_host(address: str) -> str | None:
    """The host of an address that Git reaches by SSH; None for any other address."""
    if "://" in address and not address.startswith("ssh://"):
        return None
    match = _HOST.match(address)
    host = None if match is None else match["url"] or match["scp"]
    return None if host is None or host.startswith("-") else host


def is_path(address: str) -> bool:
    """Whether Git takes an address for a path: no colon stands before its first slash."""
    return "://" not in address and ":" not in address.partition("/")[0]


def folder_at(address: str) -> Path | None:
    """The place on this machine that an address names, there or not; None for a relative path, and
    for what is elsewhere.
    """
    if address.startswith(f"{_FILE}/"):
        return Path(unquote(address.removeprefix(_FILE)))
    return Path(address) if address.startswith("/") else None
