"""Where the pages stand. Names of models and people become names of folders that any file system
takes, that no two names share, and that lead nowhere else.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from assent.core.identity import PersonKey

_KEPT = re.compile(rb"[a-z0-9-]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])")
"""Names that mean devices on Windows, whatever their extension."""
_LONGEST = 120
_LINK = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+(?::[0-9]+)?(?:[/?#][!-~]*)?")

OVERVIEW = "index.html"
PEOPLE = "people/index.html"
SEARCH = "search.html"
SEARCHED = "search.js"
STYLE = "style.css"
SCRIPT = "site.js"


@lru_cache(10_000)
def file_name(name: str) -> str:
    """`name` as the name of a file. Small letters, digits and `-` stay; every other byte is `_` and
    two digits, so that names which differ in the case of letters alone have two files. A long name
    ends with its digest: `__` stands nowhere else.
    """
    parts = [
        chr(byte) if _KEPT.fullmatch(bytes([byte])) else f"_{byte:02x}"
        for byte in name.encode("utf-8", "surrogatepass")
    ]
    if _RESERVED.fullmatch("".join(parts)):
        parts[0] = f"_{ord(parts[0]):02x}"
    whole = "".join(parts)
    if len(whole) <= _LONGEST:
        return whole or "_"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{whole[:40].rstrip('_')}__{digest}"


def of_model(model: str, page: str = "index") -> str:
    """A page of a model: `index`, `timeline`, `v12`, …"""
    return f"{folder_of(model)}{page}.html"


def folder_of(model: str) -> str:
    """What the paths of all pages of a model begin with."""
    return f"models/{file_name(model)}/"


def script_of(model: str, version: int) -> str:
    """The script of a version, which the comparison reads."""
    return f"{folder_of(model)}v{version}.js"


def of_person(key: PersonKey, page: str = "index") -> str:
    """A page of a person."""
    return f"people/{file_name(key)}/{page}.html"


def of_entry(model: str, seq: int) -> str:
    """Where a ledger entry stands in the list of its model."""
    return f"{of_model(model, f'timeline-{seq // BLOCK}')}#e{seq}"


BLOCK = 200
"""How many rows of a long list one page has. Pages are cut where they always were, so that a new
row changes the newest one alone.
"""


def root_from(path: str) -> str:
    """The way from a page to the folder of the site."""
    return "../" * path.count("/")


def linked(address: str) -> str | None:
    """An address that a page may link to: plain http or https, all of it seen. Else None."""
    return address if _LINK.fullmatch(address) else None
