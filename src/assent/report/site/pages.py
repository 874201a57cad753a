"""A page of the site: where it stands, what it is made of, and its bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from assent import __version__
from assent.core.digest import Digest, digest_of, digest_of_value
from assent.report.escape import visible
from assent.report.markup import environment
from assent.report.site.addresses import root_from
from assent.report.site.bodies import section_markup
from assent.report.site.filling import together
from assent.report.site.parts import Content, Struct

_TEMPLATES = ("style.css", "site/site.css", "site/site.js", "site/page.html")


class Page(Struct, frozen=True, kw_only=True):
    """A file of the site. `given` is all that its bytes are made of: with the same `digest` they
    are the same, and need not be made again.
    """

    path: str
    given: Any
    make: Callable[[], str]

    @property
    def digest(self) -> Digest:
        """The digest of all that the page is made of."""
        return digest_of(msgspec.json.encode([look(), self.path, self.given]))

    def content(self) -> bytes:
        """The bytes of the file."""
        return self.make().encode()


def page(path: str, given: Any, content: Callable[[], Content]) -> Page:
    """A page of the one look. `content` is asked only where the page has to be written."""
    return Page(path=path, given=given, make=lambda: _rendered(path, content()))


def look_pages() -> tuple[Page, ...]:
    """The style sheet and the script that all pages share."""

    def style() -> str:
        return _source("style.css") + _source("site/site.css")

    return (
        Page(path="style.css", given="", make=style),
        Page(path="site.js", given="", make=lambda: _source("site/site.js")),
    )


def script(path: str, function: str, values: Callable[[], list[Any]], given: Any) -> Page:
    """A script that hands values to a function of the site's script: pages that are opened as files
    may load scripts, and nothing else.
    """
    return Page(
        path=path,
        given=given,
        make=lambda: f"assent.{function}({','.join(map(literal, values()))});\n",
    )


def literal(value: Any) -> str:
    """A value as an expression of JavaScript that is inert in HTML as well: nothing but ASCII, and
    none of the signs that HTML is made of. There are no objects, whose keys could mean something.
    """
    text = msgspec.json.encode(value).decode()
    return _NOT_INERT.sub(lambda match: "".join(map(_escaped, _utf16(match.group()))), text)


_NOT_INERT = re.compile(r"[^ -~]|[<>&]")


def _escaped(unit: int) -> str:
    return f"\\u{unit:04x}"


def _utf16(character: str) -> list[int]:
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


@cache
def look() -> Digest:
    """The digest of what all pages are made with."""
    return digest_of_value([__version__, [_source(name) for name in _TEMPLATES]])


def _source(name: str) -> str:
    made = environment()
    assert made.loader is not None
    return made.loader.get_source(made, name)[0]


def _rendered(path: str, content: Content) -> str:
    template = environment().get_template("site/page.html")
    return template.render(
        content=content,
        root=root_from(path),
        title=visible(content.title),
        sections=together(map(section_markup, content.sections)),
    )
