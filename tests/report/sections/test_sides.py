"""What is compared with what."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from assent.core.diff import Side
from assent.core.diff.model import FileChange, ModelDiff
from assent.core.digest import digest_of
from assent.core.evidence import Code, Run
from assent.report.sections.sides import sides_section
from assent.report.text import to_text
from tests.report.samples import NEW, OLD, diff, review


def text(**changes: Any) -> str:
    found = replace(diff(), **changes)
    return to_text([sides_section(replace(review(), diff=found))])


def side(**values: Any) -> Side:
    return Side(**{"bundle": NEW, "model_digest": digest_of(b"model"), **values})


@pytest.mark.parametrize(
    ("old", "files", "said"),
    [
        (None, (), "There is no baseline to compare with."),
        (side(), (), "The candidate is the baseline: same model, same evidence."),
        (side(bundle=OLD), (), "The model files are the same; the evidence differs."),
        (
            side(bundle=OLD),
            (FileChange(path="run.sh", became="executable", has_other_bytes=False),),
            "which of them may be run differs.",
        ),
        (side(bundle=OLD, model_digest=OLD), (), "The model files differ."),
    ],
)
def test_what_differs_is_the_first_line(
    old: Side | None, files: tuple[FileChange, ...], said: str
) -> None:
    shown = text(baseline=old, candidate=side(), model_files=ModelDiff(changes=files))
    assert said in shown.replace("\n", " ")


def test_version_commit_and_run_of_both() -> None:
    code = Code(commit="c" * 40, branch="main", is_dirty=True)
    run = Run(system="github", id="42", attempt=3)
    shown = text(baseline=side(bundle=OLD, version=11), candidate=side(code=code, run=run))
    assert "v11" in shown
    assert f"{'c' * 12} with uncommitted changes" in shown
    assert "github 42 attempt 3" in shown
