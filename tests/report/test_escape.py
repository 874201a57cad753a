from __future__ import annotations

import re
import unicodedata
from html import unescape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assent.report.escape import (
    NAME_LIMIT,
    code,
    code_element,
    name,
    pieces,
    prose,
    prose_element,
    shorten,
    visible,
)
from tests.effort import examples

from .nasty import TEXTS, texts
from .rendered import page

# What GitHub and GitLab look for in the text outside of code.
REFERENCES = re.compile(
    r"[@#$]\w|[!&]\d|[~%][\w\"]|:\w+:|\bGH-\d|\b[0-9a-f]{7,40}\b|://|\bwww\.|^\s*/\w", re.IGNORECASE
)

pytestmark = pytest.mark.threat(33)


@pytest.mark.parametrize("text", TEXTS)
def test_code_is_one_code_element_in_every_place(text: str) -> None:
    for inert in (code(text), code_element(text)):
        for markdown in (
            f"{inert}\n",
            f"before {inert} after\n",
            f"## {inert}\n",
            f"- {inert}\n- {inert}\n",
            f"| a | b |\n| :-- | --: |\n| {inert} | {inert} |\n",
        ):
            seen = page(markdown)
            assert set(seen.codes) == {name(text)}
            assert set(seen.names) <= set("p h2 ul li table thead tbody tr th td code".split())
            assert all(len(row) == 2 for row in seen.rows)
            assert not REFERENCES.search(seen.outside)


@given(text=texts)
@settings(max_examples=examples(400))
def test_a_table_of_names_keeps_its_shape(text: str) -> None:
    seen = page(f"| a | b |\n| :-- | :-- |\n| {code(text)} | x |\n| y | {code(text)} |\n")
    assert seen.rows == [["a", "b"], [_cell(text), "x"], ["y", _cell(text)]]
    assert seen.names.count("code") == 2
    assert not {"a", "img", "em", "strong", "del", "input"} & set(seen.names)


def _cell(text: str) -> str:
    """What a cell reads: the renderer ends nothing early and adds one mark after Hebrew."""
    shown = name(text)
    is_rtl = any(unicodedata.bidirectional(one) in ("R", "AL", "AN") for one in shown)
    return shown + "\u200e" * is_rtl


@given(text=texts, other=texts)
@example("`", "`")
@example("a`b`", "`c`")
@example("`a``b`", "x")
@example("1. x", "= y")
@settings(max_examples=examples(400))
def test_a_sentence_is_inert_wherever_it_stands(text: str, other: str) -> None:
    said, then = prose(text), prose(other)
    seen = page(f"- {said}\n- {then}\n\n{said}\n\n| a | b |\n| :-- | :-- |\n| {said} | {then} |\n")
    assert seen.names.count("li") == 2
    assert [len(row) for row in seen.rows] == [2, 2]
    shape = {"ul", "li", "p", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert set(seen.names) <= shape
    assert not REFERENCES.search(seen.outside)
    assert seen.outside.replace("\n", "").replace("\u200e", "").isprintable()


@given(text=texts)
@settings(max_examples=examples(200))
def test_a_summary_is_inert_although_markdown_is_not_read_there(text: str) -> None:
    said = prose_element(text)
    seen = page(f"<details><summary>{said}</summary>\n\nx\n\n</details>\n")
    assert set(seen.names) <= {"details", "summary", "code", "p"}
    assert not REFERENCES.search(seen.outside)
    assert "`" not in seen.outside


@given(text=texts)
@settings(max_examples=examples(400))
def test_the_visible_form_is_one_printable_line(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert shown.encode().decode() == shown
    assert not any(unicodedata.category(one) == "Cf" for one in shown)


def test_what_cannot_be_seen_is_written_out() -> None:
    assert visible("a\u202eb\n\t\u200b\U000e0041") == "a\\u202eb\\n\\t\\u200b\\U000e0041"
    assert visible("e\u0301") == "e\u0301"
    assert visible("e" + "\u0301" * 4) == "e\u0301\u0301\\u0301\\u0301"


def test_spaces_that_would_vanish_are_written_out() -> None:
    assert name(" a") == "\\u0020a"
    assert name("a  b") == "a \\u0020b"
    assert name("") == '""'


def test_long_text_is_cut_in_the_middle_with_a_count() -> None:
    text = "a" * 50_000 + "b" * 50_000
    shown = shorten(text, 120)
    assert shown.startswith("aaa")
    assert shown.endswith("bbb")
    assert "… 99,880 characters left out …" in shown
    assert shorten("a" * 120, 120) == "a" * 120


@given(text=texts, limit=st.integers(min_value=3, max_value=200))
def test_the_limit_holds_whatever_the_characters(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit + len("… 100,000 characters left out …")
    assert len(code(text, limit)) <= 16 * (limit + 40) + 30


def test_the_default_limit_is_for_names() -> None:
    assert len(page(code("x" * 100_000)).codes[0]) < NAME_LIMIT + 40


def test_ordinary_words_and_numbers_are_not_code() -> None:
    plain = "rose by 30.6%, allowed (0.81 → 0.79); it doesn't pass: see gates = v12."
    assert prose(plain) == plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("roc_auc is 0.8", "`roc_auc` is 0.8"),
        ("ask @acme/ml, please", "ask `@acme/ml`, please"),
        ("fixes #1 now", "fixes `#1` now"),
        ("set `without baseline`, then", "set `without baseline`, then"),
        ("`a``b`", "`a` `b`"),
        ("(see docs/x.md).", "(see `docs/x.md`)."),
        ("commit deadbeef.", "commit `deadbeef`."),
        ("1. first", "`1`. first"),
        ("a\n/approve", "`a\\n/approve`"),
        ("", ""),
    ],
)
def test_what_could_mean_more_is_code(text: str, expected: str) -> None:
    rendered = prose(text).replace("<code>a&#92;n&#47;approve</code>", "`a\\n/approve`")
    assert rendered == expected


@given(text=texts)
def test_no_word_of_a_sentence_is_lost(text: str) -> None:
    said = "".join(run for _, run in pieces(text))
    kept = visible(shorten(text, 300)).replace("`", "").split()
    assert "".join(said.replace("`", "").split()) == "".join(kept)


@given(text=texts)
def test_no_run_of_text_is_an_address_after_references_are_decoded(text: str) -> None:
    """GitLab looks for addresses in decoded text; only a comment between parts stops it."""
    for run in code_element(text).split("<!-- -->"):
        assert not re.search(r"\w@\w|:/|\bwww\.", unescape(run), re.IGNORECASE)
