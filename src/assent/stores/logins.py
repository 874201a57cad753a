"""What a registry wants to be told before it lets us in.

Sources: RFC 9110 (WWW-Authenticate, several challenges in one field), and the token authentication
of the registry of Docker (CNCF distribution: scopes, refresh tokens).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec

from assent.errors import OutsideError, UsageError
from assent.ports import Credentials, NoAccessError

CLIENT = "assent"
_CHALLENGE = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9_-]*)(?=\s+[A-Za-z_]+\s*=|\s*(?:,|$))")
_QUOTED = re.compile(r'"[^"]*"')
_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
_ACTIONS = {False: ("pull",), True: ("pull", "push")}

Ask = Callable[[str, str, Mapping[str, str], Mapping[str, str] | None], bytes]
"""What a server answers to method, address, headers and form, once."""


class Challenge(msgspec.Struct, frozen=True):
    """One way in: `bearer` or `basic`, in lower case, and what is said of it."""

    scheme: str
    said: Mapping[str, str]

    def without(self, name: str) -> Challenge:
        """The same without one parameter."""
        return Challenge(self.scheme, {key: self.said[key] for key in self.said if key != name})


class Logins:
    """Who we are to one repository, and what it has given us for that. Threads may share it, and
    one of them logs in for all.
    """

    def __init__(
        self, name: str, root: str, credentials: Callable[[], Credentials | None], ask: Ask
    ) -> None:
        self._name = name
        self._root = root
        self._credentials = credentials
        self._ask = ask
        self._lock = threading.RLock()
        self._found: list[Credentials | None] = []
        self._given: dict[bool, str] = {}  # what authorizes reading (False) and writing (True)
        self.expects_writing = False
        """Whether who reads now will write then. There are registries that let nobody ask who may
        only read for what is not there yet, and the first writer has to ask.
        """

    @property
    def known(self) -> Credentials | None:
        """Who we are; asked for once. Raises `NoAccessError` for a login that is no use."""
        with self._lock:
            if not self._found:
                try:
                    self._found.append(self._credentials())
                except UsageError as error:
                    raise NoAccessError(error.doing, error.problem, hint=error.hint) from None
            return self._found[0]

    def given(self, *, is_writing: bool) -> str | None:
        """What a request says of us; None where nobody has asked yet."""
        with self._lock:
            may_write = self._given.get(True)
            return may_write if is_writing else may_write or self._given.get(False)

    def log_in(
        self,
        asked: Sequence[Challenge],
        used: str | None,
        *,
        is_writing: bool,
        doing: str,
    ) -> bool:
        """Do what the answer to a request that said `used` asks for; False if nothing is asked for
        that we could do and have not done.
        """
        with self._lock:
            self._given = {right: header for right, header in self._given.items() if header != used}
            if self.given(is_writing=is_writing):
                return True  # another thread was faster
            if not asked:
                return False
            may_write = is_writing or (self.expects_writing and self.known is not None)
            answer = self._answer(asked, may_write, doing)
            if answer is None or answer == used:
                return False
            self._given[may_write] = answer
            return True

    def _answer(self, asked: Sequence[Challenge], may_write: bool, doing: str) -> str | None:
        by_token = next((challenge for challenge in asked if challenge.scheme == "bearer"), None)
        if by_token is not None and by_token.said.get("realm"):
            return f"Bearer {self._token(by_token.said, may_write, doing)}"
        known = self.known
        is_basic = any(challenge.scheme == "basic" for challenge in asked)
        return basic(known) if is_basic and known is not None and known.password else None

    def _token(self, asked: Mapping[str, str], may_write: bool, doing: str) -> str:
        """What the token server that a registry names gives whoever we are."""
        try:
            realm = urljoin(self._root, asked["realm"])
            is_secret = urlsplit(realm).scheme == "https"
        except ValueError:
            problem = "the registry sends logins to an address that is none"
            raise OutsideError(doing, problem) from None
        if not is_secret and self._root.startswith("https:"):
            problem = f"the registry sends logins to {realm}, where all can read them"
            raise OutsideError(doing, problem)
        service = {"service": asked["service"]} if asked.get("service") else {}
        scopes = scopes_of(asked.get("scope", ""), self._name, _ACTIONS[may_write])
        known = self.known
        if known is not None and known.identity_token:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": known.identity_token,
                "client_id": CLIENT,
                **service,
                "scope": " ".join(scopes),
            }
            answer = self._ask("POST", realm, {}, form)
        else:
            headers = {} if known is None else {"Authorization": basic(known)}
            query = urlencode({**service, "scope": scopes}, doseq=True)
            place = f"{realm}{'&' if '?' in realm else '?'}{query}"
            answer = self._ask("GET", place, headers, None)
        token = _token_in(answer)
        if token is None:
            raise OutsideError(doing, f"{realm} has answered with no token")
        return token


def challenges(header: str) -> tuple[Challenge, ...]:
    """The ways in that a header names, in its order."""
    plain = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), header)
    matches = list(_CHALLENGE.finditer(plain))
    starts = [*(match.start() for match in matches), len(header)]
    return tuple(
        Challenge(match[1].lower(), _parameters(header[match.end() : end]))
        for match, end in zip(matches, starts[1:], strict=True)
    )


def _parameters(text: str) -> dict[str, str]:
    """The first value of each name."""
    parameters: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(text):
        parameters.setdefault(name.lower(), quoted or bare)
    return parameters


def scopes_of(asked: str, name: str, actions: Sequence[str]) -> tuple[str, ...]:
    """What to ask a token server for: what the registry has asked for, and in any case `actions`.
    A registry may know its repositories by other names than those in its addresses.
    """
    scopes = tuple(_widened(scope, actions) for scope in asked.split())
    return scopes or (f"repository:{name}:{','.join(actions)}",)


def _widened(scope: str, actions: Sequence[str]) -> str:
    kind, _, rest = scope.partition(":")
    name, _, stated = rest.rpartition(":")
    if kind != "repository" or not name:
        return scope
    return f"{kind}:{name}:{','.join(sorted({*stated.split(','), *actions} - {''}))}"


def basic(known: Credentials) -> str:
    """Name and password as a request says them."""
    from requests.auth import _basic_auth_str

    return _basic_auth_str(known.username.encode(), known.password.encode())


class _Answer(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""


def _token_in(answer: bytes) -> str | None:
    try:
        fields = msgspec.json.decode(answer, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    token = fields.token or fields.access_token
    return token if token and token.isascii() and token.isprintable() else None
