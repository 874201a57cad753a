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
