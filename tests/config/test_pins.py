"""Binding names in the text of `assent.yaml`, and nothing else."""

from __future__ import annotations

from assent.config.pins import Place, pinned, unpinned_names

TEXT = """\
# who approves, at the top
models:
  churn:
    model: model/
    approvals: {count: 1,  from: [alice, "@ml", 'bob' , "carol#7", "*"]}  # alice knows
    override: {from: [&boss dora]}
    stages:
      staging: {}
      production:
        approvals:
          from:
            - alice      # again
            - "id:12"
            - codeowners
            - "erin"
people:
  alice: {email: alice@example.com}
"""


def number(place: Place) -> str | None:
    return {"alice": "1", "bob": "2", "erin": "5"}.get(place.login)


def test_the_names_without_a_number_are_found_in_every_list() -> None:
    found = [(one.model, one.login) for one in unpinned_names(TEXT)]
    assert found == [("churn", name) for name in ("alice", "bob", "alice", "erin")]


def test_only_names_are_changed() -> None:
    expected = (
        TEXT.replace("[alice,", "[alice#1,")
        .replace("'bob'", "'bob#2'")
        .replace("- alice ", "- alice#1 ")
        .replace('"erin"', '"erin#5"')
    )
    assert pinned(TEXT, number) == expected
    assert pinned(expected, number) == expected


def test_letters_of_several_bytes_move_nothing() -> None:
    text = TEXT.replace("# who approves", "# wer zustimmt: Größe 🙂")
    assert "[alice#1," in pinned(text, number)
    assert pinned(text, number).replace("#1", "").replace("#2", "").replace("#5", "") == text


def test_what_is_in_no_list_is_left() -> None:
    assert unpinned_names("models: {churn: {model: alice, metrics: [bob]}}") == []
    assert unpinned_names("models: [from, alice]") == []
    assert unpinned_names("") == []
