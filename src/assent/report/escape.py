"""The one escaping layer: untrusted text as inert code.

Two forms are inert on GitHub and GitLab. In a backtick code span nothing is interpreted, but a
table still splits at `|` and the span ends at a backtick. So other text becomes a `<code>`
element in which every character that could mean something is a numeric reference; a reference
cannot start Markdown structure (CommonMark 0.31, section 2.5), and both forges leave mentions,
issue references and emoji alone inside `code`, also after references were decoded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby

NAME_LIMIT = 120
SENTENCE_LIMIT = 300

# Printable by Unicode's categories, empty to the eye: fillers and variation selectors.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(point) for point in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MAX_COMBINING = 2  # marks on one letter; more than that paint over the lines around it

_SPAN_UNSAFE = re.compile(r"[`|<>&\\$]|[^ -~]")
_LOOSE_SPACE = re.compile(r"^ | $|(?<= ) ")
_MARK = re.compile(r"[^\w ]|_")

_OPENING, _CLOSING = "(“", ")”.,;:!?"
_MAX_PUNCTUATION = 3
_WORD = re.compile(r"[A-Za-z]+(?:['-][a-z]+)*|v\d{1,6}")
_NUMBER = re.compile(
    r"[-+\N{MINUS SIGN}]?(?:\d{1,6}|\d{1,3}(?:,\d{3})+)(?:\.\d{1,6})?(?:e[-+]?\d{1,3})?"
    r"(?:%|ms|s|h|B|kB|MB|GB|TB|PB)?|[-+\N{MINUS SIGN}]?∞"
)
_SIGNS = frozenset("\N{EN DASH}\N{MULTIPLICATION SIGN}—→≥≤=·…▲▼")
_HASH = re.compile(r"\b[0-9a-fA-F]{7,}\b")  # forges link what looks like a commit
_QUOTED = re.compile("`([^`]+)`")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9_.~/:?#=&%+,;@-]{1,490}")
_CALLED = re.compile(r"@?[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:/[A-Za-z0-9][A-Za-z0-9_-]{0,99})*")
_LINE_START = re.compile(r"\d+[.)]+|=")  # a list, or the line above as a heading


def shorten(text: str, limit: int) -> str:
    """`text`, cut in the middle if it is longer than `limit`, with the number left out."""
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    tail = limit - head
    return f"{text[:head]}… {len(text) - limit:,} characters left out …{text[-tail:]}"


def visible(text: str) -> str:
    r"""`text` in which every character that cannot be seen, or that reorders others, is written
    out: `\n`, `\u202e`. The result is printable and on one line.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    combining = 0
    for character in text:
        combining = combining + 1 if unicodedata.combining(character) else 0
        is_seen = character.isprintable() and character not in _BLANK
        if is_seen and combining <= _MAX_COMBINING:
            shown.append(character)
        else:
            shown.append(_written_out(character))
    return "".join(shown)


def name(text: str, limit: int = NAME_LIMIT) -> str:
    """Untrusted text as people are to see it: shortened, visible, never empty, each space seen."""
    shown = visible(shorten(text, limit)) or '""'
    return _LOOSE_SPACE.sub(lambda _: "\\u0020", shown)


def code(text: str, limit: int = NAME_LIMIT) -> str:
    """Untrusted text as inert Markdown for a paragraph, a heading, a list or a table cell."""
    shown = name(text, limit)
    if _SPAN_UNSAFE.search(shown) is None:
        return f"`{shown}`"
    return _element(shown)


def code_element(text: str, limit: int = NAME_LIMIT) -> str:
    """As `code`, and inert where Markdown is not read as well: inside `<summary>`."""
    return _element(name(text, limit))


def is_address(text: str) -> bool:
    """Whether this is an ordinary address of the web, of which nothing means more to a forge."""
    return _ADDRESS.fullmatch(text) is not None


def mention(name: str) -> str | None:
    """An account, team or group as a forge calls it to a change; None for any other name."""
    return f"@{name.removeprefix('@')}" if _CALLED.fullmatch(name) else None


def pieces(text: str, limit: int = SENTENCE_LIMIT) -> Iterator[tuple[bool, str]]:
    """A sentence as runs of (is it code?, text), which joined by nothing are the sentence.

    What stands between backticks is code. Of the rest, ordinary words, numbers and punctuation
    are not code; every word that could mean more to a forge, and every unusual character, is.
    """
    parts = _QUOTED.split(visible(shorten(text, limit)))
    for at, part in enumerate(parts):
        if at % 2:
            yield True, part
        elif not part and 0 < at < len(parts) - 1:
            yield False, " "  # two backticks side by side would be another fence
        else:
            yield from _unquoted(part, is_first=at == 0)


def prose(text: str, limit: int = SENTENCE_LIMIT, coded: Callable[[str, int], str] = code) -> str:
    """A sentence by Assent that may hold untrusted names, as inert Markdown: ordinary words stay
    readable words, and whatever the text is, nothing in it means anything to a forge.
    """
    return "".join(
        coded(run, limit + 100) if is_code else run for is_code, run in pieces(text, limit)
    )


prose_element = partial(prose, coded=code_element)
"""As `prose`, for places where Markdown is not read."""


def _written_out(character: str) -> str:
    point = ord(character)
    return _NAMED.get(character) or (f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}")


def _element(shown: str) -> str:
    body = _MARK.sub(_reference, shown)
    # Right-to-left letters would pull the arrow or the number that follows to their side.
    right_to_left = any(
        unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in shown
    )
    return f"<code>{body}</code>" + ("&#8206;" if right_to_left else "")


def _reference(match: re.Match[str]) -> str:
    """A character as a reference. Parsers look for addresses (`a@b.c`, `https:`, `www.`) in the
    text after references were decoded; an empty comment in the middle keeps them apart.
    """
    mark = match.group()
    reference = f"&#{ord(mark)};"
    if mark in "@:":
        return f"{reference}<!-- -->"
    if mark == "." and match.string[: match.start()][-1:] in ("w", "W"):
        return f"<!-- -->{reference}"
    return reference


def _unquoted(text: str, *, is_first: bool) -> Iterator[tuple[bool, str]]:
    words = text.split()
    plain = [_is_plain(word) for word in words]
    if is_first and words and _LINE_START.fullmatch(words[0]):
        plain[0] = False
    space = " " if text[:1] == " " and not is_first else ""
    for is_plain, group in groupby(zip(plain, words, strict=True), lambda pair: pair[0]):
        run = " ".join(word for _, word in group)
        if is_plain:
            yield False, space + run
        else:
            opening, core, closing = _peeled(run)
            yield False, space + opening
            yield True, core
            yield False, closing
        space = " "
    if text[-1:] == " ":
        yield False, " "


def _is_plain(word: str) -> bool:
    core = word.lstrip(_OPENING).rstrip(_CLOSING)
    if not core:
        return len(word) <= _MAX_PUNCTUATION
    if _HASH.search(core):
        return False
    return word in _SIGNS or bool(_WORD.fullmatch(core) or _NUMBER.fullmatch(core))


def _peeled(run: str) -> tuple[str, str, str]:
    """`run` without the punctuation of the sentence around it."""
    core = run.lstrip(_OPENING)
    opening = run[: len(run) - len(core)]
    bare = core.rstrip(_CLOSING)
    if not bare:
        return "", run, ""
    return opening, bare, core[len(bare) :]
