"""Addresses that tools sign commits with, and behind which there is no account.

A tool is nobody whose approval could count, so that a trailer of one says nothing about who must
not approve. As the author of a commit such an address could hide a person: then it is accepted only
where the forge tells who pushed the commit.
"""

from __future__ import annotations

from collections.abc import Sequence

TOOLS = frozenset(
    {
        "noreply@anthropic.com",
        "noreply@openai.com",
        "codex@openai.com",
        "cursoragent@cursor.com",
        "noreply@aider.chat",
        "aider@aider.chat",
        "copilot@github.com",
        "noreply@github.com",
        "support@github.com",
        "bot@renovateapp.com",
        "support@dependabot.com",
        "noreply@gitlab.com",
        "noreply@google.com",
    }
)


def is_tool(address: str) -> bool:
    """Whether an address is one that a tool is known to sign with, or a bot's of GitHub."""
    address = address.casefold()
    return address in TOOLS or address.endswith("[bot]@users.noreply.github.com")


def is_listed(address: str, listed: Sequence[str]) -> bool:
    """Whether an address is in a list of addresses, where `*@example.com` is all of a host."""
    address = address.casefold()
    host = "*@" + address.rpartition("@")[2]
    return any(entry.casefold() in (address, host) for entry in listed)
