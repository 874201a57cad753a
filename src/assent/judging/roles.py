"""Whom the policy's lists mean: what the forge says today, bound to what it said first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assent.core.approval import Role
from assent.core.identity import Actor, unpinned
from assent.ports import Opinions


def role_of(
    forge: Opinions, pins: Mapping[str, str], person: Actor, entries: Sequence[str]
) -> Role:
    """The first of `entries` that `person` is, asked of the forge. `pins` are what names meant when
    they first counted: the same name for another account, team or group later is refused.
    """
    refused = ""
    for entry in entries:
        role = _role(forge, pins, person, entry)
        if role.entry is not None:
            return role
        refused = refused or role.refused
    return Role(refused=refused)


def _role(forge: Opinions, pins: Mapping[str, str], person: Actor, entry: str) -> Role:
    _, written = unpinned(entry)
    bound = pins.get(entry.lower(), "") if written is None else ""
    if bound.startswith("user:"):
        # Whoever counted under this name once is that account still, whatever it is called now.
        found = forge.matches(person, f"{entry}#{bound.removeprefix('user:')}")
        if found is not None:
            return Role(entry=entry, resolved=found)
    found = forge.matches(person, entry)
    if found is None:
        return Role()
    pin = pins.get(found.name) if written is None else None
    if pin is None or found.id is None or pin == found.id:
        return Role(entry=entry, resolved=found)
    return Role(
        refused=f"{found.name!r} was {_said(pin)} when it first counted, and is {_said(found.id)} "
        f"now; if that is meant, write {found.name}#{found.id.partition(':')[2]} in the policy"
    )


def _said(pin: str) -> str:
    kind, _, number = pin.partition(":")
    return f"the {'account' if kind == 'user' else kind} {number}"
