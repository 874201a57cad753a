"""The picture that the README shows is of what a comment is today."""

from __future__ import annotations

from tests.report.pictures import PICTURE, SOURCE, comment


def test_the_picture_of_a_comment_is_not_old() -> None:
    assert SOURCE.read_text() == comment(), "run python -m tests.report.pictures"
    assert PICTURE.read_bytes().startswith(b"\x89PNG")
