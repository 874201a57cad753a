"""Packages and environment side by side."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.compare.packages import (
    compare_dependencies,
    compare_environment,
    compare_packages,
    matters,
    version_move,
)
from assent.core.diff.sameness import NotCompared
from assent.core.diff.values import ValueChange, Values
from assent.core.evidence import Environment, PackagesGap

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


NUMPY = Environment(packages={"numpy": "1.26", "a": "1"}, packages_from="pip")
NEWER = Environment(packages={"numpy": "2.0", "b": "1"}, packages_from="pip")


def reason(old: Environment | None, new: Environment) -> str:
    """Why packages are not compared."""
    (one,) = compare_dependencies(old, new).not_compared
    return one.reason


def test_packages_that_are_known_on_both_sides_are_compared() -> None:
    found = compare_dependencies(NUMPY, NEWER)
    assert found == compare_packages(NUMPY.packages, NEWER.packages)
    assert found.not_compared == ()
    assert compare_dependencies(NUMPY, NUMPY) == Values(same=2)


def test_packages_that_are_not_known_are_neither_the_same_nor_changed() -> None:
    unknown = Environment(packages_gap="not seen")
    found = compare_dependencies(NUMPY, unknown)
    assert (found.changes, found.same) == ((), 0)
    assert reason(NUMPY, unknown) == (
        "those of the candidate are not known, since no Python was seen to run"
    )
    assert "python: .venv/bin/python" in found.not_compared[0].remedy
    assert reason(unknown, unknown).startswith("those of both sides are not known, since")
    assert compare_dependencies(unknown, NUMPY) == Values(
        not_compared=(
            NotCompared(
                reason="those of the baseline are not known, since no Python was seen to run"
            ),
        )
    )
    other = Environment(packages_gap="elsewhere")
    assert reason(unknown, other) == (
        "those of the baseline are not known, since no Python was seen to run; those of the "
        "candidate are not known, since something ran in a container or on another machine"
    )


def test_evidence_of_an_earlier_release_without_packages_is_not_known() -> None:
    assert reason(Environment(), NUMPY) == "those of the baseline are not known"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"packages_gap": "many"}, "those of the candidate are not all known, since more"),
        ({"packages_from": "uv.lock"}, "the baseline are from pip, those of the candidate from uv"),
        ({"packages_from": "**no**"}, "those of the candidate from another source"),
        (
            {"interpreters": ("a", "b")},
            "are of 1 installation of Python, those of the candidate of",
        ),
    ],
)
def test_what_both_sides_state_otherwise_is_a_change_and_nothing_is_the_same(
    other: dict[str, object], why: str
) -> None:
    new = msgspec.structs.replace(NEWER, **other)
    for old, changed in ((NUMPY, new), (new, NUMPY)):
        found = compare_dependencies(old, changed)
        assert [(change.name, change.old, change.new) for change in found.changes] == [
            ("numpy", old.packages["numpy"], changed.packages["numpy"])
        ]
        assert found.same == 0
    assert why in reason(NUMPY, new)


def test_without_a_baseline_only_what_is_not_known_is_not_compared() -> None:
    assert compare_dependencies(None, NUMPY) == compare_packages(None, NUMPY.packages)
    partly = msgspec.structs.replace(NUMPY, packages_gap="hidden")
    found = compare_dependencies(None, partly)
    assert {change.name for change in found.changes} == {"a", "numpy"}
    assert reason(None, partly).startswith("those of the candidate are not all known")


gaps = st.one_of(st.none(), st.sampled_from(get_args(PackagesGap)))
environments = st.builds(
    Environment,
    packages=installed,
    packages_from=st.sampled_from([None, "pip", "uv.lock"]),
    packages_gap=gaps,
    interpreters=st.sampled_from([(), ("a",), ("a", "b")]),
    python=st.sampled_from([None, "3.11", "3.12"]),
    cuda=st.sampled_from([None, "12.1", "12.4"]),
    gpus=st.sampled_from([None, (), ("T4",)]),
)


@given(environments, environments)
def test_what_is_not_known_is_never_unchanged(old: Environment, new: Environment) -> None:
    """And what is not compared one way is not compared the other way."""
    there, back = compare_dependencies(old, new), compare_dependencies(new, old)
    is_known = all(side.packages_from and side.packages_gap is None for side in (old, new))
    assert is_known or (there.not_compared and there.same == 0)
    assert bool(there.not_compared) is bool(back.not_compared)
    assert len(there.changes) == len(back.changes)
    around, again = compare_environment(old, new), compare_environment(new, old)
    assert [one.name for one in around.not_compared] == [one.name for one in again.not_compared]
    for name in ("python", "cuda", "gpus"):
        is_one_sided = (getattr(old, name) is None) is not (getattr(new, name) is None)
        if is_one_sided:
            assert name in {one.name for one in around.not_compared}
            assert name not in {one.name for one in around.changes}


def test_what_is_known_of_one_machine_only_is_not_compared() -> None:
    old = Environment(python="3.11", cuda="12.1", gpus=("T4",), platform="A", driver="5")
    new = Environment(platform="A", gpus=None)
    found = compare_environment(old, new)
    assert (found.changes, found.same) == ((), 1)
    assert {one.name: one.reason for one in found.not_compared} == {
        "cpu": "not known on both sides",
        "cpu_count": "not known on both sides",
        "cuda": "not known in the candidate",
        "driver": "not known in the candidate",
        "gpus": "not known in the candidate",
        "machine": "not known on both sides",
        "memory_bytes": "not known on both sides",
        "python": "not known in the candidate",
    }
    alone = {one.name: one.reason for one in compare_environment(None, new).not_compared}
    assert alone["python"] == "not known in the candidate"
    assert "cuda" not in alone


def test_cuda_that_nobody_has_is_nothing_to_compare() -> None:
    none, some = Environment(gpus=()), Environment(gpus=("T4",))
    assert {"cuda", "driver"}.isdisjoint(
        one.name for one in compare_environment(none, none).not_compared
    )
    found = compare_environment(none, some)
    assert [one.name for one in found.changes] == ["gpus"]
    assert {"cuda", "driver"} < {one.name for one in found.not_compared}


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
