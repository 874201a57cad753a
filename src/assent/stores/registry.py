"""The line to one repository of a container registry.

Sources: the OCI distribution specification 1.1 (https://github.com/opencontainers/distribution-spec)
and, for the login, the token authentication of the registry of Docker (CNCF distribution).

All that is asked of a registry can be asked again: bytes and manifests are named by their digest,
and a tag that is written twice says the same. So whatever is not answered is repeated.
"""

from __future__ import annotations

import functools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from assent.core.digest import Digest, digest_of
from assent.errors import IntegrityError, OutsideError
from assent.ports import Credentials, NoAccessError, Progress
from assent.stores.credentials import DOCKER_HUB
from assent.stores.local_files import outside

if TYPE_CHECKING:
    import requests

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1"
)
PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""How long to wait before each further attempt."""
PATIENCE_S = 120.0
"""The longest that a registry may ask us to wait for one request."""
_TIMEOUT_S = (15, 300)  # to be connected, and between two packets: a large blob is looked through
CONNECTIONS = 8
_READING = frozenset({"GET", "HEAD"})
_MAX_BODY_BYTES = 4 << 20
_CHUNK_BYTES = 1 << 20
_SMALL_BYTES = 4 << 20
_PAGE = 1000
_MAX_PAGES = 1000
_LONGEST_MESSAGE = 300
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_CLIENT = "assent"
_ACTIONS = {False: "pull", True: "pull,push"}
_AT_ONCE: dict[str, Any] = {"allow_redirects": False, "stream": True}
"""How a token is asked for: who is sent on takes the password along."""
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_PARAMETER = re.compile(r'([A-Za-z_]+)="([^"]*)"')
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")
_OF_TYPES = re.compile(r"\b(?:MANIFEST_INVALID|UNSUPPORTED)\b")
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')

Kind = Literal["blobs", "manifests"]
Result = TypeVar("Result")


class RefusedError(OutsideError):
    """The registry has said no. `is_of_manifests` is whether it refuses a manifest for what it is,
    as those do that know a list of types: another manifest may be taken.
    """

    def __init__(
        self, doing: str, problem: str, *, is_of_manifests: bool = False, hint: str | None = None
    ) -> None:
        super().__init__(doing, problem, hint=hint)
        self.is_of_manifests = is_of_manifests


class _BrokenError(Exception):
    """The line broke, or the registry is ill: what was asked may have been done. `after_s` is how
    long it asks to wait.
    """

    def __init__(self, problem: str, after_s: float | None = None) -> None:
        super().__init__(problem)
        self.after_s = after_s


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """An answer that was read: where it came from, and what it says."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Registry:
    """The repository `name` of the registry `host`. Threads may share it."""

    def __init__(
        self,
        host: str,
        name: str,
        credentials: Callable[[], Credentials | None],
        *,
        wait: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.host = host
        self.name = name
        self.address = f"{host}/{name}"
        self._root = f"{_scheme(host)}://{'registry-1.docker.io' if host == DOCKER_HUB else host}"
        self._credentials = credentials
        self._wait = wait
        self._say = say
        self._is_given_up = False
        self._lock = threading.Lock()
        self._said: dict[bool, str] = {}  # what authorizes reading (False) and writing (True)

    # --- blobs and manifests ----------------------------------------------------------------------

    def holds(self, kind: Kind, reference: str) -> bool:
        """Whether there is such a blob or manifest."""
        return self._head(kind, reference) is not None

    def digest_of_tag(self, tag: str) -> str | None:
        """The digest of the manifest that a tag names; None if there is no such tag."""
        found = self._head("manifests", tag)
        if found is None:
            return None
        said = found.headers.get("Docker-Content-Digest")
        if said:
            return str(said)
        content = self.read("manifests", tag, most=_SMALL_BYTES)  # a registry need not say it
        return None if content is None else digest_of(content)

    def read(self, kind: Kind, reference: str, *, most: int) -> bytes | None:
        """A blob or manifest of at most `most` bytes and one more, None if it is not held."""
        doing = f"reading {reference} of {self.address}"
        parts: list[bytes] = []

        def take() -> bytes | None:
            parts.clear()
            with self._streamed(kind, reference, 0, doing) as found:
                if found is None:
                    return None
                size = 0
                for part in found:
                    parts.append(part)
                    size += len(part)
                    if size > most:
                        break
            return b"".join(parts)[: most + 1]

        return self._repeated(take, doing)

    def pour(self, kind: Kind, digest: Digest, into: Callable[[bytes], None]) -> bool:
        """Hand over all bytes of a blob; where the line breaks, it is gone on with. False if it is
        not held.
        """
        doing = f"reading {digest} of {self.address}"
        done = 0

        def take() -> bool:
            nonlocal done
            with self._streamed(kind, digest, done, doing) as found:
                if found is None:
                    return False
                for part in found:
                    into(part)
                    done += len(part)
            return True

        return self._repeated(take, doing)

    def put_manifest(self, reference: str, content: bytes, media_type: str) -> None:
        """Write a manifest under a tag or its digest."""
        doing = f"writing {reference} to {self.address}"
        headers = {"Content-Type": media_type}
        place = self._place("manifests", reference)
        answer = self._ask("PUT", place, doing, data=content, headers=headers)
        taken = None if answer is None else answer.headers.get("Docker-Content-Digest")
        if taken and taken != digest_of(content):
            problem = f"the registry has taken it as {taken}, and it is {digest_of(content)}"
            raise IntegrityError(doing, problem)

    def put_small(self, digest: Digest, content: bytes) -> None:
        """Write a blob that is in memory."""
        doing = f"writing {digest} to {self.address}"

        def send() -> None:
            self._once("PUT", _with_digest(self._begun(doing), digest), doing, data=content)

        self._repeated(send, doing)

    def put_file(self, digest: Digest, path: Path, size: int, advance: Progress) -> None:
        """Write a blob from a file. Where the line breaks, the registry is asked how far it got."""
        doing = f"writing {path} to {self.address}"
        if size <= _SMALL_BYTES:
            with outside(doing):
                content = path.read_bytes()
            self.put_small(digest, content)
            advance(size)
            return
        upload = _Upload(self, digest, path, size, advance, doing)
        self._repeated(upload.go_on, doing)

    def remove(self, kind: Kind, reference: str) -> None:
        """Take a blob or a manifest away. Raises `RefusedError` where the registry does not."""
        doing = f"removing {reference} from {self.address}"
        self._ask("DELETE", self._place(kind, reference), doing, may_miss=True)

    def tags(self, prefixes: tuple[str, ...]) -> list[str]:
        """All tags that begin so, in order."""
        doing = f"listing the tags of {self.address}"
        place = f"{self._root}/v2/{self.name}/tags/list?n={_PAGE}"
        found: set[str] = set()
        for page in range(_MAX_PAGES):
            answer = self._ask("GET", place, doing, may_miss=page == 0)
            if answer is None:
                return []
            listed = _json(answer.body, doing).get("tags") or ()
            found |= {tag for tag in listed if isinstance(tag, str) and tag.startswith(prefixes)}
            following = _NEXT.search(answer.headers.get("Link", ""))
            if following is None:
                return sorted(found)
            place = urljoin(place, following[1])
        raise OutsideError(doing, f"there are more than {_MAX_PAGES:,} pages of them")

    # --- requests ---------------------------------------------------------------------------------

    def _place(self, kind: Kind, reference: str) -> str:
        return f"{self._root}/v2/{self.name}/{kind}/{reference}"

    def _head(self, kind: Kind, reference: str) -> _Answer | None:
        doing = f"looking for {reference} in {self.address}"
        headers = {"Accept": MANIFEST_TYPES} if kind == "manifests" else {}
        return self._ask(
            "HEAD", self._place(kind, reference), doing, headers=headers, may_miss=True
        )

    def _is_there(self, digest: Digest, doing: str) -> bool:
        return self._once("HEAD", self._place("blobs", digest), doing, may_miss=True) is not None

    def _ask(self, method: str, url: str, doing: str, **given: Any) -> _Answer | None:
        return self._repeated(lambda: self._once(method, url, doing, **given), doing)

    def _repeated(self, work: Callable[[], Result], doing: str) -> Result:
        """What `work` gives, begun again where the line breaks, after a pause."""
        patience = PATIENCE_S
        pauses = () if self._is_given_up else PAUSES_S
        for number, pause in enumerate((*pauses, None)):
            try:
                return work()
            except _BrokenError as broken:
                wanted = pause if broken.after_s is None else broken.after_s
                if pause is None or wanted is None or wanted > patience:
                    self._is_given_up = True  # who was waited for once is not waited for again
                    raise NoAccessError(
                        doing,
                        f"the registry does not answer as it should: {broken}",
                        hint="run the verb again: what was written stays",
                    ) from None
                patience -= wanted
                self._say(f"{doing}: {broken}: once more in {wanted:g} s")
                self._wait(wanted)
                if number > 0:
                    with self._lock:  # a login that has ended may break a line, too
                        self._said.clear()
        raise AssertionError

    def _begun(self, doing: str) -> str:
        """Where a new upload goes to."""
        answer = self._once("POST", f"{self._root}/v2/{self.name}/blobs/uploads/", doing, data=b"")
        return self._location(answer, doing)

    def _location(self, answer: _Answer | None, doing: str) -> str:
        where = None if answer is None else answer.headers.get("Location")
        if answer is None or not where:
            raise OutsideError(doing, "the registry does not say where to send the bytes")
        place, root = urlsplit(urljoin(answer.url, where)), urlsplit(self._root)
        if place.hostname == root.hostname and place.scheme != root.scheme:
            # It stands behind another server, which it does not know to be asked in secret.
            place = place._replace(scheme=root.scheme, netloc=root.netloc)
        return place.geturl()

    @contextmanager
    def _streamed(
        self, kind: Kind, reference: str, start: int, doing: str
    ) -> Iterator[Iterator[bytes] | None]:
        """The bytes from `start` on; None if there is nothing of this name."""
        headers = {"Accept": MANIFEST_TYPES} if kind == "manifests" else {}
        if start:
            headers["Range"] = f"bytes={start}-"
        place = self._place(kind, reference)
        answer = self._opened("GET", place, doing, headers=headers, may_miss=True)
        if answer is None:
            yield None
            return
        with answer:
            skip = start if start and answer.status_code != 206 else 0
            yield _parts(answer, skip)

    def _once(self, method: str, url: str, doing: str, **given: Any) -> _Answer | None:
        """The answer to one request with what it says, as `_opened`."""
        answer = self._opened(method, url, doing, **given)
        if answer is None:
            return None
        with answer:
            return _Answer(url=answer.url, headers=answer.headers, body=_small_body(answer))

    def _opened(
        self,
        method: str,
        url: str,
        doing: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        may_miss: bool = False,
    ) -> requests.Response | None:
        """The answer to one request, whose body is still to be read; None for what is missing and
        may be. Raises `NoAccessError`, `RefusedError`, and `_BrokenError` where another attempt may
        help.
        """
        answer = self._sent(method, url, data, headers)
        if answer.status_code == 401 and self._log_in(answer, method, doing):
            if hasattr(data, "rewind"):
                data.rewind()
            answer = self._sent(method, url, data, headers)
        status = answer.status_code
        if status == 404 and may_miss:
            answer.close()
            return None
        if status in _BUSY:
            raise _BrokenError(_problem(answer), _asked_to_wait(answer))
        if not 200 <= status < 300:
            raise self._refused(answer, doing)
        return answer

    def _sent(
        self, method: str, url: str, data: Any, headers: Mapping[str, str] | None
    ) -> requests.Response:
        import requests

        sent = {"Accept-Encoding": "identity", "User-Agent": _CLIENT, **(headers or {})}
        is_reading = method in _READING
        with self._lock:
            said = self._said.get(not is_reading) or (self._said.get(True) if is_reading else None)
        if said and self._is_ours(url):
            sent["Authorization"] = said
        try:
            return self._session.request(
                method,
                url,
                data=data,
                headers=sent,
                stream=True,
                timeout=_TIMEOUT_S,
                allow_redirects=is_reading,
            )
        except requests.RequestException as error:
            raise _BrokenError(_plain(error)) from None

    def _is_ours(self, url: str) -> bool:
        """Whether an address is of the registry itself, and not of where it keeps its bytes."""
        one, root = urlsplit(url), urlsplit(self._root)
        return (one.scheme, one.netloc) == (root.scheme, root.netloc)

    @functools.cached_property
    def _session(self) -> requests.Session:
        """Connections that all threads share: a new one costs more than most answers."""
        from http.cookiejar import DefaultCookiePolicy

        from requests.adapters import HTTPAdapter

        from assent.stores.sessions import Session

        session = Session()
        session.auth = _unchanged  # no .netrc: a login is looked for where people expect it
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=CONNECTIONS))
        return session

    # --- the login --------------------------------------------------------------------------------

    def _log_in(self, answer: requests.Response, method: str, doing: str) -> bool:
        """Do what an answer asks for before it lets anybody in; False if it asks for nothing that
        we could do. What only keeps the bytes of the registry is not listened to.
        """
        if not self._is_ours(answer.url):
            return False
        is_writing = method not in _READING
        challenge = answer.headers.get("WWW-Authenticate", "")
        answer.close()
        scheme, _, rest = challenge.partition(" ")
        asked = {name.lower(): value for name, value in _PARAMETER.findall(rest)}
        known = self._credentials()
        if scheme.lower() == "basic" and known is not None and known.password:
            said = _basic(known)
        elif scheme.lower() == "bearer" and asked.get("realm"):
            asked.setdefault("scope", f"repository:{self.name}:{_ACTIONS[is_writing]}")
            said = f"Bearer {self.token(asked, doing)}"
        else:
            return False
        with self._lock:
            self._said[is_writing] = said
        return answer.request.headers.get("Authorization") != said

    def token(self, asked: Mapping[str, str], doing: str) -> str:
        """What the token server that a registry names gives whoever we are."""
        import requests

        known = self._credentials()
        realm = urljoin(self._root, asked["realm"])
        if urlsplit(realm).scheme != "https" and _scheme(self.host) == "https":
            raise OutsideError(
                doing, f"the registry sends logins to {realm}, where all can read them"
            )
        query = {name: asked[name] for name in ("service", "scope") if asked.get(name)}
        headers = {"User-Agent": _CLIENT}
        session = self._session
        try:
            if known is not None and known.identity_token:
                form = {
                    "grant_type": "refresh_token",
                    "refresh_token": known.identity_token,
                    "client_id": _CLIENT,
                    **query,
                }
                found = session.post(
                    realm, data=form, headers=headers, timeout=_TIMEOUT_S, **_AT_ONCE
                )
            else:
                if known is not None:
                    headers["Authorization"] = _basic(known)
                place = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
                found = session.get(place, headers=headers, timeout=_TIMEOUT_S, **_AT_ONCE)
        except requests.RequestException as error:
            raise _BrokenError(_plain(error)) from None
        if found.status_code in _BUSY:
            raise _BrokenError(_problem(found), _asked_to_wait(found))
        if not 200 <= found.status_code < 300:
            raise self._refused(found, doing)
        with found:
            said = _json(_small_body(found), doing)
        token = said.get("token") or said.get("access_token")
        if not isinstance(token, str) or not token or not token.isprintable():
            raise OutsideError(doing, f"{realm} has answered with no token")
        return token

    def _refused(self, answer: requests.Response, doing: str) -> OutsideError:
        status, said = answer.status_code, _problem(answer)
        hint = None
        if status in (401, 403):
            known = self._credentials()
            who = "nobody is logged in" if known is None else f"logged in by {known.origin}"
            hint = (
                f"{who}: `docker login {self.host}` with an account that may do this; a job of the "
                "CI may need a right of its own (docs/stores.md)"
            )
            return NoAccessError(doing, said, hint=hint)
        if status == 404:
            hint = f"there may be no repository {self.name!r} yet, or nothing that we may see"
        elif status == 413:
            hint = "the registry takes no manifest or blob of this size"
        is_of_manifests = status == 415 or (
            status in (400, 405, 422) and bool(_OF_TYPES.search(said))
        )
        return RefusedError(doing, said, is_of_manifests=is_of_manifests, hint=hint)


