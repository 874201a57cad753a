"""What a name of the policy meant first is what it means."""

from __future__ import annotations

import pytest

from assent.core.approval import Role
from assent.judging.roles import role_of
from assent.testing.forge import MemoryForge


def role(forge: MemoryForge, login: str, entry: str, **pins: str) -> Role:
    return role_of(forge, pins, forge.person(login), [entry])


@pytest.mark.threat(42)
def test_who_takes_a_name_that_has_counted_is_refused_and_it_is_said() -> None:
    forge = MemoryForge("alice")
    forge.rename("alice", "alicia")
    forge.join("alice", "id-new")
    found = role(forge, "alice", "alice", alice="user:id-alice")
    assert found.entry is None
    assert "was the account id-alice when it first counted, and is the account id-new" in (
        found.refused
    )
    assert "alice#id-new" in found.refused


def test_whoever_has_counted_under_a_name_counts_under_another_one() -> None:
    forge = MemoryForge("alice")
    forge.rename("alice", "alicia")
    assert role(forge, "alicia", "alice").entry is None
    found = role(forge, "alicia", "alice", alice="user:id-alice")
    assert (found.entry, found.refused) == ("alice", "")


def test_a_number_in_the_policy_goes_before_what_the_ledger_knows() -> None:
    forge = MemoryForge()
    forge.join("alice", "id-new")
    assert role(forge, "alice", "alice#id-new", alice="user:id-alice").entry == "alice#id-new"


@pytest.mark.threat(42)
def test_a_name_alone_needs_somebody_who_may_write() -> None:
    forge = MemoryForge()
    forge.join("expert", "7", role="read")
    forge.join("stranger", "8", role="none")
    assert role(forge, "expert", "expert").entry is None
    assert role(forge, "expert", "expert#7").entry == "expert#7"
    assert role(forge, "expert", "expert", expert="user:7").entry == "expert"
    assert role(forge, "stranger", "stranger#8").entry is None


@pytest.mark.threat(8)
def test_a_group_that_was_made_anew_is_another_one() -> None:
    forge = MemoryForge("alice")
    forge.groups["@ml"] = {"id-alice"}
    assert role(forge, "alice", "@ml", **{"@ml": "group:@ml"}).entry == "@ml"
    found = role(forge, "alice", "@ml", **{"@ml": "group:5"})
    assert found.entry is None
    assert "was the group 5" in found.refused
