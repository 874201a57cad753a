"""None"""

from __future__ import annotations

from base64 import b64decode

import pytest

from assent.report.charts.pictures import (
    MAX_ALL_BYTES,
    MAX_PLOT_BYTES,
    MAX_PLOTS,
    pictures,
    problems,
)
from assent.report.review import Plot
from tests.report import charted

PNG, JPEG, SVG = "image/png", "image/jpeg", "image/svg+xml"

JPEG_CONTENT = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF"
    + bytes(10)
    + b"\xff\xff\xc0\x00\x11\x08\x00\x28\x00\x40"
    + bytes(20)
)


def plot(media_type: str, content: bytes, name: str = "a plot") -> Plot:
    return Plot(name=name, media_type=media_type, content=content)


def test_png_jpeg_and_svg_become_addresses_with_their_very_bytes() -> None:
    plots = [plot(PNG, charted.png()), plot(JPEG, JPEG_CONTENT), plot(SVG, charted.SVG)]
    for one, picture in zip(plots, pictures(plots), strict=True):
        head, content = picture.address.split(",")
        assert head == f"data:{one.media_type};base64"
        assert b64decode(content) == one.content


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("media_type", "content", "problem"),
    [
        ("text/html", b"<script>", "neither PNG, JPEG nor SVG"),
        ("application/vnd.vegalite.v5+json", b"{}", "neither PNG, JPEG nor SVG"),
        ("image/svg+xml;x", charted.SVG, "neither PNG, JPEG nor SVG"),
        (PNG, charted.SVG, "its content is of another type than its name says"),
        (PNG, charted.png()[:20], "its content is of another type than its name says"),
        (SVG, charted.png(), "its content is of another type than its name says"),
        (SVG, b"<html><svg>", "its content is of another type than its name says"),
        (SVG, charted.SVG.decode().encode("utf-16"), "its content is of another type"),
        (SVG, b'<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "its content is of another type"),
        (
            JPEG,
            b"\xff\xd8\xff\xda" + bytes(99),
            "its content is of another type than its name says",
        ),
        (JPEG, b"\xff\xd8\xff" + b"\xff" * 99, "its content is of another type than its name says"),
        (PNG, b"", "it could not be read"),
        (PNG, charted.png() + bytes(MAX_PLOT_BYTES), "larger than 2.0 MB"),
    ],
)
def test_what_is_no_picture_is_only_named(media_type: str, content: bytes, problem: str) -> None:
    one = plot(media_type, content)
    assert pictures([one]) == ()
    assert problems([one])[0].startswith(problem)


@pytest.mark.threat(39)
def test_a_picture_that_would_be_huge_is_not_shown() -> None:
    wide = charted.png()[:16] + (10**6).to_bytes(4, "big") + (10**6).to_bytes(4, "big") + bytes(99)
    assert problems([plot(PNG, wide)]) == ("too many pixels",)
    frame = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff" + bytes(20)
    assert problems([plot(JPEG, frame)]) == ("too many pixels",)


@pytest.mark.threat(36)
def test_the_page_stays_within_bounds() -> None:
    large = [plot(PNG, charted.png() + bytes(MAX_PLOT_BYTES - 20_000))] * 8
    shown = problems(large).count("")
    assert 0 < shown * len(large[0].content) <= MAX_ALL_BYTES
    assert len(pictures(large)) == shown < 8
    assert problems([plot(PNG, charted.png())] * (MAX_PLOTS + 2))[-3:] == (
        "",
        "the page would get too large",
        "the page would get too large",
    )


def test_the_usual_ways_to_begin_an_svg() -> None:
    for begin in (
        b"<svg xmlns='x'>",
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg>",
        b'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN">\n<svg\n>',
        b"<!-- made by hand -->\n<!-- really -->\n<svg>",
    ):
        assert problems([plot(SVG, begin)]) == ("",)


@pytest.mark.threat(39)
def test_an_svg_that_wants_to_be_slow_is_not() -> None:
    assert problems([plot(SVG, b"<!--" * 400_000)]) != ("",)
    assert problems([plot(SVG, b"<!---->" * 200_000)]) != ("",)
