"""What an answer of a registry says, and what it means that there is none."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assent.errors import OutsideError
from assent.ports import NoAccessError

if TYPE_CHECKING:
    import requests

CHUNK_BYTES = 1 << 20
_MAX_BODY_BYTES = 4 << 20
_LONGEST_MESSAGE = 300
_LENGTH = re.compile(r"[0-9]{1,18}")
_OF_TYPES = re.compile(r"\b(?:MANIFEST_INVALID|UNSUPPORTED)\b")
_IN_BETWEEN = "see that `store` names a registry, and what stands in between, as a proxy"
_LOST = re.compile(r"\b(?:MANIFEST_BLOB_UNKNOWN|BLOB_UNKNOWN|BLOB_UPLOAD_UNKNOWN)\b")


class RefusedError(OutsideError):
    """The registry has said no. `is_of_manifests` is whether it refuses a manifest for what it is,
    as those do that know a list of types: another manifest may be taken. `status` is the code of
    its answer.
    """

    def __init__(
        self,
        doing: str,
        problem: str,
        *,
        status: int,
        is_of_manifests: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(doing, problem, hint=hint)
        self.status = status
        self.is_of_manifests = is_of_manifests


class BrokenError(Exception):
    """The line broke, or the registry is ill: what was asked may have been done. `after_s` is how
    long it asks to wait.
    """

    def __init__(self, problem: str, after_s: float | None = None) -> None:
        super().__init__(problem)
        self.after_s = after_s


def host_of(url: str) -> str:
    """The host of an address, for people: the rest may be signed with a secret."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def is_of_types(status: int, message: str) -> bool:
    """Whether a refusal is of what a manifest is, and not of who writes it."""
    return status == 415 or (status in (400, 405, 422) and _OF_TYPES.search(message) is not None)


def is_lost(message: str) -> bool:
    """Whether a registry lacks what it once said it held."""
    return _LOST.search(message) is not None


def parts(answer: requests.Response, skip: int) -> Iterator[bytes]:
    """The bytes of an answer but for the first ones. Raises `BrokenError` if they end early."""
    import urllib3

    done = 0
    try:
        for part in answer.raw.stream(CHUNK_BYTES, decode_content=False):
            done += len(part)
            if done > skip:
                yield part[-(done - skip) :] if done - skip < len(part) else part
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:  # a length below zero
        raise BrokenError(f"{host_of(answer.url)}: {_plain(error)}") from None
    length = answer.headers.get("Content-Length", "")
    if _LENGTH.fullmatch(length) and done < int(length):
        raise BrokenError(f"{host_of(answer.url)}: the answer was cut off")


def asked_to_wait(answer: requests.Response) -> float | None:
    """How long an answer asks to wait: seconds or a date (RFC 9110, Retry-After)."""
    wait = answer.headers.get("Retry-After", "").strip()
    if wait.isdecimal():
        return float(wait)
    try:
        return max(0.0, parsedate_to_datetime(wait).timestamp() - time.time()) if wait else None
    except (ValueError, TypeError, OverflowError):
        return None


def small_body(answer: requests.Response) -> bytes:
    """What an answer says, of which nothing of ours is longer."""
    if answer.request.method == "HEAD":
        return b""
    read: list[bytes] = []
    for part in parts(answer, 0):
        read.append(part)
        if sum(map(len, read)) > _MAX_BODY_BYTES:
            break
    return b"".join(read)


def problem_of(answer: requests.Response) -> str:
    """What an answer says is wrong, in one line."""
    try:
        with answer:
            errors = json.loads(small_body(answer))["errors"]
        message = "; ".join(
            " ".join(str(error[key]) for key in ("code", "message", "detail") if error.get(key))
            for error in errors
        )
    except (BrokenError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        message = answer.reason or ""
    line = " ".join(message.split())[:_LONGEST_MESSAGE]
    return f"HTTP {answer.status_code} {line}".strip()


def failure_of(error: Exception, url: str, doing: str) -> Exception:
    """What a request that got no answer means: that another attempt may help, or that none does."""
    import requests

    asked = getattr(getattr(error, "request", None), "url", None) or url
    host = host_of(asked)
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY" in str(error):
        return NoAccessError(
            doing,
            f"the certificate of {host} is not one that is trusted here: {_plain(error)}",
            hint="REQUESTS_CA_BUNDLE names a file with the certificates of your own authority",
        )
    if isinstance(error, requests.TooManyRedirects):
        return NoAccessError(doing, f"{host} leads in circles", hint=_IN_BETWEEN)
    if isinstance(error, requests.exceptions.InvalidHeader):
        return NoAccessError(doing, f"{host} answers with a header that is none", hint=_IN_BETWEEN)
    if isinstance(error, ValueError):  # an address; its text may hold what is signed with a secret
        problem = f"{host} leads to an address that is none, or not secret"
        return NoAccessError(doing, problem, hint=_IN_BETWEEN)
    return BrokenError(f"{host}: {_plain(error)}")


def _plain(error: Exception) -> str:
    """An error of the network without the addresses of objects that its text is full of."""
    inner = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    causes = [cause for cause in inner.args if isinstance(cause, Exception)]
    reason = getattr(inner, "reason", None) or (causes[0] if causes else inner)
    message = str(reason).rpartition(": ")[2] or type(error).__name__
    return " ".join(message.split())[:_LONGEST_MESSAGE]
