"""The line to one repository of a container registry.

Sources: the OCI distribution specification 1.1 (https://github.com/opencontainers/distribution-spec)
and, for the login, the token authentication of the registry of Docker (CNCF distribution).

All that is asked of a registry can be asked again: bytes and manifests are named by their digest,
and a tag that is written twice says the same. So whatever is not answered is repeated.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from assent.core.digest import Digest
from assent.errors import OutsideError
from assent.ports import Progress
from assent.stores.credentials import DOCKER_HUB, Credentials

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
_TIMEOUT_S = (15, 120)  # to be connected, and between two packets
_CHUNK_BYTES = 1 << 20
_SMALL_BYTES = 4 << 20
_PAGE = 1000
_MAX_PAGES = 1000
_LONGEST_MESSAGE = 300
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_CLIENT = "assent"
_ACTIONS = {False: "pull", True: "pull,push"}
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_PARAMETER = re.compile(r'([A-Za-z_]+)="([^"]*)"')
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')

Kind = Literal["blobs", "manifests"]
Result = TypeVar("Result")


class RefusedError(OutsideError):
    """The registry has said no. `status` is the code of its answer."""

    def __init__(self, doing: str, problem: str, *, status: int, hint: str | None = None) -> None:
        super().__init__(doing, problem, hint=hint)
        self.status = status


class _BrokenError(Exception):
    """The line broke, or the registry is ill: what was asked may have been done. `after_s` is how
    long it asks to wait.
    """

    def __init__(self, problem: str, after_s: float | None = None) -> None:
        super().__init__(problem)
        self.after_s = after_s


class Registry:
    """The repository `name` of the registry `host`. Threads may share it."""

    def __init__(
        self,
        host: str,
        name: str,
        credentials: Callable[[], Credentials | None],
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.host = host
        self.name = name
        self.address = f"{host}/{name}"
        self._root = f"{_scheme(host)}://{'registry-1.docker.io' if host == DOCKER_HUB else host}"
        self._credentials = credentials
        self._wait = wait
        self._own = threading.local()
        self._lock = threading.Lock()
        self._said: dict[bool, str] = {}  # what authorizes reading (False) and writing (True)

    # --- blobs and manifests ----------------------------------------------------------------------

    def size(self, kind: Kind, reference: str) -> int | None:
        """The bytes of a blob or a manifest, None if it is not held."""
        found = self._head(kind, reference)
        return None if found is None else int(found.headers.get("Content-Length") or 0)

    def digest_of_tag(self, tag: str) -> str | None:
        """The digest of the manifest that a tag names; None if there is no such tag."""
        found = self._head("manifests", tag)
        if found is None:
            return None
        said = found.headers.get("Docker-Content-Digest")
        if said:
            return str(said)
        import hashlib  # a registry need not say it

        content = self.read("manifests", tag, most=_SMALL_BYTES)
        return None if content is None else f"sha256:{hashlib.sha256(content).hexdigest()}"

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
        self._ask("PUT", self._place("manifests", reference), doing, data=content, headers=headers)

    def put_small(self, digest: Digest, content: bytes) -> None:
        """Write a blob that is in memory."""
        doing = f"writing {digest} to {self.address}"

        def send() -> None:
            self._once("PUT", _with_digest(self._begun(doing), digest), doing, data=content)

        self._repeated(send, doing)

    def put_file(self, digest: Digest, path: Path, size: int, advance: Progress) -> None:
        """Write a blob from a file. Where the line breaks, the registry is asked how far it got."""
        doing = f"writing {path} to {self.address}"
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
        for _ in range(_MAX_PAGES):
            answer = self._ask("GET", place, doing, may_miss=True)
            if answer is None:
                break
            listed = _json(answer, doing).get("tags") or ()
            found |= {tag for tag in listed if isinstance(tag, str) and tag.startswith(prefixes)}
            following = _NEXT.search(answer.headers.get("Link", ""))
            if following is None:
                break
            place = urljoin(place, following[1])
        return sorted(found)

    # --- requests ---------------------------------------------------------------------------------

    def _place(self, kind: Kind, reference: str) -> str:
        return f"{self._root}/v2/{self.name}/{kind}/{reference}"

    def _head(self, kind: Kind, reference: str) -> requests.Response | None:
        doing = f"looking for {reference} in {self.address}"
        headers = {"Accept": MANIFEST_TYPES} if kind == "manifests" else {}
        return self._ask(
            "HEAD", self._place(kind, reference), doing, headers=headers, may_miss=True
        )

    def _ask(self, method: str, url: str, doing: str, **given: Any) -> requests.Response | None:
        return self._repeated(lambda: self._once(method, url, doing, **given), doing)

    def _repeated(self, work: Callable[[], Result], doing: str) -> Result:
        """What `work` gives, begun again where the line breaks, after a pause."""
        patience = PATIENCE_S
        for pause in (*PAUSES_S, None):
            try:
                return work()
            except _BrokenError as broken:
                wanted = pause if broken.after_s is None else broken.after_s
                if pause is None or wanted is None or wanted > patience:
                    raise OutsideError(
                        doing,
                        f"the registry does not answer as it should: {broken}",
                        hint="run the verb again: what was written stays",
                    ) from None
                patience -= wanted
                self._wait(wanted)
                with self._lock:  # a login that has ended may break a line, too
                    self._said.clear()
        raise AssertionError

    def _begun(self, doing: str) -> str:
        """Where a new upload goes to."""
        answer = self._once("POST", f"{self._root}/v2/{self.name}/blobs/uploads/", doing, data=b"")
        return self._location(answer, doing)

    def _location(self, answer: requests.Response | None, doing: str) -> str:
        where = None if answer is None else answer.headers.get("Location")
        if answer is None or not where:
            raise OutsideError(doing, "the registry does not say where to send the bytes")
        return urljoin(answer.url, where)

    @contextmanager
    def _streamed(
        self, kind: Kind, reference: str, start: int, doing: str
    ) -> Iterator[Iterator[bytes] | None]:
        """The bytes from `start` on; None if there is nothing of this name."""
        headers = {"Accept": MANIFEST_TYPES} if kind == "manifests" else {}
        if start:
            headers["Range"] = f"bytes={start}-"
        answer = self._once(
            "GET", self._place(kind, reference), doing, headers=headers, may_miss=True, stream=True
        )
        if answer is None:
            yield None
            return
        with answer:
            skip = start if start and answer.status_code != 206 else 0
            yield _parts(answer, skip)

    def _once(
        self,
        method: str,
        url: str,
        doing: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        may_miss: bool = False,
        stream: bool = False,
    ) -> requests.Response | None:
        """The answer to one request, None for what is missing and may be. Raises `RefusedError`,
        and `_BrokenError` where another attempt may help.
        """
        is_writing = method not in ("GET", "HEAD")
        answer = self._sent(method, url, data, headers, stream, is_writing)
        if answer.status_code == 401 and self._log_in(answer, is_writing, doing):
            if hasattr(data, "rewind"):
                data.rewind()
            answer = self._sent(method, url, data, headers, stream, is_writing)
        status = answer.status_code
        if status == 404 and may_miss:
            answer.close()
            return None
        if status in _BUSY:
            said = _problem(answer)
            raise _BrokenError(said, _asked_to_wait(answer))
        if not answer.ok:
            raise self._refused(answer, doing)
        return answer

    def _sent(
        self,
        method: str,
        url: str,
        data: Any,
        headers: Mapping[str, str] | None,
        stream: bool,
        is_writing: bool,
    ) -> requests.Response:
        import requests

        sent = {"Accept-Encoding": "identity", "User-Agent": _CLIENT, **(headers or {})}
        with self._lock:
            said = self._said.get(is_writing) or (None if is_writing else self._said.get(True))
        if said and urlsplit(url).netloc == urlsplit(self._root).netloc:
            sent["Authorization"] = said
        try:
            return self._session().request(
                method,
                url,
                data=data,
                headers=sent,
                stream=stream,
                timeout=_TIMEOUT_S,
                allow_redirects=method in ("GET", "HEAD"),
            )
        except requests.RequestException as error:
            raise _BrokenError(_plain(error)) from None

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            from requests.adapters import HTTPAdapter

            import requests

            session = requests.Session()
            session.auth = _unchanged  # no .netrc: a login is looked for where people expect it
            session.mount("https://", HTTPAdapter(max_retries=0))
            session.mount("http://", HTTPAdapter(max_retries=0))
            self._own.session = session
        found: requests.Session = self._own.session
        return found

    # --- the login --------------------------------------------------------------------------------

    def _log_in(self, answer: requests.Response, is_writing: bool, doing: str) -> bool:
        """Do what an answer asks for before it lets anybody in; False if it asks for nothing that
        we could do.
        """
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
        session = self._session()
        try:
            if known is not None and known.identity_token:
                form = {
                    "grant_type": "refresh_token",
                    "refresh_token": known.identity_token,
                    "client_id": _CLIENT,
                    **query,
                }
                found = session.post(realm, data=form, headers=headers, timeout=_TIMEOUT_S)
            else:
                if known is not None:
                    headers["Authorization"] = _basic(known)
                place = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
                found = session.get(place, headers=headers, timeout=_TIMEOUT_S)
        except requests.RequestException as error:
            raise _BrokenError(_plain(error)) from None
        if found.status_code in _BUSY:
            raise _BrokenError(_problem(found), _asked_to_wait(found))
        if not found.ok:
            raise self._refused(found, doing)
        said = _json(found, doing)
        token = said.get("token") or said.get("access_token")
        if not isinstance(token, str) or not token or not token.isprintable():
            raise OutsideError(doing, f"{realm} has answered with no token")
        return token

    def _refused(self, answer: requests.Response, doing: str) -> RefusedError:
        status = answer.status_code
        hint = None
        if status in (401, 403):
            known = self._credentials()
            who = "nobody is logged in" if known is None else f"logged in by {known.origin}"
            hint = (
                f"{who}: `docker login {self.host}` with an account that may do this; in GitHub "
                "Actions the job needs `packages: write` (to read `packages: read`)"
            )
        elif status == 404:
            hint = f"there may be no repository {self.name!r} yet, or nothing that we may see"
        elif status == 413:
            hint = "the registry takes no manifest or blob of this size"
        return RefusedError(doing, _problem(answer), status=status, hint=hint)


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

    def go_on(self) -> None:
        """Send what the registry has not got."""
        line, doing = self._registry, self._doing
        start = self._got()
        if self._place is None:
            self._place, start = line._begun(doing), 0
        with self._path.open("rb", buffering=0) as file:
            if self._size <= _SMALL_BYTES and start == 0:
                place = _with_digest(self._place, self._digest)
                line._once("PUT", place, doing, data=_Part(file, 0, self._size, self._tell))
                return
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
        place, self._place = self._place, None
        try:
            answer = self._registry._once("GET", place, self._doing, may_miss=True)
        except RefusedError:
            return 0
        said = None if answer is None else _RANGE.fullmatch(answer.headers.get("Range", ""))
        if answer is None or said is None:
            return 0
        self._place = urljoin(place, answer.headers.get("Location") or place)
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


def _json(answer: requests.Response, doing: str) -> dict[str, Any]:
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise OutsideError(doing, "the answer is no JSON object: is this a container registry?")
    return found


def _problem(answer: requests.Response) -> str:
    """What an answer says is wrong, in one line."""
    try:
        errors = answer.json()["errors"]
        said = "; ".join(
            f"{one.get('code', '')} {one.get('message', '')}".strip() for one in errors
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        said = answer.reason or ""
    line = " ".join(said.split())[:_LONGEST_MESSAGE]
    return f"HTTP {answer.status_code} {line}".strip()


def _plain(error: Exception) -> str:
    """An error of the network without the addresses of objects that its text is full of."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    said = str(reason if reason is not None else error).rpartition(": ")[2] or type(error).__name__
    return " ".join(said.split())[:_LONGEST_MESSAGE]
