"""Two bundles as one diff: the laws that every section keeps."""

from __future__ import annotations

import msgspec
from hypothesis import given
from msgspec import UNSET

from assent.compare.bundles import LoadedBundle, compare
from assent.core.diff import Diff
from assent.core.scalar import same
from tests.compare.known import file_set, known, knowns


def changes(diff: Diff) -> list[object]:
    """Everything that differs."""
    return [
        *(metric for metric in diff.metrics if metric.is_changed),
        *diff.model_files.changes,
        *diff.data.changes,
        *diff.params.changes,
        *diff.packages.changes,
        *diff.environment.changes,
    ]


@given(knowns())
def test_a_bundle_does_not_differ_from_itself(one: LoadedBundle) -> None:
    assert changes(compare(one, one)) == []


@given(knowns(), knowns())
def test_a_diff_is_empty_only_between_equal_bundles(one: LoadedBundle, other: LoadedBundle) -> None:
    is_equal = (
        one.bundle.model_digest == other.bundle.model_digest
        and {data.name: data.digest for data in one.evidence.data}
        == {data.name: data.digest for data in other.evidence.data}
        and one.evidence.environment == other.evidence.environment
        and all(
            left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
            for left, right in (
                (one.evidence.metrics, other.evidence.metrics),
                (one.evidence.params, other.evidence.params),
            )
        )
    )
    diff = compare(one, other)
    assert (changes(diff) == []) is is_equal
    if diff.is_unchanged:  # which asks for more: that nothing was left uncompared
        assert is_equal
        assert not diff.packages.not_compared + diff.environment.not_compared


@given(knowns(), knowns())
def test_swapping_the_sides_mirrors_every_change(one: LoadedBundle, other: LoadedBundle) -> None:
    there, back = compare(one, other), compare(other, one)
    assert (there.baseline, there.candidate) == (back.candidate, back.baseline)
    for left, right in zip(there.metrics, back.metrics, strict=True):
        assert (left.name, left.better, left.is_changed) == (
            right.name,
            right.better,
            right.is_changed,
        )
        assert (left.old, left.new) == (right.new, right.old)
        assert left.change is right.change is None or left.change == -(right.change or 0)
    assert [(c.path, c.old_size_bytes, c.new_size_bytes) for c in there.model_files.changes] == [
        (c.path, c.new_size_bytes, c.old_size_bytes) for c in back.model_files.changes
    ]
    assert [(c.name, c.old, c.new) for c in there.data.changes] == [
        (c.name, c.new, c.old) for c in back.data.changes
    ]
    for values, mirrored in (
        (there.params, back.params),
        (there.packages, back.packages),
        (there.environment, back.environment),
    ):
        assert values.same == mirrored.same
        assert [(c.name, c.old, c.new) for c in values.changes] == [
            (c.name, c.new, c.old) for c in mirrored.changes
        ]


@given(knowns(), knowns())
def test_the_order_of_names_and_files_does_not_matter(
    one: LoadedBundle, other: LoadedBundle
) -> None:
    assert compare(turned(one), turned(other)) == compare(one, other)


@given(knowns())
def test_without_a_baseline_everything_is_new(one: LoadedBundle) -> None:
    diff = compare(None, one)
    assert diff.baseline is None
    assert all(metric.old is UNSET and metric.is_changed for metric in diff.metrics)
    assert {change.name for change in diff.params.changes} == one.evidence.params.keys()
    assert len(diff.model_files.changes) == len(one.bundle.files)
    assert diff.model_files.old_size_bytes is None
    assert not diff.is_unchanged


def test_both_sides_say_what_they_are() -> None:
    diff = compare(known(version=11), known(files={"m": "other"}))
    assert diff.model == "churn"
    assert diff.baseline is not None
    assert (diff.baseline.version, diff.candidate.version) == (11, None)
    assert diff.baseline.model_digest != diff.candidate.model_digest


def test_each_section_alone_makes_a_diff() -> None:
    for other in (
        known(metrics={"a": 1}),
        known(params={"a": 1}),
        known(packages={"numpy": "2.0"}),
        known(files={"model.bin": "others"}),
        known(data=(file_set("train", "rows"),)),
    ):
        diff = compare(known(), other)
        assert changes(diff)
        assert not diff.is_unchanged


def turned(one: LoadedBundle) -> LoadedBundle:
    """The same with every mapping and list in reverse."""
    evidence = msgspec.structs.replace(
        one.evidence,
        metrics=dict(reversed(one.evidence.metrics.items())),
        params=dict(reversed(one.evidence.params.items())),
        data=one.evidence.data[::-1],
    )
    bundle = msgspec.structs.replace(one.bundle, files=one.bundle.files[::-1])
    return msgspec.structs.replace(one, evidence=evidence, bundle=bundle)
