"""Whether a first row has names: of files as people and libraries write them."""

from __future__ import annotations

import pytest

from assent.measure.headers import by_white_space, other_cells, values_in


def split(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        "5.1,3.5,1.4,0.2,Iris-setosa\n4.9,3.0,1.4,0.2,Iris-setosa\n7.0,3.2,4.7,1.4,Iris-other",
        "39, State-gov, 77516, Bachelors\n50, Private, 83311, Bachelors\n38, State-gov, 21, HS",
        "7,0,0,0\n2,0,0,0\n1,0,0,0",
        "1,1193,5,978300760\n1,661,3,978302109",
        "Anna Smith,34,Berlin,5.5\nBob Miller,40,Paris,6\nCarl Jones,22,Berlin,4.1",
        "2024-01-01,10.5\n2024-01-02,11\n2024-01-03,12",
        "$1.50,x7\n$2.50,x12\n$30.50,x9",
        "true,1\nfalse,2\ntrue,4",
        "1,2,3\n4,5,6",
        "3\n1\n2",
        "red\nblue\nred\nred",
        ",5,\n1,,2\n,3,4",
        "5,5,1\n2,3,4",
        "007,1.5\n012,2.5",
        "3.5,2",
    ],
)
def test_values_are_no_names(text: str) -> None:
    header, *rows = split(text)
    assert values_in(header, rows)


@pytest.mark.parametrize(
    "text",
    [
        "id,x,k\n1,1.5,a\n2,2.5,a",
        "country,2019,2020,2021\nDE,1,2,3\nFR,2,4,5",
        "country,2023\nDE,17\nFR,20",
        "store,2024-01-01,2024-01-02\nA,5,7\nB,6,8",
        "0,1,2\n5.5,1.5,2.5\n3.5,2.5,1.5",
        ",0,1,2\n0,5.5,1.5,2.5\n1,3.5,2.5,1.5",
        ",0\n0,17\n1,18",
        "0\n5.5\n3.5\n2.5",
        "400,402,404\n17,21,30\n16,20,29",
        "colour,0\nred,17\nblue,20",
        "label,1x1,1x2\n5,0,0\n4,0,0",
        "x1,x2\n5,3\n4,2",
        "sentence,label\nall is well,good\nall is lost,bad",
        "sentence,label",
        "word\nword",
        "date,price\n2024-01-01,$5\n2024-01-02,$6",
        "question,answer\nwhat is 5?,five\nwho,he",
        "a,b,a\n1,2,3",
    ],
)
def test_names_are_not_values(text: str) -> None:
    header, *rows = split(text)
    assert values_in(header, rows) == ()


def test_what_is_said_are_the_values() -> None:
    assert values_in(["Anna", "34", "Berlin"], [["Bob", "40", "Berlin"]]) == ("34", "Berlin")


@pytest.mark.parametrize(
    ("own", "sizes", "cells"),
    [
        (4, [4, 4, 4], 4),
        (4, [4], 4),
        (4, [], 4),
        (1, [4, 4, 4, 1] * 5, 0),
        (1, [1, *[4] * 20], 4),
        (1, [4], 0),
        (1, [1, 1, 1], 0),
        (1, [2, 3, 4, 5], 0),
    ],
)
def test_cells_that_another_delimiter_tells_apart(own: int, sizes: list[int], cells: int) -> None:
    assert other_cells(own, sizes) == cells


def test_cells_between_white_space() -> None:
    assert by_white_space(["a  b   c", "1  2   x", "3  4 y"]) == 3
    assert by_white_space(["first name", "Anna Smith"]) == 0
    assert by_white_space(["note", "is well"]) == 0
    assert by_white_space(["a"]) == 0
