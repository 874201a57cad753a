"""Entries that say that a store or a ledger is elsewhere from now on."""

from __future__ import annotations

from assent.core.entry import LEDGER, Draft, Kind


def links_of_move(source: str, target: str) -> dict[str, str]:
    """The links of an entry about a ledger that moves. A store's say no `what`."""
    return {"what": LEDGER, "from": source, "to": target}


def ledger_went(entry: Draft) -> str | None:
    """Where the ledger is since this entry, if it says that."""
    is_of_ledger = entry.kind is Kind.MOVED and entry.links.get("what") == LEDGER
    return entry.links.get("to") if is_of_ledger else None


def store_went(entry: Draft) -> bool:
    """Whether an entry says that the store is elsewhere."""
    return entry.kind is Kind.MOVED and entry.links.get("what") is None
