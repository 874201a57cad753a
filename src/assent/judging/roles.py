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
        resolved = forge.matches(person, f"{entry}#{bound.removeprefix('user:')}")
        if resolved is not None:
            return Role(entry=entry, resolved=resolved)
    resolved = forge.matches(person, entry)
    if resolved is None:
        return Role()
    pin = pins.get(resolved.name) if written is None else None
    if pin is None or resolved.id is None or pin == resolved.id:
        return Role(entry=entry, resolved=resolved)
    return Role(
        refused=f"{resolved.name!r} was {_said(pin)} when it first counted, and is "
        f"{_said(resolved.id)} now; if that is meant, write "
        f"{resolved.name}#{resolved.id.partition(':')[2]} in the policy"
    )


def _said(pin: str) -> str:
    kind, _, number = pin.partition(":")
    return f"the {'account' if kind == 'user' else kind} {number}"
