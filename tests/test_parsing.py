"""Parsing: what is read, and what is refused without harm."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assent import parsing
from assent.parsing import ParseError

BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}]\n" for i in range(1, 60)
)
MERGES = "a0: &a0 {k: v}\n" + "".join(
    f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 60)
)

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
numbers = st.integers(-(2**62), 2**62) | st.floats(allow_nan=False)
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
names = st.text("abcdefghij", min_size=1, max_size=4)
trees = st.dictionaries(
    names,
    st.recursive(leaves, lambda below: st.dictionaries(names, below, min_size=1, max_size=4)),
    max_size=5,
)


FEW = 10_000
"""Calls within which whatever is hostile is refused, however large it is."""


def calls(work: Callable[[], object]) -> int:
    """How many functions of Python `work` calls: the same on every machine, however busy."""
    count = 0

    def see(frame: FrameType, event: str, given: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@given(trees)
def test_json_is_read_as_it_was_written(tree: dict[str, object]) -> None:
    assert parsing.parse_json(json.dumps(tree).encode()) == tree


class Quoting(yaml.SafeDumper):
    """Quotes all text: PyYAML writes the text `0E0` bare, which in YAML 1.2 is a number."""


Quoting.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


@given(trees)
def test_yaml_is_read_as_it_was_written(tree: dict[str, object]) -> None:
    written = yaml.dump(tree, Dumper=Quoting, allow_unicode=True)
    assert parsing.parse_yaml(written.encode()) == tree


@given(trees)
def test_flatten_loses_nothing(tree: dict[str, object]) -> None:
    rebuilt: dict[str, object] = {}
    for name, leaf in parsing.flatten(tree):
        *above, last = name.split(".")
        place = rebuilt
        for part in above:
            place = place.setdefault(part, {})  # type: ignore[assignment]  # a mapping so far
        place[last] = leaf
    assert rebuilt == tree


def test_a_name_that_two_places_share_is_refused() -> None:
    with pytest.raises(ParseError, match=r"'a\.b' is given twice"):
        parsing.flatten(parsing.parse_json(b'{"a.b": 1, "a": {"b": 2}}'))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("-2.5E+3", -2500.0),
        (".5", 0.5),
        ("12", 12),
        ("12:30:00", "12:30:00"),
        ("'1'", "1"),
        ("1_000.5", "1_000.5"),
        ("-.inf", -math.inf),
        ("~", None),
    ],
)
def test_numbers_are_those_of_yaml_1_2(text: str, value: object) -> None:
    read = parsing.parse_yaml(f"a: {text}".encode())["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        MERGES,
        BOMB.split("a12:")[0] + "? *a11\n: 1\n",
        "a: &a [*a]",
        "&a\nb: *a",
        "[" * 100_000 + "]" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "? " * 100_000,
        "a: 1" + ":1" * 100_000 + "\nb: !!int 1" + ":1" * 100_000,
        "a: !!python/object/apply:os.system [exit]",
        "a: !!bool maybe",
        "a: !!timestamp soon",
        "a: 2024-13-45",
        "a: 1\na: 2",
        "a: *b",
        "[1]: 2",
        "a: 1\n---\nb: 2",
    ],
    ids=lambda text: text[:12],
)
def test_hostile_yaml_is_refused(text: str) -> None:
    def refused() -> None:
        with pytest.raises(ParseError):
            parsing.parse_yaml(text.encode())

    assert calls(refused) < FEW


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        '{"a": 1, "a": 2}',
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": "\\ud800"}',
        '{"\\ud800": 1}',
        "[" + "0," * 1_000_000 + "0]",
        '{"a": 1',
        "",
    ],
    ids=lambda text: text[:12],
)
def test_hostile_json_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parsing.parse_json(text.encode())


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000 + "]" * 100_000,
        "a." * 100_000 + "a = 1",
        "a = {" + "'b' . " * 100_000 + "c = 1}",
        "a = " + "9" * 5_000,
        "a = 1\na = 2",
    ],
    ids=lambda text: text[:12],
)
def test_hostile_toml_is_refused(text: str) -> None:
    def refused() -> None:
        with pytest.raises(ParseError):
            parsing.parse_toml(text.encode())

    assert calls(refused) < FEW


@pytest.mark.threat(39)
@pytest.mark.parametrize("suffix", sorted(parsing.SUFFIXES))
def test_what_is_not_utf_8_is_refused(suffix: str) -> None:
    with pytest.raises(ParseError, match="not UTF-8"):
        parsing.parse(b"a = '\xff'", suffix)


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "text", ["a,b\n1\n", 'a,b\n"1,2\n', 'a\n"b"c\n', "a\n" + "b" * 200_000, "," * 1_000_001]
)
def test_corrupt_csv_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parsing.parse_csv(text.encode())


def test_a_long_cell_is_refused_whatever_others_let_python_read() -> None:
    before = csv.field_size_limit(4 << 20)
    try:
        with pytest.raises(ParseError, match="a cell of more than 131,072 characters"):
            parsing.parse_csv(b"a\n" + b"b" * 131_073)
        assert parsing.parse_csv(b"a\n" + b"b" * 131_072)[1] == ["b" * 131_072]
    finally:
        csv.field_size_limit(before)


def test_csv_rows() -> None:
    assert parsing.parse_csv(b'\xef\xbb\xbfa,b\r\n\r\n1,"x\n,y"\r\n') == [
        ["a", "b"],
        ["1", "x\n,y"],
    ]


def test_an_error_says_the_line() -> None:
    with pytest.raises(ParseError) as caught:
        parsing.parse_yaml(b"a: 1\nb:\n  c: 1\n  c: 2\n")
    assert (caught.value.line, caught.value.problem) == (4, "the key 'c' is given twice")


def test_the_line_of_a_value_is_that_of_its_key() -> None:
    value, lines = parsing.parse_yaml_with_lines(b"a: 1\nb:\n  c: [x,\n    y]\n")
    assert value == {"a": 1, "b": {"c": ["x", "y"]}}
    assert lines[("b",)] == 2
    assert lines[("b", "c")] == 3
    assert lines[("b", "c", 1)] == 4


def test_reading_many_metrics_and_parameters_is_little_work_for_each() -> None:
    def tree(groups: int) -> dict[str, dict[str, float]]:
        return {f"g{i}": {f"m{j}": i / (j + 1) for j in range(100)} for i in range(groups)}

    def read(groups: int) -> int:
        metrics, params = json.dumps(tree(groups)).encode(), yaml.safe_dump(tree(groups)).encode()
        found: list[str] = []

        def work() -> None:
            found.extend(name for name, _ in parsing.flatten(parsing.parse_json(metrics)))
            found.extend(name for name, _ in parsing.flatten(parsing.parse_yaml(params)))

        count = calls(work)
        assert len(found) == 200 * groups
        return count

    few, many = read(10), read(100)
    assert many < 10.5 * few
    assert many < 20 * 20_000


@pytest.mark.threat(39)
def test_values_are_counted_before_anything_is_made_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parsing, "MAX_VALUES", 100)
    monkeypatch.setattr(parsing, "_walk_yaml", lambda *_: pytest.fail("nodes were composed"))
    with pytest.raises(ParseError, match="more than 100 values"):
        parsing.parse_yaml(b"[" + b"a," * 200 + b"]")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{yes: 1, no: 2, on: 3, off: 4}", {"yes": 1, "no": 2, "on": 3, "off": 4}),
        ("{Yes: 1, true: 2}", {"Yes": 1, True: 2}),
        ("{false: 1, 1: 2}", {False: 1, 1: 2}),
        ("a: yes", {"a": True}),
    ],
)
def test_a_word_as_a_key_is_that_word(text: str, value: Any) -> None:
    assert parsing.parse_yaml(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    ["{true: 1, True: 2}", "{1: a, 1.0: b}", "{1: a, true: b}", "{0: a, false: b}", "{1: a, 1: b}"],
)
def test_no_key_of_yaml_takes_the_value_of_another(text: str) -> None:
    with pytest.raises(ParseError, match="given twice"):
        parsing.parse_yaml(text.encode())
