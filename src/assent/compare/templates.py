"""Chat templates side by side, wherever a folder keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assent.core.diff.model import TemplateChange
from assent.core.inspection import Part

_MORE = "additional_chat_templates"

_Key = tuple[str, str]


def compare_templates(before: Iterable[Part], after: Iterable[Part]) -> tuple[TemplateChange, ...]:
    """The templates that differ. One that is gone from a file is looked for by its name in other
    files of the folder: a template that `tokenizer_config.json` had may be `chat_template.jinja`
    now.
    """
    old, new = _templates(before), _templates(after)
    changes = [
        TemplateChange(name=key[1], path=key[0], old_path=key[0], old=old[key], new=new[key])
        for key in sorted(old.keys() & new.keys())
        if old[key] != new[key]
    ]
    gone = {key: text for key, text in old.items() if key not in new}
    came = {key: text for key, text in new.items() if key not in old}
    for key, text in sorted(came.items()):
        partner = _partner(key, text, gone)
        left = None if partner is None else gone.pop(partner)
        if left != text:
            old_path = None if partner is None else partner[0]
            changes.append(
                TemplateChange(name=key[1], path=key[0], old_path=old_path, old=left, new=text)
            )
    changes += [
        TemplateChange(name=key[1], path=key[0], old_path=key[0], old=text)
        for key, text in sorted(gone.items())
    ]
    return tuple(changes)


def _templates(parts: Iterable[Part]) -> dict[_Key, str]:
    return {(part.path, name): text for part in parts for name, text in part.templates.items()}


def _partner(key: _Key, text: str, gone: Mapping[_Key, str]) -> _Key | None:
    """The template of the same name and folder, one of the same text first."""
    same = [
        candidate
        for candidate in gone
        if candidate[1] == key[1] and _folder(candidate[0]) == _folder(key[0])
    ]
    return min(same, key=lambda candidate: (gone[candidate] != text, candidate), default=None)


def _folder(path: str) -> str:
    folder = path.rpartition("/")[0]
    return folder.removesuffix(_MORE).removesuffix("/")
