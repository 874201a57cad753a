"""One repository of a container registry: its blobs, manifests and tags.

Source: the OCI distribution specification 1.1 (https://github.com/opencontainers/distribution-spec).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from assent.core.digest import Digest, digest_of
from assent.errors import OutsideError
from assent.ports import Credentials, Progress
from assent.stores.answers import BrokenError, RefusedError, parts
from assent.stores.line import CONNECTIONS, Answer, Line
from assent.stores.local_files import outside
from assent.stores.parallel import pause
from assent.stores.uploads import BYTES, Upload, begun, with_digest

__all__ = ["CONNECTIONS", "Kind", "RefusedError", "Registry"]

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1"
)
_SMALL_BYTES = 4 << 20
_PAGE = 1000
_MAX_PAGES = 1000
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-.*")

Kind = Literal["blobs", "manifests"]


class Registry:
    """The repository `name` of the registry `host`. Threads may share it."""

    def __init__(
        self,
        host: str,
        name: str,
        credentials: Callable[[], Credentials | None],
        *,
        wait: Callable[[float], None] = pause,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.host = host
        self.name = name
        self.address = f"{host}/{name}"
        self._line = Line(host, name, credentials, wait=wait, say=say)

    def expect_writing(self) -> None:
        """Log in from now on as who writes: who asks what is there will send what is not."""
        self._line.logins.expects_writing = True

    # --- blobs and manifests ----------------------------------------------------------------------

    def holds(self, kind: Kind, reference: str) -> bool:
        """Whether there is such a blob or manifest."""
        return self._head(kind, reference) is not None

    def digest_of_tag(self, tag: str) -> str | None:
        """The digest of the manifest that a tag names; None if there is no such tag."""
        answer = self._head("manifests", tag)
        if answer is None:
            return None
        stated = answer.headers.get("Docker-Content-Digest")
        if stated:
            return str(stated)
        content = self.read("manifests", tag, most=_SMALL_BYTES)  # a registry need not say it
        return None if content is None else digest_of(content)

    def read(self, kind: Kind, reference: str, *, most: int) -> bytes | None:
        """A blob or manifest of at most `most` bytes and one more, None if it is not held."""
        doing = f"reading {reference} of {self.address}"
        parts: list[bytes] = []

        def take() -> bytes | None:
            parts.clear()
            with self._streamed(kind, reference, 0, doing) as body:
                if body is None:
                    return None
                size = 0
                for part in body:
                    parts.append(part)
                    size += len(part)
                    if size > most:
                        break
            return b"".join(parts)[: most + 1]

        return self._line.repeated(take, doing)

    def pour(self, kind: Kind, digest: Digest, into: Callable[[bytes], None]) -> bool:
        """Hand over all bytes of a blob; where the line breaks, it is gone on with. False if it is
        not held.
        """
        doing = f"reading {digest} of {self.address}"
        done = 0

        def take() -> bool:
            nonlocal done
            with self._streamed(kind, digest, done, doing) as body:
                if body is None:
                    return False
                for part in body:
                    into(part)
                    done += len(part)
            return True

        return self._line.repeated(take, doing, lambda: done)

    def put_manifest(self, reference: str, content: bytes, media_type: str) -> None:
        """Write a manifest under a tag or its digest."""
        doing = f"writing {reference} to {self.address}"
        headers = {"Content-Type": media_type}
        place = self._place("manifests", reference)
        answer = self._line.ask("PUT", place, doing, data=content, headers=headers)
        taken = None if answer is None else answer.headers.get("Docker-Content-Digest")
        if taken and taken != digest_of(content):
            problem = f"the registry has taken it as {taken}, and it is {digest_of(content)}"
            hint = "something in between rewrites manifests: name the registry itself"
            raise OutsideError(doing, problem, hint=hint)

    def put_small(self, digest: Digest, content: bytes, what: str = "") -> None:
        """Write a blob that is in memory; `what` is what people call it."""
        doing = f"writing {what or digest} to {self.address}"

        def send() -> None:
            place = with_digest(begun(self._line, doing), digest)
            self._line.once("PUT", place, doing, data=content, headers=BYTES)

        try:
            self._line.repeated(send, doing)
        except RefusedError as error:
            if content:
                raise
            hint = "it is empty: there are registries that take no empty file"
            raise OutsideError(error.doing, error.problem, hint=hint) from None

    def put_file(self, digest: Digest, path: Path, size: int, advance: Progress) -> None:
        """Write a blob from a file. Where the line breaks, the registry is asked how far it got."""
        doing = f"writing {path} to {self.address}"
        if size <= _SMALL_BYTES:
            with outside(doing):
                content = path.read_bytes()
            self.put_small(digest, content, str(path))
            advance(size)
            return
        upload = Upload(self._line, digest, path, size, advance, doing)
        self._line.repeated(upload.go_on, doing, lambda: upload.kept)

    def remove(self, kind: Kind, reference: str) -> None:
        """Take a blob or a manifest away. Raises `RefusedError` where the registry does not."""
        doing = f"removing {reference} from {self.address}"
        self._line.ask("DELETE", self._place(kind, reference), doing, may_miss=True)

    def tags(self, prefixes: tuple[str, ...]) -> list[str]:
        """All tags that begin so, in order."""
        doing = f"listing the tags of {self.address}"
        place = f"{self._line.root}/v2/{self.name}/tags/list?n={_PAGE}"
        asked: set[str] = set()
        tags: set[str] = set()
        while place not in asked and len(asked) < _MAX_PAGES:
            answer = self._line.ask("GET", place, doing, may_miss=not asked)
            if answer is None:
                return []
            asked.add(place)
            listed = _json(answer.body, doing).get("tags") or ()
            if not isinstance(listed, list | tuple):
                raise OutsideError(doing, "the answer lists no tags: is this a registry?")
            tags |= {tag for tag in listed if isinstance(tag, str) and tag.startswith(prefixes)}
            following = _NEXT.search(answer.headers.get("Link", ""))
            if following is None:
                return sorted(tags)
            place = self._line.here(place, following[1], doing)
        raise OutsideError(doing, f"the list has no end after {len(asked):,} pages")

    # --- requests ---------------------------------------------------------------------------------

    def _place(self, kind: Kind, reference: str) -> str:
        return f"{self._line.root}/v2/{self.name}/{kind}/{reference}"

    def _head(self, kind: Kind, reference: str) -> Answer | None:
        doing = f"looking for {reference} in {self.address}"
        headers = {"Accept": MANIFEST_TYPES} if kind == "manifests" else {}
        return self._line.ask(
            "HEAD", self._place(kind, reference), doing, headers=headers, may_miss=True
        )

    @contextmanager
    def _streamed(
        self, kind: Kind, reference: str, start: int, doing: str
    ) -> Iterator[Iterator[bytes] | None]:
        """The bytes from `start` on; None if there is nothing of this name."""
        headers = {"Accept": MANIFEST_TYPES} if kind == "manifests" else {}
        if start:
            headers["Range"] = f"bytes={start}-"
        place = self._place(kind, reference)
        try:
            answer = self._line.opened("GET", place, doing, headers=headers, may_miss=True)
        except RefusedError as error:
            if not start or error.status != 416:
                raise
            yield iter(())  # the line broke behind the last byte
            return
        if answer is None:
            yield None
            return
        with answer:
            yield parts(answer, _to_skip(answer, start))


def _to_skip(answer: Any, start: int) -> int:
    """How many bytes of an answer come before those that were asked for."""
    if not start or answer.status_code != 206:
        return start
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    first = start if match is None else int(match[1])
    if first > start:
        raise BrokenError("the answer holds other bytes than those that were asked for")
    return start - first


def _json(content: bytes, doing: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise OutsideError(doing, "the answer is no JSON object: is this a container registry?")
    return document
