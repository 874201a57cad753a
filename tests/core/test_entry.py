"""Entries: their bytes, and the sentence that each of them is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.approval import Heard, Role
from assent.core.change import Review, ReviewState
from assent.core.entry import (
    FORMAT,
    GENESIS,
    Draft,
    FindingRecord,
    Kind,
    decode_entry,
    encode_entry,
    entry_digest,
    placed,
    recorded,
    review_record,
    reviews_in,
    sentence,
)
from assent.core.verdict import Finding, Outcome, Verdict
from assent.errors import IntegrityError
from tests.builders import AT, approved, digest, draft, person, promoted, registered, subject
from tests.core.histories import cleared, histories, rejected, rolled_back

texts = st.text(max_size=20)


def content_of(entry: Draft) -> bytes:
    return encode_entry(placed(entry, seq=3, prev=GENESIS, state=digest("state")))


@given(histories(least=1))
def test_an_entry_reads_back_as_it_was_written(history: list[tuple[Draft, int]]) -> None:
    for entry, _ in history:
        line = placed(entry, seq=3, prev=GENESIS, state=digest("state"))
        assert decode_entry(encode_entry(line)) == line


@given(texts, texts, st.dictionaries(texts, texts, max_size=3))
def test_any_text_survives(reason: str, login: str, links: dict[str, str]) -> None:
    note = draft(Kind.NOTED, reason=reason, actor=person(login), links=links)
    read = decode_entry(content_of(note))
    assert (read.reason, read.actor.login, read.links) == (reason, login, links)


@given(
    st.builds(
        Review,
        person=st.just(person("bob")),
        state=st.sampled_from(ReviewState),
        at=texts,
        head=st.text(min_size=1),
        bundle=st.just(digest("b")),
        reason=texts,
        id=st.none() | texts,
    )
)
def test_what_was_recorded_is_read_as_it_was_heard(review: Review) -> None:
    is_approval = review.state is ReviewState.APPROVED
    heard = Heard.of(review, counts=is_approval, why="", role=Role(entry="bob"))
    entry = draft(
        Kind.APPROVED if is_approval else Kind.REJECTED,
        subject("b"),
        approvals=(review_record(heard, digest("b"), change="7", head="of the change"),),
        reason=heard.reason,
    )
    (read,) = reviews_in(decode_entry(content_of(entry)))
    assert (read.review, read.change) == (review, "7")


def test_a_review_without_a_revision_is_recorded_at_that_of_the_change() -> None:
    state = ReviewState.CHANGES_REQUESTED
    review = Review(person=person("bob"), state=state, at=AT, head=None, bundle=None)
    heard = Heard.of(review, counts=False, why="asks for changes", role=Role())
    kept = review_record(heard, digest("b"), change="7", head="c" * 40)
    assert (kept.head, kept.bundle, kept.role) == ("c" * 40, digest("b"), "")


def test_the_bytes_are_one_line_of_json_with_sorted_keys() -> None:
    content = content_of(promoted(1, "production"))
    values = json.loads(content)
    assert content.endswith(b"}\n")
    assert content.count(b"\n") == 1
    assert list(values) == sorted(values)
    assert values["format"] == FORMAT


@pytest.mark.threat(26)
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda content: content.rstrip(), "canonical"),
        (lambda content: content + b"\n", "canonical"),
        (lambda content: content.replace(b'":', b'": ', 1), "canonical"),
        (lambda content: content.replace(b"{", b'{"seq":3,', 1), "canonical"),
        (lambda content: content.replace(b"churn", b"\\u0063hurn", 1), "canonical"),
        (lambda content: content.replace(b"{", b'{"approved":true,', 1), "canonical"),
        (lambda content: content.replace(b'"noted"', b'"erased"'), "not an entry"),
        (lambda content: content.replace(b'"seq":3', b'"seq":"3"'), "not an entry"),
        (lambda content: content.replace(b"churn", b"\xff\xfe"), "not an entry"),
        (lambda content: b"", "not an entry"),
        (lambda content: b"[" * 100_000, "not an entry"),
        (lambda content: content.replace(b"entry/1", b"entry/2"), "unknown format"),
    ],
)
def test_bytes_in_any_other_form_are_refused(change, problem: str) -> None:  # type: ignore[no-untyped-def]  # a function in a table
    changed = change(content_of(draft(Kind.NOTED)))
    with pytest.raises(IntegrityError, match=problem):
        decode_entry(changed)


def test_an_unknown_format_says_to_upgrade() -> None:
    with pytest.raises(IntegrityError) as caught:
        decode_entry(content_of(draft(Kind.NOTED)).replace(b"entry/1", b"entry/2"))
    assert "upgrade" in (caught.value.hint or "")


def test_an_entry_is_named_by_the_digest_of_its_bytes() -> None:
    one, other = content_of(registered(1)), content_of(registered(2))
    assert entry_digest(one) == entry_digest(one)
    assert entry_digest(one) != entry_digest(other)


@pytest.mark.threat(12)
def test_a_recorded_verdict_keeps_findings_in_short_and_both_digests() -> None:
    finding = Finding(rule="r", outcome=Outcome.FAILED, reason="why", evidence="e", remedy="do")
    short = recorded(
        Verdict(findings=(finding,)), policy=digest("policy"), evidence=digest("evidence")
    )
    assert short.findings == (
        FindingRecord(rule="r", outcome=Outcome.FAILED, reason="why", evidence="e"),
    )
    assert (short.policy, short.evidence) == (digest("policy"), digest("evidence"))


def test_long_evidence_is_cut_and_says_so() -> None:
    """A ledger is kept for ever."""
    finding = Finding(rule="r", outcome=Outcome.PASSED, reason="why", evidence="é" * 1_301)
    [kept] = recorded(Verdict(findings=(finding,)), policy=digest("p"), evidence=None).findings
    assert kept.evidence == "é" * 300 + "… 1,001 characters left out"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (approved("b1", "bob"), f"approve {digest('b1')[:19]}"),
        (rejected("b1", "bob"), f"reject {digest('b1')[:19]}"),
        (registered(12), "register v12"),
        (draft(Kind.OVERRIDDEN, subject("b1", 1)), "override the policy for v1"),
        (
            draft(Kind.OVERRIDDEN, subject("b1", 1), stage="production"),
            "override the policy for v1 in production",
        ),
        (promoted(12, "production"), "promote v12 to production"),
        (rolled_back(11, "production", 12), "roll back production to v11"),
        (cleared("production", 12), "clear production"),
        (draft(Kind.RETIRED, subject("b1", 1)), "retire v1"),
        (draft(Kind.NOTED), "note on churn"),
        (draft(Kind.NOTED, subject("b1", 1)), "note on v1"),
    ],
)
def test_an_entry_is_a_sentence(entry: Draft, said: str) -> None:
    assert sentence(entry) == said


def test_every_kind_has_a_sentence_of_its_own() -> None:
    said = {sentence(draft(kind, subject("b1", 1), stage="production", at=AT)) for kind in Kind}
    assert len(said) == len(Kind)


def test_values_of_the_data_are_not_kept_for_ever() -> None:
    """Bytes are purged when a person asks for it; a ledger is not."""
    finding = Finding(
        rule="new categories",
        outcome=Outcome.FAILED,
        reason="1 column has more",
        evidence="`name`: `Jane Doe` (1 row)",
        names_data=True,
    )
    [kept] = recorded(Verdict(findings=(finding,)), policy=digest("p"), evidence=None).findings
    assert (kept.reason, kept.evidence) == ("1 column has more", "")
