"""Chat templates line by line."""

from __future__ import annotations

from typing import Any

from assent.core.diff.model import TemplateChange
from assent.report.parts import Table, Text, Words
from assent.report.sections import templates as shown
from assent.report.sections.templates import template_tables


def tables(*changes: TemplateChange, has_baseline: bool = True) -> list[Table]:
    return list(template_tables(changes, has_baseline))


def change(old: str | None, new: str | None, **more: Any) -> TemplateChange:
    paths = {"path": "t.json", "old_path": "t.json"}
    return TemplateChange(name="default", old=old, new=new, **{**paths, **more})


def lines(table: Table) -> list[tuple[str, str]]:
    found = []
    for (word,), (line,) in table.rows:
        assert isinstance(word, Words)
        assert isinstance(line, Text)
        found.append((word.text, line.text))
    return found


def test_the_lines_that_differ() -> None:
    (table,) = tables(change("a\nb\nc\nd\ne", "a\nB\nc\nd\n-- x\ne"))
    assert table.title == "Chat template default in t.json"
    assert lines(table) == [
        ("removed", "b"),
        ("added", "B"),
        ("kept", "c"),
        ("kept", "d"),
        ("added", "-- x"),
    ]


def test_lines_that_look_like_the_head_of_a_diff() -> None:
    (table,) = tables(change("-- a\nx\n++ b", "-- c\nx\n++ d"))
    assert [line for _, line in lines(table)] == ["-- a", "-- c", "x", "++ b", "++ d"]


def test_one_that_is_new_or_gone_or_moved() -> None:
    new, gone, moved = tables(
        change(None, "a\nb", old_path=None), change("a", None), change("a", "b", old_path="o.json")
    )
    assert new.title == "Chat template default in t.json: new"
    assert lines(new) == [("added", "a"), ("added", "b")]
    assert gone.title == "Chat template default in t.json: gone"
    assert moved.title == "Chat template default in t.json, was in o.json"


def test_without_a_baseline_it_is_shown_folded() -> None:
    (table,) = tables(change(None, "a"), has_baseline=False)
    assert (table.title, table.is_folded) == ("Chat template default in t.json", True)


def test_only_the_ends_of_lines_differ() -> None:
    (table,) = tables(change("a\r\nb", "a\nb"))
    assert lines(table) == [("changed", "the ends of the lines")]


def test_very_many_lines_are_not_matched() -> None:
    old = "\n".join(f"{number}" for number in range(shown.MAX_LINES + 1))
    new = "\n".join(f"x{number}" for number in range(shown.MAX_LINES + 1))
    (table,) = tables(change(f"same\n{old}", f"same\n{new}"))
    assert table.total == 2 * (shown.MAX_LINES + 1)
    assert len(table.rows) < table.total
    assert lines(table)[0] == ("removed", "0")
