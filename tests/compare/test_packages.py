"""Packages and environment side by side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.compare.packages import compare_environment, compare_packages, matters, version_move
from assent.core.diff.values import ValueChange, Values
from assent.core.evidence import Environment

versions = st.sampled_from(["1", "1.0", "1.0.0", "1.0rc1", "2.1+cpu", "2.1+cu121", "git+x", "1, 2"])
installed = st.dictionaries(st.sampled_from(["numpy", "zlib", "torch", "a"]), versions)


@pytest.mark.parametrize(
    ("old", "new", "move"),
    [
        ("1.9", "1.10", "up"),
        ("1.0", "1.0rc1", "down"),
        ("1.0", "1.0.post1", "up"),
        ("1.0", "1.0.dev1", "down"),
        ("2024.1", "1!1.0", "up"),
        ("v2.0", "1.9", "down"),
        ("2.1+cpu", "2.1+cu121", None),
        ("2.1+cpu", "2.2", "up"),
        ("1.0", "1, 2", None),
        ("1.0", "git+https://x/y@main", None),
        ("1.0", "1." * 50_000, None),
        ("1.0", "", None),
    ],
)
def test_versions_move_as_pep_440_orders_them(old: str, new: str, move: str | None) -> None:
    assert version_move(old, new) == move
    opposite = {"up": "down", "down": "up", None: None}
    assert version_move(new, old) == opposite[move]


def test_what_matters_comes_first() -> None:
    old = {"aiohttp": "3.9", "numpy": "1.26", "zstd": "1", "xgboost": "2.0"}
    new = {"aiohttp": "3.10", "numpy": "2.0", "pip": "24", "xgboost": "1.7"}
    assert compare_packages(old, new) == Values(
        changes=(
            ValueChange(name="numpy", old="1.26", new="2.0", move="up", matters=True),
            ValueChange(name="xgboost", old="2.0", new="1.7", move="down", matters=True),
            ValueChange(name="aiohttp", old="3.9", new="3.10", move="up"),
            ValueChange(name="pip", new="24"),
            ValueChange(name="zstd", old="1"),
        ),
    )


def test_another_spelling_of_a_version_is_no_change() -> None:
    assert compare_packages({"a": "1.0", "b": "1"}, {"a": "1.0.0", "b": "1"}) == Values(same=2)


def test_without_a_baseline_every_package_is_new() -> None:
    (change,) = compare_packages(None, {"torch": "2"}).changes
    assert change == ValueChange(name="torch", new="2", matters=True)


@pytest.mark.parametrize(
    ("name", "is_told"),
    [
        ("scikit-learn", True),
        ("nvidia-cudnn-cu12", True),
        ("tensorflow-cpu", True),
        ("torchvision", True),
        ("click", False),
        ("torchmetricsx", False),
    ],
)
def test_what_a_model_depends_on(name: str, is_told: bool) -> None:
    assert matters(name) is is_told


def test_the_environment() -> None:
    old = Environment(python="3.9.18", platform="A", cuda="11.8", driver="535.1", cpu_count=8)
    new = Environment(python="3.11.2", platform="B", cuda="12.1", driver="470.9", cpu_count=4)
    assert compare_environment(old, new).changes == (
        ValueChange(name="cuda", old="11.8", new="12.1", move="up", matters=True),
        ValueChange(name="driver", old="535.1", new="470.9", move="down", matters=True),
        ValueChange(name="python", old="3.9.18", new="3.11.2", move="up", matters=True),
        ValueChange(name="cpu_count", old=8, new=4, move="down"),
        ValueChange(name="platform", old="A", new="B"),
    )
    assert compare_environment(new, new).changes == ()
    assert {change.name for change in compare_environment(None, new).changes} >= {"python"}


@given(installed, installed)
def test_every_package_is_counted_once_and_both_ways_are_mirrors(
    old: dict[str, str], new: dict[str, str]
) -> None:
    there, back = compare_packages(old, new), compare_packages(new, old)
    assert len(there.changes) + there.same == len(old.keys() | new.keys())
    assert compare_packages(old, old).changes == ()
    assert [(one.name, one.old, one.new) for one in there.changes] == [
        (one.name, one.new, one.old) for one in back.changes
    ]
