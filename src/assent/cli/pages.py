"""The pages of the documentation, where they are for whoever has installed Assent."""

from __future__ import annotations

import re
from pathlib import Path

import assent

_PAGE = re.compile(r"(?<![\w/])docs/([a-z]+\.md)")
_PACKAGE = Path(assent.__file__).parent
FOLDERS = (_PACKAGE / "docs", _PACKAGE.parents[1] / "docs")
"""Beside the package, as it is installed; and in a checkout."""


def with_pages(text: str) -> str:
    """Words of Assent in which every page that they name (`docs/stores.md`) is named by where it
    lies; as it is where there is none.
    """
    return _PAGE.sub(_placed, text)


def _placed(match: re.Match[str]) -> str:
    places = (folder / match[1] for folder in FOLDERS)
    return next((str(place) for place in places if place.is_file()), match[0])
