"""Who acted: an identity is forge, host and id. The login is only for display."""

from __future__ import annotations

from typing import Literal, NewType

import msgspec

PersonKey = NewType("PersonKey", str)
"""`forge:host:id`: stays the same when a login is renamed, and differs when one is recycled."""


class Actor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person or an automation. `proof` says how the identity is known: the forge vouched for
    it, a signature did, or it was only claimed.
    """

    kind: Literal["person", "automation"]
    forge: str
    host: str
    id: str
    login: str
    proof: Literal["forge", "signature", "claimed"]

    @property
    def key(self) -> PersonKey:
        """The identity that counts."""
        return PersonKey(f"{self.forge}:{self.host}:{self.id}")


class Resolved(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What an entry of a list of approvers meant when somebody was found to be it. `name` is what
    was looked up: the entry without its pin, or the line of CODEOWNERS that it led to. `id` is the
    forge's number of that account, team or group, as `user:12`; None where the name has none, such
    as `*`.
    """

    name: str
    id: str | None = None


def unpinned(who: str) -> tuple[str, str | None]:
    """An entry of a list of approvers as its name and the number that it is pinned to: `alice#12`
    names the account 12, whoever is called alice today. None without a pin.
    """
    name, mark, number = who.rpartition("#")
    return (name, number) if mark else (who, None)
