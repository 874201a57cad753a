"""The line to a container registry: requests, and what is done when one does not go well.

All that is asked of a registry can be asked again: bytes and manifests are named by their digest,
and a tag that is written twice says the same. So whatever is not answered is repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit

from assent.errors import OutsideError
from assent.ports import Credentials, NoAccessError
from assent.stores.answers import (
    BrokenError,
    RefusedError,
    asked_to_wait,
    failure_of,
    host_of,
    is_lost,
    is_of_types,
    problem_of,
    small_body,
)
from assent.stores.credentials import DOCKER_HUB
from assent.stores.logins import CLIENT, Challenge, Logins, challenges
from assent.stores.parallel import pause

if TYPE_CHECKING:
    import requests

PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""How long to wait before each further attempt."""
PATIENCE_S = 120.0
"""The longest that a registry may ask us to wait for one request."""
CONNECTIONS = 8
_TIMEOUT_S = (15, 300)  # to be connected, and between two packets: a large blob is looked through
_READING = frozenset({"GET", "HEAD"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"https": 443, "http": 80}
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 525)})
"""What may be otherwise a moment later; 520 to 524 are what Cloudflare says of the server behind
it.
"""
_DIRECT = {"http": "", "https": ""}  # no proxy

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that was read: where it came from, and what it says."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Line:
    """The line to `host`, for what is asked of the repository `name`. Threads may share it."""

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
        self.root = f"{_scheme(host)}://{'registry-1.docker.io' if host == DOCKER_HUB else host}"
        self.logins = Logins(name, self.root, credentials, self._asked_elsewhere)
        self._wait = wait
        self._say = say
        self._is_given_up = False
        self._greeted: tuple[Challenge, ...] | None = None
        self._lock = threading.Lock()
        self._sessions: list[requests.Session] = []

    # --- asked until there is an answer -----------------------------------------------------------

    def ask(self, method: str, url: str, doing: str, **given: Any) -> Answer | None:
        """The answer to a request, asked again where the line breaks; see `opened`."""
        return self.repeated(lambda: self.once(method, url, doing, **given), doing)

    def repeated(
        self, work: Callable[[], Result], doing: str, done: Callable[[], int] = lambda: 0
    ) -> Result:
        """What `work` gives, begun again where the line breaks, after a pause. Attempts are counted
        anew where it has got on, by what `done` says.
        """
        reached, patience, pauses = done(), PATIENCE_S, self._pauses()
        while True:
            try:
                return work()
            except BrokenError as broken:
                if done() > reached:
                    reached, patience, pauses = done(), PATIENCE_S, self._pauses()
                wanted = next(pauses, None)
                if wanted is not None and broken.after_s is not None:
                    wanted = broken.after_s
                if wanted is None or wanted > patience:
                    raise self._given_up(broken, doing) from None
                patience -= wanted
                self._say(f"{doing}: {broken}: once more in {wanted:g} s")
                self._wait(wanted)

    def _pauses(self) -> Iterator[float]:
        return iter(() if self._is_given_up else PAUSES_S)

    def _given_up(self, broken: BrokenError, doing: str) -> NoAccessError:
        self._is_given_up = True  # who was waited for once is not waited for again
        asked = f", and asks to wait for {broken.after_s:.0f} s" if broken.after_s else ""
        return NoAccessError(
            doing,
            f"the registry does not answer as it should: {broken}{asked}",
            hint="run the verb again: what was written stays",
        )

    # --- asked once -------------------------------------------------------------------------------

    def once(self, method: str, url: str, doing: str, **given: Any) -> Answer | None:
        """The answer to one request with what it says; see `opened`."""
        answer = self.opened(method, url, doing, **given)
        if answer is None:
            return None
        with answer:
            return Answer(url=answer.url, headers=answer.headers, body=small_body(answer))

    def opened(
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
        may be. Raises `NoAccessError`, `RefusedError`, and `BrokenError` where another attempt may
        help.
        """
        answer, used = self._sent(method, url, doing, data, headers)
        try:
            is_in = self._log_in(answer, used, method, doing)
        except BaseException:
            answer.close()
            raise
        if is_in:
            answer.close()
            if hasattr(data, "rewind"):
                data.rewind()
            answer, _ = self._sent(method, url, doing, data, headers)
        status = answer.status_code
        if status == 404 and may_miss:
            answer.close()
            return None
        if status in _BUSY:
            raise BrokenError(f"{host_of(answer.url)}: {problem_of(answer)}", asked_to_wait(answer))
        if not 200 <= status < 300:
            raise self._refused(answer, method, doing)
        return answer

    def here(self, base: str, where: str, doing: str) -> str:
        """The address to which an answer from `base` sends us, asked in secret if the registry is.
        Where it stands behind another server it may not know that it is.
        """
        try:
            place, root = urlsplit(urljoin(base, where)), urlsplit(self.root)
            _origin(place)
        except ValueError:
            raise OutsideError(doing, "the registry sends us to an address that is none") from None
        if place.scheme == root.scheme or root.scheme != "https":
            return place.geturl()
        if place.hostname == root.hostname:
            return place._replace(scheme=root.scheme, netloc=root.netloc).geturl()
        raise OutsideError(
            doing, f"the registry sends us to {place.hostname}, where all can read what is said"
        )

    def _sent(
        self, method: str, url: str, doing: str, data: Any, headers: Mapping[str, str] | None
    ) -> tuple[requests.Response, str | None]:
        """The answer, and what was said of us."""
        import requests

        sent = {"Accept-Encoding": "identity", "User-Agent": CLIENT, **(headers or {})}
        is_reading = method in _READING
        header = self.logins.given(is_writing=not is_reading) if self._is_ours(url) else None
        if header:
            sent["Authorization"] = header
        try:
            answer = self._session.request(
                method,
                url,
                data=data,
                headers=sent,
                stream=True,
                timeout=_TIMEOUT_S,
                allow_redirects=is_reading,
                proxies=_DIRECT if self._is_local else None,
            )
        except (requests.RequestException, ValueError) as error:
            raise failure_of(error, url, doing) from None
        return answer, header

    @property
    def _is_local(self) -> bool:
        return self.root.startswith("http:")

    def _is_ours(self, url: str) -> bool:
        """Whether an address is of the registry itself, and not of where it keeps its bytes."""
        return is_same_server(url, self.root)

    @property
    def _session(self) -> requests.Session:
        """Connections that all threads share: a new one costs more than most answers."""
        with self._lock:
            if not self._sessions:
                self._sessions.append(_new_session())
            return self._sessions[0]

    # --- the login --------------------------------------------------------------------------------

    def _log_in(self, answer: requests.Response, used: str | None, method: str, doing: str) -> bool:
        """Whether an answer asks for a login that was then made. What only keeps the bytes of the
        registry is not listened to.
        """
        if not self._is_ours(answer.url):
            return False
        if answer.status_code == 401:
            asked = challenges(answer.headers.get("WWW-Authenticate", ""))
        elif answer.status_code in (403, 404) and used is None:
            asked = self._greeting(doing)
        else:
            return False
        is_writing = method not in _READING
        return self.logins.log_in(asked, used, is_writing=is_writing, doing=doing)

    def _greeting(self, doing: str) -> tuple[Challenge, ...]:
        """How to log in at a registry that hides from nobody in particular what is there: it is
        asked once, by who has a login.
        """
        try:
            if self.logins.known is None:
                return ()
        except NoAccessError:  # a login that is no use is said where one is asked for
            return ()
        if self._greeted is None:
            answer, _ = self._sent("GET", f"{self.root}/v2/", doing, None, None)
            with answer:
                asked = challenges(answer.headers.get("WWW-Authenticate", ""))
            # Of which repository it speaks here is not said by all: some name an example.
            self._greeted = tuple(challenge.without("scope") for challenge in asked)
        return self._greeted

    def _asked_elsewhere(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None,
    ) -> bytes:
        """What a server says that gives tokens. It leads nobody on to another: the password would
        go along.
        """
        import requests

        doing = f"logging in to {self.host}"
        try:
            answer = self._session.request(
                method,
                url,
                data=form,
                headers={"Accept-Encoding": "identity", "User-Agent": CLIENT, **headers},
                stream=True,
                timeout=_TIMEOUT_S,
                allow_redirects=False,
                proxies=_DIRECT if self._is_local else None,
            )
        except (requests.RequestException, ValueError) as error:
            raise failure_of(error, url, doing) from None
        if answer.status_code in _BUSY:
            raise BrokenError(f"{host_of(url)}: {problem_of(answer)}", asked_to_wait(answer))
        if not 200 <= answer.status_code < 300:
            raise self._no_access(answer, doing)
        with answer:
            return small_body(answer)

    def _no_access(self, answer: requests.Response, doing: str) -> NoAccessError:
        known = self.logins.known
        who = "nobody is logged in" if known is None else f"logged in by {known.origin}"
        hint = (
            f"{who}: `docker login {self.host}` with an account that may do this; a job of the CI "
            "may need a right of its own (docs/stores.md)"
        )
        return NoAccessError(doing, problem_of(answer), hint=hint)

    def _refused(self, answer: requests.Response, method: str, doing: str) -> OutsideError:
        status, is_ours = answer.status_code, self._is_ours(answer.url)
        if status in (401, 403) and is_ours:
            return self._no_access(answer, doing)
        message = problem_of(answer)
        is_tag = method == "PUT" and "/manifests/" in answer.url
        return RefusedError(
            doing,
            message if is_ours else f"{host_of(answer.url)}: {message}",
            status=status,
            is_of_manifests=is_tag and is_of_types(status, message),
            hint=self._hint(answer, message, is_tag=is_tag),
        )

    def _hint(self, answer: requests.Response, message: str, *, is_tag: bool) -> str | None:
        """What may be done about a refusal."""
        status = answer.status_code
        if not self._is_ours(answer.url):
            return (
                f"that is where {self.host} keeps its bytes: it refuses whoever comes through a "
                "firewall, or with a clock that is wrong"
            )
        if 300 <= status < 400:
            where = answer.headers.get("Location", "")
            host = host_of(where if "//" in where else answer.url)
            return f"it leads to {host}: name that registry"
        if is_lost(message):
            return "the registry lacks what it said it held: run the verb again"
        if status == 404:
            return f"there may be no repository {self.name!r} yet, or nothing that we may see"
        if status == 413:
            return "the registry takes no manifest or blob of this size"
        if is_tag and status in (400, 405, 409, 412):
            return "tags have to be movable, and artifacts to be let in (docs/stores.md)"
        return None


def _new_session() -> requests.Session:
    from http.cookiejar import DefaultCookiePolicy

    from requests.adapters import HTTPAdapter

    from assent.stores.sessions import Session

    session = Session()
    session.auth = _unchanged  # no .netrc: a login is looked for where people expect it
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=CONNECTIONS))
    return session


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _scheme(host: str) -> str:
    """HTTPS, but for a registry on this machine."""
    return "http" if urlsplit(f"//{host}").hostname in _LOCAL else "https"


def is_same_server(url: str, other: str) -> bool:
    """Whether two addresses are of one server, asked in the same way."""
    return _origin(urlsplit(url)) == _origin(urlsplit(other))


def _origin(place: SplitResult) -> tuple[str, str | None, int | None]:
    return place.scheme, place.hostname, place.port or _PORTS.get(place.scheme)
