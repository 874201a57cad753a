"""Binding the names of `assent.yaml` to accounts: what `doctor --fix` does."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff

import msgspec

from assent.config.pins import Place, pinned, unpinned_names
from assent.config.read import read_config
from assent.config.settings import FILE
from assent.errors import AssentError, OutsideError
from assent.files import write_atomically
from assent.ports import Opinions
from assent.recording.reading import read_ledger
from assent.workspace import Workspace

_UNSURE = "no account of this name may write here; if it is the right one, add its number yourself"


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """What was written, as a diff (empty: nothing), and which names were left as they are, and
    why.
    """

    diff: str = ""
    left: tuple[str, ...] = ()


def pin_names(workspace: Workspace, models: Sequence[str]) -> Pinned:
    """Bind every login that the lists of `models` name to the number of its account, in the
    `assent.yaml` of the working tree: the one that the ledger knows, else the one that is called so
    today and may write.
    """
    path = workspace.root / FILE
    doing = f"binding the names of {path}"
    try:
        before = path.read_bytes().decode()
        read_config(before.encode(), str(path))
        numbers, left = _numbers(workspace, models, before)
        after = pinned(before, lambda place: numbers.get((place.model, place.login)))
        read_config(after.encode(), str(path))
        if after != before:
            write_atomically(path, after.encode())
    except (OSError, UnicodeDecodeError) as error:
        raise OutsideError(doing, str(error)) from None
    lines = unified_diff(before.splitlines(), after.splitlines(), FILE, FILE, lineterm="", n=1)
    return Pinned(diff="\n".join(lines), left=tuple(left))


def _numbers(
    workspace: Workspace, models: Sequence[str], text: str
) -> tuple[dict[tuple[str, str], str], list[str]]:
    numbers: dict[tuple[str, str], str] = {}
    left: dict[str, None] = {}
    pins = {model: read_ledger(workspace, model).state.pins for model in models}
    for place in unpinned_names(text):
        if place.model not in pins:
            continue
        try:
            number = _number(workspace.forge, place, pins[place.model].get(place.login.lower(), ""))
        except AssentError as error:
            left[f"{place.login}: {error.problem}"] = None
            continue
        if number is None:
            left[f"{place.login}: {_UNSURE}"] = None
        else:
            numbers[place.model, place.login] = number
    return numbers, list(left)


def _number(forge: Opinions, place: Place, pin: str) -> str | None:
    """The number that a name has by the ledger, else by the forge."""
    if pin.startswith("user:"):
        return pin.removeprefix("user:")
    person = forge.person(place.login)
    resolved = forge.matches(person, place.login)
    return None if resolved is None or resolved.id is None else resolved.id.removeprefix("user:")
