"""What is derived from the entries of a ledger in a bucket: objects that are written once each.

```
<model>/derived/00000/000000012-9f3c1d0f6a1f4c53.json
```

Every append writes one: the current state, and those files of the layout (`ledgers/layout.py`) that
it changes. A folder says of each thing in it the id that Git would give it, and in which object it
lies. So the newest one leads to all that is derived, and what it leads to is proven by the ids, as
in Git: the newest entry states the digest of the state and of the folder `index/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from assent.buckets import Bucket
from assent.core.digest import Digest, hex_of
from assent.errors import IntegrityError
from assent.ledgers import layout
from assent.ledgers.objects.appends import FILES, MOST_BYTES

FORMAT = "assent/derived/1"
DERIVED = "derived"
_KEY = re.compile(r"(\d{9,})-[0-9a-f]{16}(\.\d+)?")


class Place(msgspec.Struct, frozen=True, array_like=True):
    """The id of a file or folder, and the key of the object in which it lies."""

    id: Annotated[str, Meta(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
    at: str


Name = Annotated[str, Meta(pattern=r"^[a-z0-9.]+$")]
Folder = Mapping[str, Place]


class Derived(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One object: folders and files by path. The one of an append also has the state, `index/`, and
    `entries/` with its newest folder.
    """

    format: str = FORMAT
    state: dict[str, Any] = {}
    folders: dict[str, dict[Name, Place]] = {}
    files: dict[str, str] = {}


def key_of(seq: int, digest: Digest) -> str:
    """The key of the object that belongs to an entry."""
    return f"{seq:09d}-{hex_of(digest)[:16]}"


def derived_name(model: str, key: str) -> str:
    """The object of a key."""
    return f"{model}/{DERIVED}/{int(key.partition('-')[0]) // FILES:05d}/{key}.json"


def encode(derived: Derived) -> bytes:
    """The bytes of an object. The stages stay in their order, as in `registry.yaml`."""
    return msgspec.json.encode(derived) + b"\n"


class Shelf:
    """The objects of one ledger, each read once."""

    def __init__(self, bucket: Bucket, model: str) -> None:
        self._bucket = bucket
        self._model = model
        self._read: dict[str, Derived] = {}

    def object(self, key: str) -> Derived:
        """The object of a key. Raises `IntegrityError` if it is not there, or damaged."""
        if key not in self._read:
            self._read[key] = self._fetched(key)
        return self._read[key]

    def _fetched(self, key: str) -> Derived:
        if _KEY.fullmatch(key) is None:
            raise self.damaged(f"{key!r} is no name of what is derived")
        answer = self._bucket.read(derived_name(self._model, key), MOST_BYTES)
        if answer is None:
            raise self.damaged(f"{DERIVED}/…/{key}.json is missing")
        try:
            return msgspec.json.decode(answer[0], type=Derived)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.damaged(f"{DERIVED}/…/{key}.json is damaged ({error})") from None

    def damaged(self, problem: str) -> IntegrityError:
        """What is said of something derived that is not right."""
        return IntegrityError(
            f"reading the ledger of {self._model}",
            problem,
            hint="run `assent verify --repair` to derive it again from the entries",
        )


class Tree:
    """All that is derived, as the object of the newest append leads to it."""

    def __init__(self, shelf: Shelf, newest: Derived) -> None:
        self._shelf = shelf
        self._newest = newest

    @property
    def newest_paths(self) -> tuple[str, ...]:
        """The files in the object that leads to all."""
        return tuple(self._newest.files)

    def folder(self, path: str) -> Folder:
        """What is in a folder; nothing where it is not there. Raises `IntegrityError` if it is not
        what the folder above says.
        """
        if path in self._newest.folders and path in (layout.INDEX, layout.ENTRIES):
            return self._newest.folders[path]
        above, _, name = path.rpartition("/")
        place = self.folder(above).get(name) if above else None
        if place is None:  # of the entries, the newest folder is in no other yet
            return self._newest.folders.get(path, {}) if above == layout.ENTRIES else {}
        folder = self._shelf.object(place.at).folders.get(path, {})
        if id_of(folder, place.id) != place.id:
            raise self._shelf.damaged(f"{path} is not what leads to it")
        return folder

    def file(self, path: str) -> bytes | None:
        """What a file holds; None where it is not there. Raises `IntegrityError` if it is not what
        its folder says.
        """
        folder, _, name = path.rpartition("/")
        place = self.folder(folder).get(name)
        if place is None:
            return None
        content = self._shelf.object(place.at).files.get(path, "").encode()
        if layout.blob_ids({path: content}, layout.format_of(place.id))[path] != place.id:
            raise self._shelf.damaged(f"{path} is not what leads to it")
        return content


def id_of(folder: Folder, like: str) -> str:
    """The id of a folder, of the kind of another id."""
    ids = {name: place.id for name, place in folder.items()}
    return layout.tree_id(ids, layout.format_of(like))
