"""Pages: made of what they are given and nothing else, and inert whatever that is."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from markupsafe import Markup, escape

from assent.report.site import pen
from assent.report.site.filling import fill, inert, together
from assent.report.site.pages import literal, look_pages, page
from assent.report.site.parts import Content, Section, Table
from tests.effort import examples
from tests.report.nasty import texts
from tests.report.rendered import Page
from tests.report.test_html import Balance

INERT = re.compile(r"[ -~]*")


@pytest.mark.threat(33)
@given(text=texts.filter(lambda text: "\ud800" not in text))
def test_a_literal_is_ascii_without_a_sign_of_html_and_says_the_same(text: str) -> None:
    written = literal([text, None, 1.5, [text]])
    assert INERT.fullmatch(written)
    assert not set(written) & set("<>&")
    assert json.loads(written) == [text, None, 1.5, [text]]


@pytest.mark.threat(33)
@given(text=texts)
@settings(max_examples=examples(60))
def test_nothing_that_is_written_means_anything(text: str) -> None:
    for written in (pen.code(text), pen.words(text), pen.bdi(text), pen.outward(text, text)):
        names = Page(written).names
        assert set(names) <= {"code", "bdi", "br", "a", "span"}
        assert not set(written) & set("\u202e\u2066\u200b\x00\x1b\u2028")
        assert len(written) < 30_000


@pytest.mark.threat(33)
@given(text=texts)
def test_what_is_put_into_markup_is_what_escaping_makes_of_it(text: str) -> None:
    assert fill('<a title="%s">', text) == Markup('<a title="%s">') % text
    assert inert(text) == escape(text)
    assert together([fill("%s", text)]) == escape(text)


def test_parts_are_escaped_once() -> None:
    assert fill("<b>%s</b>%s", "<i>", Markup("<u>")) == "<b>&lt;i&gt;</b><u>"
    assert isinstance(fill("%s", "x"), Markup)
    assert together([Markup("<a>"), Markup("<b>")], ", ") == "<a>, <b>"
    with pytest.raises(ValueError, match="zip"):
        fill("%s%s", "one")


def made(title: str = "T", rows: int = 1) -> str:
    table = Table(
        title="Things",
        columns=("Name", "Value"),
        rows=[[pen.code(title), pen.figure("1")] for _ in range(rows)],
        right=frozenset({1}),
        left=3,
        where="the ledger",
        anchors=tuple(f"e{at}" for at in range(rows)),
    )
    content = Content(
        title=title,
        heading=pen.bdi(title),
        sections=(
            Section(title="Things", table=table),
            Section(title="Typed", commands=(f"echo {title}",), is_folded=True),
        ),
    )
    return page("models/x/index.html", [title, rows], lambda: content).content().decode()


@pytest.mark.threat(33)
@given(text=texts)
@settings(max_examples=examples(60))
def test_a_hostile_page_has_the_shape_of_an_ordinary_one(text: str) -> None:
    html = made(text)
    seen, calm = Page(html), Page(made("calm"))
    assert seen.names == calm.names
    assert not seen.comments


def test_a_page_asks_nobody_and_is_well_formed() -> None:
    html = made(rows=3)
    Balance(html.replace('<link rel="stylesheet" href="../../style.css">', ""))
    assert "default-src 'none'; style-src 'self' file:; script-src 'self' file:" in html
    assert "<script" not in html
    assert "style=" not in html
    assert "… 3 more in the ledger." in html
    assert html.count('<th scope="row">') == 3
    assert 'id="e2"' in html


def test_the_digest_is_of_all_that_a_page_is_made_of() -> None:
    def digest(path: str, given: object) -> str:
        return page(path, given, lambda: Content(title="", heading=Markup(""))).digest

    assert digest("a.html", [1]) == digest("a.html", [1])
    assert len({digest("a.html", [1]), digest("b.html", [1]), digest("a.html", [2])}) == 3


def test_the_style_and_the_script_fetch_nothing_and_read_no_html() -> None:
    style, script = (shared.content().decode() for shared in look_pages())
    assert not re.search(r"url\(|@import|https?:", style)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|fetch", script)