class _Upload:
    """A file on its way: in one go where all is well (POST, PATCH, PUT), from where the registry
    has got to where it is not.
    """

    def __init__(
        self,
        registry: Registry,
        digest: Digest,
        path: Path,
        size: int,
        advance: Progress,
        doing: str,
    ) -> None:
        self._registry = registry
        self._digest = digest
        self._path = path
        self._size = size
        self._advance = advance
        self._doing = doing
        self._place: str | None = None
        self._told = 0
        self._is_begun = False

    def go_on(self) -> None:
        """Send what the registry has not got."""
        line, doing = self._registry, self._doing
        if self._is_begun and line._is_there(self._digest, doing):
            self._tell(self._size)  # only the answer was lost
            return
        self._is_begun = True
        start = self._got()
        if self._place is None:
            self._place, start = line._begun(doing), 0
        with self._path.open("rb", buffering=0) as file:
            if start < self._size:
                headers = {"Content-Type": "application/octet-stream"}
                if start:
                    headers["Content-Range"] = f"{start}-{self._size - 1}"
                part = _Part(file, start, self._size, self._tell)
                answer = line._once("PATCH", self._place, doing, data=part, headers=headers)
                self._place = line._location(answer, doing)
            line._once("PUT", _with_digest(self._place, self._digest), doing, data=b"")

    def _got(self) -> int:
        """How many bytes of an upload that broke have come; it is begun anew where nobody knows."""
        if self._place is None:
            return 0
        try:
            answer = self._registry._once("GET", self._place, self._doing, may_miss=True)
        except RefusedError:
            answer = None
        said = None if answer is None else _RANGE.fullmatch(answer.headers.get("Range", ""))
        if answer is None or said is None:
            self._place = None
            return 0
        if answer.headers.get("Location"):
            self._place = self._registry._location(answer, self._doing)
        got = int(said[1]) + 1
        return got if 1 < got <= self._size else 0

    def _tell(self, done: int) -> None:
        """Say how far it is, and nothing twice."""
        self._advance(max(0, done - self._told))
        self._told = max(self._told, done)


