"""CODEOWNERS as GitHub documents it."""

from __future__ import annotations

import pytest

from assent.forges.github.codeowners import owners


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "assent.yaml", True),
        ("*", "a/b/c.txt", True),
        ("*.yaml", "assent.yaml", True),
        ("*.yaml", "models/assent.yaml", True),
        ("*.yml", "assent.yaml", False),
        ("assent.yaml", "assent.yaml", True),
        ("assent.yaml", "deep/er/assent.yaml", True),
        ("/assent.yaml", "assent.yaml", True),
        ("/assent.yaml", "deep/assent.yaml", False),
        ("assent.yam", "assent.yaml", False),
        ("docs/", "docs/a/b.md", True),
        ("docs/", "x/docs/b.md", True),
        ("/docs/", "x/docs/b.md", False),
        ("docs", "docs/b.md", True),
        ("docs/*", "docs/b.md", True),
        ("docs/*", "docs/a/b.md", False),
        ("a/**/z.txt", "a/z.txt", True),
        ("a/**/z.txt", "a/b/c/z.txt", True),
        ("**/logs", "build/logs/x", True),
        ("a/**", "a/b/c", True),
        ("apps/github", "apps/github/x", True),
        ("?ssent.yaml", "assent.yaml", True),
        ("a.c", "abc", False),
        ("a+b", "a+b", True),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert owners(f"{pattern} @ml", path) == (("@ml",) if matches else ())


def test_the_last_pattern_that_matches_decides() -> None:
    text = "* @everyone\n*.yaml @acme/ml @alice\n/docs/ @writers\n"
    assert owners(text, "assent.yaml") == ("@acme/ml", "@alice")


def test_a_pattern_without_owners_takes_them_away() -> None:
    assert owners("* @everyone\nassent.yaml\n", "assent.yaml") == ()


def test_comments_and_lines_that_github_skips_decide_nothing() -> None:
    text = "\n".join(
        [
            "# all of it",
            "* @all # @not-me",
            "!assent.yaml @negated",
            "assent.[xy]aml @range",
            "assent.yaml not-an-owner",
        ]
    )
    assert owners(text, "assent.yaml") == ("@all",)


def test_a_space_or_a_sign_in_a_name_is_kept_by_a_backslash() -> None:
    assert owners("my\\ docs/ @writers", "my docs/a") == ("@writers",)
    assert owners("\\#file @writers", "#file") == ("@writers",)


def test_addresses_are_owners_too() -> None:
    assert owners("* ml@example.com @acme/ml", "assent.yaml") == ("ml@example.com", "@acme/ml")
