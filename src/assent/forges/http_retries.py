"""Talking to a forge over HTTP: what is repeated, every page of a list, and errors in our words.

Reading is repeated when the forge is busy or the line breaks; writing never is without looking
first, because a write may have succeeded although its answer was lost. The forge's own library
carries the requests, with its own retries off: it would repeat writes, and sleep where no test
can see it.
"""

from __future__ import annotations

import ipaddress
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from assent.core.bundle import TOO_LARGE
from assent.core.clock import ClockReading
from assent.disk import NO_ROOM, require_room
from assent.errors import IntegrityError, OutsideError, UsageError

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

T = TypeVar("T")

PER_PAGE = 100
MAX_PAGES = 500
PAUSES_S = (1.0, 2.0, 4.0)
"""How long to wait before each further attempt when an answer is lost or the forge is ill."""
PATIENCE_S = 120.0
"""The longest that a forge may ask us to wait, all in all, before we give up and say so."""
UNSTATED_LIMIT_S = 60.0
"""How long to wait when a forge limits requests and names no time itself."""
TIMEOUT_S = 30
"""How long a forge may say nothing at all."""
NOTICE_S = 1.0
"""How long it may before people are told that it is waited for."""
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')
_LONGEST_MESSAGE = 300
_CHUNK_BYTES = 1024 * 1024
_TOO_MANY = 429
_REDIRECT_HINT = "is the address of the API right, and the name of the repository?"


class RefusedError(OutsideError):
    """The forge has said no, and nothing was changed. `status` is the code of its answer.
    `is_of_plan`: the plan that the owner pays for does not have what was asked.
    """

    def __init__(
        self,
        doing: str,
        problem: str,
        *,
        status: int,
        hint: str | None = None,
        is_of_plan: bool = False,
    ) -> None:
        super().__init__(doing, problem, hint=hint)
        self.status = status
        self.is_of_plan = is_of_plan


class UnsureError(OutsideError):
    """No answer, or the forge is ill: what was asked may have been done."""


