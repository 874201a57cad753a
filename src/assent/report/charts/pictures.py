"""Plots of the team as images in the page. They are untrusted files: an image is shown only for
what its first bytes say it is, and within bounds of size. SVG stands in an `img` element, where
browsers run no script and fetch nothing (SVG 2, "secure static mode").
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from assent.report import numbers
from assent.report.parts import Picture
from assent.report.review import Plot

MAX_PLOT_BYTES = 2_000_000
MAX_ALL_BYTES = 8_000_000
MAX_PLOTS = 24
_MAX_PIXELS = 50_000_000

_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_JPEG_START = b"\xff\xd8\xff"
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SVG_PROLOGUE = (("<?xml", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">"))
_HEAD = 10_000


def problems(plots: Sequence[Plot]) -> tuple[str, ...]:
    """For each plot why it is not shown; empty for those that are."""
    reasons: list[str] = []
    left, shown = MAX_ALL_BYTES, 0
    for plot in plots:
        problem = _problem(plot)
        if not problem and (len(plot.content) > left or shown == MAX_PLOTS):
            problem = "the page would get too large"
        if not problem:
            left, shown = left - len(plot.content), shown + 1
        reasons.append(problem)
    return tuple(reasons)


def pictures(plots: Sequence[Plot]) -> tuple[Picture, ...]:
    """The plots that can be shown, as images."""
    return tuple(
        Picture(
            name=plot.name,
            address=f"data:{plot.media_type};base64,{b64encode(plot.content).decode('ascii')}",
        )
        for plot, problem in zip(plots, problems(plots), strict=True)
        if not problem
    )


def _problem(plot: Plot) -> str:
    """Why a plot is not shown; empty if it is."""
    check = _CHECKS.get(plot.media_type)
    if check is None:
        return "neither PNG, JPEG nor SVG"
    if plot.size > MAX_PLOT_BYTES or len(plot.content) > MAX_PLOT_BYTES:
        return f"larger than {numbers.size(MAX_PLOT_BYTES)}"
    if not plot.content:
        return "it could not be read"
    pixels = check(plot.content)
    if pixels is None:
        return "its content is of another type than its name says"
    return "" if pixels <= _MAX_PIXELS else "too many pixels"


def _png(content: bytes) -> int | None:
    """The pixels of a PNG, from its header (W3C PNG, section 11.2.1); None if it is none."""
    if not content.startswith(_PNG) or len(content) < len(_PNG) + 8:
        return None
    width = int.from_bytes(content[16:20], "big")
    height = int.from_bytes(content[20:24], "big")
    return width * height or None


def _jpeg(content: bytes) -> int | None:
    """The pixels of a JPEG, from its frame header (ITU-T T.81, annex B); None if it is none."""
    if not content.startswith(_JPEG_START):
        return None
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        kind = content[at + 1]
        if kind in _JPEG_FRAMES:
            height = int.from_bytes(content[at + 5 : at + 7], "big")
            return int.from_bytes(content[at + 7 : at + 9], "big") * height or None
        if kind == 0xFF:  # a fill byte
            at += 1
        else:
            at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4], "big"))
    return None


def _svg(content: bytes) -> int | None:
    """1 for an SVG; None if it is none. Entities could make a small file a huge one."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if "<!ENTITY" in text:
        return None
    head = text[:_HEAD].lstrip()
    while (after := _after_prologue(head)) is not None:
        head = after
    return 1 if head.startswith("<svg") and head[4:5] in (" ", ">", "\n", "\t", "\r") else None


def _after_prologue(head: str) -> str | None:
    """`head` without the declaration or comment that it begins with; None if it has none."""
    for start, end in _SVG_PROLOGUE:
        if head.startswith(start):
            _, closed, rest = head[len(start) :].partition(end)
            return rest.lstrip() if closed else None
    return None


_CHECKS = {"image/png": _png, "image/jpeg": _jpeg, "image/svg+xml": _svg}
