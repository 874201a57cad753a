"""CODEOWNERS, as GitLab reads it."""

from __future__ import annotations

import pytest

from assent.forges.gitlab.codeowners import owners


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ("* @a", "assent.yaml", "@a"),
        ("* @a", "deep/er/assent.yaml", "@a"),
        ("* @a\nassent.yaml @b", "assent.yaml", "@b"),
        ("assent.yaml @b\n* @a", "assent.yaml", "@a"),
        ("assent.yaml @b", "models/assent.yaml", "@b"),
        ("/assent.yaml @b", "models/assent.yaml", ""),
        ("/models/ @b", "models/churn/assent.yaml", "@b"),
        ("models/ @b", "x/models/assent.yaml", "@b"),
        ("/models @b", "models/assent.yaml", ""),
        ("/models/* @b", "models/assent.yaml", "@b"),
        ("/models/* @b", "models/churn/assent.yaml", ""),
        ("/models/**/*.yaml @b", "models/x/y/assent.yaml", "@b"),
        ("churn/assent.yaml @b", "models/churn/assent.yaml", "@b"),
        ("*.yaml @a x@example.com @g/s/u", "assent.yaml", "@a x@example.com @g/s/u"),
        ("assent.ya?l @a", "assent.yaml", "@a"),
        ("assent.yaml @a # @b", "assent.yaml", "@a"),
        ("a\\ b.yaml @a", "a b.yaml", "@a"),
        ("* @@developers @@maintainer", "assent.yaml", "@@developers @@maintainer"),
        ("assent.yaml not-a-name @a", "assent.yaml", "@a"),
        ("* @a\nassent.yaml", "assent.yaml", ""),
        ("# * @a", "assent.yaml", ""),
        # sections
        ("* @a\n[Models]\n*.yaml @b", "assent.yaml", "@a @b"),
        ("[Models] @d\n*.yaml\n*.py @e", "assent.yaml", "@d"),
        ("[Models][2] @d @e\n*.yaml", "assent.yaml", "@d @e"),
        ("^[Models] @d\nassent.yaml", "assent.yaml", "@d"),
        ("[Models]\n* @a\n[Other]\n*.py @x\n[MODELS]\nassent.yaml @b", "assent.yaml", "@b"),
        ("[Models] @d\n* @e\n[Docs] @f\n*.md", "assent.yaml", "@e"),
        # exclusions
        ("* @a\n!assent.yaml", "assent.yaml", ""),
        ("* @a\n!assent.yaml\nassent.yaml @b", "assent.yaml", ""),
        ("* @a\n[Models]\n* @b\n!assent.yaml", "assent.yaml", "@a"),
    ],
)
def test_the_owners_of_a_path(text: str, path: str, found: str) -> None:
    assert " ".join(owners(text, path)) == found


def test_patterns_are_no_regular_expressions() -> None:
    assert owners("assent.yaml @a", "assentXyaml") == ()
    assert owners("(a+)+$ @a", "a" * 50 + "!") == ()
