"""What `assent site` says to people."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.cli.site import show
from assent.verbs.site import SiteModel, SiteResult


def test_it_says_what_was_written_what_was_not_read_and_what_to_open(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(
        SiteResult(
            to=Path("site"),
            index=Path("site/index.html"),
            models=(
                SiteModel(model="churn", versions=9, unread=2),
                SiteModel(model="fraud\u202e", problem="no \x1b[31m", hint="try"),
                SiteModel(model="fine", versions=1),
            ),
            written=("index.html", "style.css"),
            unchanged=1_200,
            removed=("old.html",),
            code=4,
        )
    )
    assert capsys.readouterr().out.splitlines() == [
        "churn: no evidence of 2 versions could be read; its pages say why",
        "fraud\\u202e: cannot be read: no \\u001b[31m",
        "  hint: try",
        "2 files written, 1,200 unchanged, 1 removed",
        "open site/index.html",
    ]
