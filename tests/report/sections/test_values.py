"""What is said of parameters, packages and the environment."""

from __future__ import annotations

import msgspec

from assent.core.comment_layout import Topic
from assent.core.diff.sameness import NotCompared
from assent.core.diff.values import ValueChange, Values
from assent.report.document import to_document
from assent.report.parts import Section
from assent.report.sections.values import values_section
from tests.report.samples import diff, review
from tests.report.sections.told import text


def test_a_value_that_became_text_is_no_smaller_number() -> None:
    values = Values(changes=(ValueChange(name="seed", old=2, new="1", move="type"),), same=3)
    found = values_section("Parameters", "Parameter", values)
    assert text(found.summary) == "1 of another type, 3 unchanged"
    assert text(found.tables[0].rows[0]) == 'seed 2 "1" (a number became text)'


def test_packages_that_matter_come_first_and_say_where_they_went() -> None:
    packages = Values(
        changes=(
            ValueChange(name="aiohttp", old="1"),
            ValueChange(name="numpy", old="1.26", new="2.0", move="up", matters=True),
        )
    )
    report = review(diff=diff(packages=packages, environment=Values(same=2)))
    found = to_document(report).sections[Topic.ENVIRONMENT]
    assert text(found.summary) == "packages: 1 missing, 1 up; environment: unchanged"
    assert [text(row) for row in found.tables[0].rows] == [
        "numpy 1.26 2.0 ▲ up",
        "aiohttp 1 missing",
    ]


def dependencies(packages: Values, environment: Values) -> Section:
    report = review(diff=diff(packages=packages, environment=environment))
    return to_document(report).sections[Topic.ENVIRONMENT]


def test_packages_that_were_not_compared_are_not_said_to_be_unchanged() -> None:
    unknown = Values(not_compared=(NotCompared(reason="nobody saw", remedy="look"),))
    found = dependencies(unknown, Values(same=2))
    assert (found.tables, found.notes) == ((), ())  # one line
    assert text(found.summary) == (
        "packages: not compared, because nobody saw (look) environment: unchanged"
    )
    change = ValueChange(name="numpy", old="1.26", new="2.0", move="up", matters=True)
    partly = msgspec.structs.replace(unknown, changes=(change,))
    assert text(dependencies(partly, Values(same=2)).summary).startswith(
        "packages: 1 up; the others not compared, because nobody saw (look)"
    )


def test_what_was_not_compared_of_the_environment_is_named() -> None:
    environment = Values(
        same=2,
        not_compared=(
            NotCompared(name="cuda", reason="not known in the baseline"),
            NotCompared(name="gpus", reason="not known on both sides"),
            NotCompared(name="python", reason="not known on both sides"),
        ),
    )
    assert text(dependencies(Values(same=3), environment).summary) == (
        "packages: unchanged environment: 2 unchanged; cuda not compared, because not known in the "
        "baseline; gpus, python not compared, because not known on both sides"
    )
