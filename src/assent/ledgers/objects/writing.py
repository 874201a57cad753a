"""What an append makes of what is derived, as objects that are to be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from assent.core.registry import Registry, State, Step
from assent.ledgers import layout
from assent.ledgers.index import Index
from assent.ledgers.layout import ENTRIES, INDEX
from assent.ledgers.objects.derived import Derived, Place, key_of
from assent.ledgers.objects.view import ObjectView

_BLOCKS_PER_OBJECT = 20
"""Of the full blocks, where all is derived again."""


class Writing:
    """What several entries make of what is derived, one after the other."""

    def __init__(self, view: ObjectView, index: Index) -> None:
        self._view = view
        self._index = index
        self._files: dict[str, bytes] = {}

    def take(self, step: Step) -> None:
        """The step that the index was asked about last."""
        for path, content in self._index.files(step).items():
            if content is not None and path.startswith((f"{INDEX}/", f"{ENTRIES}/")):
                self._files[path] = content

    def derived(self, step: Step) -> tuple[str, Derived]:
        """The key of the object that belongs to the last step, and what it holds."""
        key = key_of(step.entry.seq, step.digest)
        folders = {
            path: self._folder(path, ids, key)
            for path, ids in self._index.folders.items()
            if path == INDEX or any(name.startswith(f"{path}/") for name in self._files)
        }
        folders |= self._blocks(key)
        files = {path: content.decode() for path, content in self._files.items()}
        return key, Derived(state=_plain(step.state), folders=folders, files=files)

    def _folder(self, path: str, ids: Mapping[str, str], key: str) -> dict[str, Place]:
        """A folder of the index: what has changed in it lies in this object."""
        before = self._view.folder(path)
        return {
            name: before[name]
            if name in before and before[name].id == oid
            else Place(id=oid, at=key)
            for name, oid in ids.items()
        }

    def _blocks(self, key: str) -> dict[str, dict[str, Place]]:
        """The folder of full blocks with those that were filled, and the folders that are full."""
        view, object_format = self._view, self._view.object_format
        full = dict(view.folder(ENTRIES))
        newest = layout.folder_path(view.last) if view.last >= 0 else ""
        folders = {newest: dict(view.folder(newest))} if newest else {}
        blocks = {path: content for path, content in self._files.items() if _is_block(path)}
        for path, oid in layout.blob_ids(blocks, object_format).items():
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, {})[name] = Place(id=oid, at=key)
        for folder, places in folders.items():
            if len(places) == layout.FILES:
                ids = {name: place.id for name, place in places.items()}
                oid = layout.tree_id(ids, object_format)
                full.setdefault(folder.rpartition("/")[2], Place(id=oid, at=key))
        kept = {
            folder: places
            for folder, places in folders.items()
            if places and not self._is_known(folder)
        }
        return {**kept, ENTRIES: full} if full or kept else {}

    def _is_known(self, folder: str) -> bool:
        """Whether an object before has a full folder, so that it need not be said again."""
        return folder.rpartition("/")[2] in self._view.folder(ENTRIES)


def rebuilt(view: ObjectView, registry: Registry) -> dict[str, Derived]:
    """All that is derived, made anew, by the keys of the objects; the one that leads to all others
    is the last.
    """
    key = key_of(registry.state.seq, registry.head)
    files = view.rebuilt(registry)
    ids = layout.blob_ids(files, view.object_format)
    groups = _grouped(files)
    objects: dict[str, Derived] = {}
    places: dict[str, Place] = {}
    for number, paths in enumerate(groups, 1):
        part = f"{key}.{number}"
        places |= {path: Place(id=ids[path], at=part) for path in paths}
        objects[part] = Derived(files={path: files[path].decode() for path in paths})
    folders: dict[str, dict[str, Place]] = {}
    for path, place in places.items():
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = place
    for folder in sorted(folders, key=lambda name: -name.count("/")):
        _add_above(folder, folders, key, view.object_format)
    # Somebody may be writing an append that finds in this object what was in it.
    kept = {path: files[path].decode() for path in view.newest_paths if path in files}
    objects[key] = Derived(state=_plain(registry.state), folders=folders, files=kept)
    return objects


def _add_above(
    folder: str, folders: dict[str, dict[str, Place]], key: str, object_format: str
) -> None:
    """Name a folder, and those above it, in the one above. Of the entries, only full ones are."""
    while "/" in folder:
        above, _, name = folder.rpartition("/")
        is_named = above != ENTRIES or len(folders[folder]) == layout.FILES
        ids = {part: place.id for part, place in folders[folder].items()}
        if is_named:
            oid = layout.tree_id(ids, object_format)
            folders.setdefault(above, {})[name] = Place(id=oid, at=key)
        folder = above


def _grouped(files: Mapping[str, bytes]) -> list[list[str]]:
    """The paths by the object that they are to lie in: those of a folder of the index, and some
    blocks.
    """
    groups: dict[str, list[str]] = {}
    for path in sorted(files):
        folder = path.rpartition("/")[0]
        if _is_block(path):
            folder += f"/{layout.first_of(path) // layout.BLOCK // _BLOCKS_PER_OBJECT}"
        groups.setdefault(folder, []).append(path)
    return list(groups.values())


def _is_block(path: str) -> bool:
    return path.startswith(f"{ENTRIES}/")


def _plain(state: State) -> dict[str, Any]:
    return dict(msgspec.to_builtins(state))