class Answer(msgspec.Struct, frozen=True):
    """What came back. The names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


class Line(ABC):
    """The line to one forge, which people know by `name`. `wait` sleeps, `say` tells people.
    `page` is how a forge is asked for the size of a page, and the largest that it gives.
    """

    page = ("per_page", PER_PAGE)

    def __init__(
        self,
        name: str,
        *,
        wait: Callable[[float], None],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._name = name
        self._wait = wait
        self._say = say
        self.clock_reading: ClockReading | None = None
        """What the forge's clock showed when it first answered."""

    @abstractmethod
    def _send_once(
        self,
        method: str,
        path: str,
        doing: str,
        parameters: Mapping[str, str],
        body: Mapping[str, object] | None,
    ) -> Answer:
        """Send a request, follow no redirect, and return the answer whatever it is. Raises
        `UnsureError` if there is none.
        """

    @abstractmethod
    def _opened(self, path: str, doing: str) -> Response:
        """Ask for a file, and return the answer whose bytes are still to be read. Where they are
        kept elsewhere, `_opened_elsewhere` asks for them.
        """

    @abstractmethod
    def _limit_s(self, answer: Answer) -> float | None:
        """How many seconds the forge asks to wait; None if it does not limit this request."""

    @abstractmethod
    def _said(self, answer: Answer) -> str:
        """The forge's own message. It is text from outside, and it never shows the token."""

    @abstractmethod
    def _advice(self, method: str, path: str, answer: Answer) -> str | None:
        """What to do about a refusal."""

    def _is_of_plan(self, answer: Answer) -> bool:
        """Whether the forge has refused because of the plan that the owner pays for."""
        del answer
        return False

    def get(
        self,
        path: str,
        answer: type[T],
        *,
        doing: str,
        parameters: Mapping[str, str] | None = None,
    ) -> T:
        """Read one thing."""
        return self._decoded(self._read(path, doing, parameters or {}), answer, doing)

    def find(
        self,
        path: str,
        answer: type[T],
        *,
        doing: str,
        parameters: Mapping[str, str] | None = None,
    ) -> T | None:
        """Read one thing, or None if the forge knows none."""
        try:
            return self.get(path, answer, doing=doing, parameters=parameters)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def exists(self, path: str, *, doing: str) -> bool:
        """Whether the forge answers that something is so, with no words, or that it is not."""
        try:
            self._read(path, doing, {})
        except RefusedError as error:
            if error.status == 404:
                return False
            raise
        return True

    def pages(
        self,
        path: str,
        item: type[T],
        *,
        doing: str,
        parameters: Mapping[str, str] | None = None,
    ) -> Iterator[T]:
        """Every item of a list, however many pages it has. A page that cannot be read is an
        error: nobody judges from a part of a list.
        """
        key, size = self.page
        asked = {key: str(size), **(parameters or {})}
        seen = []
        for _ in range(MAX_PAGES):
            seen.append(asked)
            answer = self._read(path, doing, asked)
            yield from self._decoded(answer, list[item], doing)  # type: ignore[valid-type]  # a type made at run time
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            # Of the address only the query is used: the rest could lead elsewhere.
            asked = dict(parse_qsl(urlsplit(following[1]).query))
            if asked in seen:
                raise OutsideError(doing, f"{self._name}'s pages go round in a circle")
        raise OutsideError(doing, f"there are more than {MAX_PAGES} pages")

    def download(self, path: str, target: Path, *, doing: str, limit_bytes: int) -> None:
        """Write the bytes of an endpoint to a file, and no more than `limit_bytes`. The forge may
        keep them on another host: it is asked there without the token, which the address does not
        need. Raises `IntegrityError` if there are more.
        """
        for pause in (*PAUSES_S, None):
            try:
                self._write_to(target, self._opened(path, doing), doing, limit_bytes)
                return
            except UnsureError:
                if pause is None:
                    raise
                self._wait(pause)

    def _opened_elsewhere(self, address: str, doing: str) -> Response:
        """What a redirect leads to, asked for as anybody would."""
        from requests import RequestException, Session

        if not is_safe(address):
            raise self._redirected(doing, 302)
        where = f"where {self._name} keeps artifacts"
        with Session() as session:
            session.auth = _nobody  # else a password of this machine might be sent
            try:
                with self._told(doing):
                    response = session.get(
                        address, stream=True, allow_redirects=False, timeout=TIMEOUT_S
                    )
            except RequestException as error:
                raise self._unreachable(doing, error, where) from None
        if response.status_code != 200:
            problem = f"{where}, the answer is {response.status_code}"
            kind = UnsureError if response.status_code >= 500 else OutsideError
            raise kind(doing, problem)
        return response

    def _write_to(self, target: Path, response: Response, doing: str, limit_bytes: int) -> None:
        from requests import RequestException

        count = 0
        length = response.headers.get("Content-Length", "")
        if length.isascii() and length.isdecimal() and int(length) <= limit_bytes:
            require_room(target.parent, int(length), doing, hint=NO_ROOM)
        try:
            with response, target.open("wb") as file:
                for chunk in response.iter_content(_CHUNK_BYTES):
                    count += len(chunk)
                    if count > limit_bytes:
                        problem = f"it is larger than {limit_bytes:,} bytes"
                        raise IntegrityError(doing, problem, hint=TOO_LARGE)
                    file.write(chunk)
        except RequestException as error:
            where = f"where {self._name} keeps artifacts"
            raise self._unreachable(doing, error, where) from None
        except OSError as error:
            raise OutsideError(doing, error.strerror or str(error)) from None

    def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, object],
        answer: type[T],
        *,
        doing: str,
        find: Callable[[], T | None],
    ) -> T:
        """Write once. If the answer is lost, `find` says whether it was done all the same; only
        if not is it tried again.
        """
        for pause in (*PAUSES_S, None):
            try:
                return self._decoded(self._send(method, path, doing, body=body), answer, doing)
            except UnsureError:
                if pause is not None:
                    self._wait(pause)
                done = find()
                if done is not None:
                    return done
                if pause is None:
                    raise
        raise AssertionError  # the last attempt has raised

    def _read(self, path: str, doing: str, parameters: Mapping[str, str]) -> Answer:
        for pause in (*PAUSES_S, None):
            try:
                return self._send("GET", path, doing, parameters=parameters)
            except UnsureError:
                if pause is None:
                    raise
                self._wait(pause)
        raise AssertionError  # the last attempt has raised

    def _send(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Answer:
        """Send until the forge does not ask to wait. A request that it limits was not carried
        out, so it may be sent again whatever it is.
        """
        answer = self._answered(method, path, doing, parameters or {}, body)
        return self._accepted(method, path, answer, doing)

    def _answered(
        self,
        method: str,
        path: str,
        doing: str,
        parameters: Mapping[str, str],
        body: Mapping[str, object] | None,
    ) -> Answer:
        """Send until the forge does not ask to wait."""
        patience = PATIENCE_S
        while True:
            began = time.monotonic()
            with self._told(doing):
                answer = self._send_once(method, path, doing, parameters, body)
            if (
                self.clock_reading is None and answer.status < 500
            ):  # a gateway answers for an ill one
                self.clock_reading = self._seen(answer, began, time.monotonic())
            asked_s = self._limit_s(answer)
            if asked_s is None:
                return answer
            patience -= asked_s
            if patience < 0:
                raise RefusedError(
                    doing,
                    f"{self._name} allows no more requests for {asked_s:.0f} seconds",
                    status=_TOO_MANY,  # whatever it was: it is no answer to what was asked
                    hint="run the verb again later, or with a token of its own",
                )
            self._wait(asked_s)

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Tell people whom they wait for, if the forge does not answer at once."""
        notice = threading.Timer(NOTICE_S, self._say, [f"waiting for {self._name} ({doing})"])
        notice.daemon = True
        notice.start()
        try:
            yield
        finally:
            notice.cancel()

    def _seen(self, answer: Answer, began: float, ended: float) -> ClockReading | None:
        """The time in an answer. One that a cache has kept is as much older as it says."""
        try:
            shown = parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError:
            return None
        age = answer.headers.get("age", "0").strip()
        if shown.tzinfo is None or re.fullmatch(r"[0-9]{1,9}", age) is None:
            return None
        shown_s = shown.timestamp() + int(age)
        return ClockReading(of=self._name, shown_s=shown_s, asked_s=began, answered_s=ended)

    def told(self, clock_reading: ClockReading | None) -> ClockReading:
        """What the clock showed. Raises `OutsideError` if no answer has told the time."""
        if clock_reading is None:
            raise OutsideError(
                f"reading {self._name}'s clock",
                "its answers have no `Date`",
                hint="does a proxy on the way take headers away? the time that decisions are "
                "taken at is the forge's",
            )
        return clock_reading

    def _accepted(self, method: str, path: str, answer: Answer, doing: str) -> Answer:
        if answer.status < 300:
            return answer
        if answer.status < 400:
            raise self._redirected(doing, answer.status)
        message = self._said(answer)
        problem = f"{self._name} answered {answer.status}" + (f": {message}" if message else "")
        if answer.status >= 500:
            raise UnsureError(doing, problem, hint="run the verb again later")
        raise RefusedError(
            doing,
            problem,
            status=answer.status,
            hint=self._advice(method, path, answer),
            is_of_plan=self._is_of_plan(answer),
        )

    def _redirected(self, doing: str, status: int) -> RefusedError:
        problem = f"{self._name}'s address leads to another one, and the token goes to no other"
        return RefusedError(doing, problem, status=status, hint=_REDIRECT_HINT)

    def _unreachable(self, doing: str, error: Exception, address: str) -> UnsureError:
        return UnsureError(
            doing,
            f"{self._name} could not be reached ({type(error).__name__})",
            hint=f"can this machine reach {address}?",
        )

    def _decoded(self, sent: Answer, answer: type[T], doing: str) -> T:
        try:
            return msgspec.json.decode(sent.text, type=answer)
        except (msgspec.MsgspecError, UnicodeError) as error:
            problem = f"{self._name}'s answer is not what it should be ({error})"
            raise OutsideError(doing, problem) from None


def checked_address(address: str, *, doing: str, hint: str) -> str:
    """The address of an API without a slash at its end. Raises `UsageError` unless a token can
    be sent there: https, or a server on this machine.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    if not host or parts.scheme not in ("https", "http") or parts.query or parts.fragment:
        raise UsageError(doing, "it is not the address of a server", hint=hint)
    if parts.username is not None or parts.password is not None:
        raise UsageError(doing, "there is a name or a password in it", hint=hint)
    if parts.scheme != "https" and not _is_loopback(host):
        problem = "it is not https, and the token would be readable on its way"
        raise UsageError(doing, problem, hint=hint)
    return address.rstrip("/")


def is_safe(address: str) -> bool:
    """Whether what comes from an address is what its host has sent: https, or this machine."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    is_plain = parts.scheme == "http" and _is_loopback(host)
    return bool(host) and (parts.scheme == "https" or is_plain) and parts.username is None


def segment(text: object) -> str:
    """A name as one segment of a path: it cannot reach another endpoint."""
    quoted = quote(str(text), safe="")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")


def shown(text: str, token: str | None) -> str:
    """A forge's text as one short line without the token."""
    if token:
        text = text.replace(token, "[redacted]")
    plain = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(plain.split())[:_LONGEST_MESSAGE]


def _nobody(request: PreparedRequest) -> PreparedRequest:
    """Add nothing to a request that says who asks."""
    return request


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