class _Part:
    """A part of a file as the body of a request, which is read once, and again after a login."""

    def __init__(self, file: Any, start: int, stop: int, tell: Progress) -> None:
        self._file = file
        self._start = start
        self._stop = stop
        self._tell = tell
        self.rewind()

    def rewind(self) -> None:
        """Begin again."""
        self._at = self._start
        self._file.seek(self._start)

    def __len__(self) -> int:
        return self._stop - self._start

    def __iter__(self) -> Iterator[bytes]:
        while part := self.read(_CHUNK_BYTES):
            yield part

    def read(self, size: int = -1) -> bytes:
        """The next bytes: many at once, whatever is asked for."""
        del size
        part: bytes = self._file.read(min(_CHUNK_BYTES, self._stop - self._at))
        self._at += len(part)
        self._tell(self._at)
        return part


def _parts(answer: requests.Response, skip: int) -> Iterator[bytes]:
    """The bytes of an answer but for the first ones. Raises `_BrokenError` if they end early."""
    import urllib3

    done = 0
    try:
        for part in answer.raw.stream(_CHUNK_BYTES, decode_content=False):
            done += len(part)
            if done > skip:
                yield part[-(done - skip) :] if done - skip < len(part) else part
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _BrokenError(_plain(error)) from None
    length = answer.headers.get("Content-Length", "")
    if length.isdecimal() and done < int(length):
        raise _BrokenError("the answer was cut off")


def _scheme(host: str) -> str:
    """HTTPS, but for a registry on this machine."""
    return "http" if urlsplit(f"//{host}").hostname in _LOCAL else "https"


def _with_digest(place: str, digest: Digest) -> str:
    return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode({'digest': digest})}"


def _basic(known: Credentials) -> str:
    from requests.auth import _basic_auth_str

    return _basic_auth_str(known.username.encode(), known.password.encode())


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _asked_to_wait(answer: requests.Response) -> float | None:
    """How long an answer asks to wait: seconds or a date (RFC 9110, Retry-After)."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time()) if said else None
    except (ValueError, TypeError, OverflowError):
        return None


def _small_body(answer: requests.Response) -> bytes:
    """What an answer says, of which nothing of ours is longer."""
    if answer.request.method == "HEAD":
        return b""
    parts: list[bytes] = []
    for part in _parts(answer, 0):
        parts.append(part)
        if sum(map(len, parts)) > _MAX_BODY_BYTES:
            break
    return b"".join(parts)


def _json(content: bytes, doing: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise OutsideError(doing, "the answer is no JSON object: is this a container registry?")
    return found


def _problem(answer: requests.Response) -> str:
    """What an answer says is wrong, in one line."""
    try:
        with answer:
            errors = json.loads(_small_body(answer))["errors"]
        said = "; ".join(
            " ".join(str(one[key]) for key in ("code", "message", "detail") if one.get(key))
            for one in errors
        )
    except (_BrokenError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        said = answer.reason or ""
    line = " ".join(said.split())[:_LONGEST_MESSAGE]
    return f"HTTP {answer.status_code} {line}".strip()


def _plain(error: Exception) -> str:
    """An error of the network without the addresses of objects that its text is full of."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    said = str(reason if reason is not None else error).rpartition(": ")[2] or type(error).__name__
    return " ".join(said.split())[:_LONGEST_MESSAGE]
