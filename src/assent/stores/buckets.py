"""What a store asks of a bucket, whosever service it is: objects by name, with conditions.

`obstore` speaks the protocols, finds the login, and repeats what broke; what it does not repeat is
asked for again here. What a service says is data of somebody else: of an error only the number and
the short code are shown.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from assent.core.buckets import Address, Service
from assent.errors import OutsideError, UsageError, to_install
from assent.ports import NoAccessError
from assent.stores.parallel import StoppedError
from assent.threads import heard

if TYPE_CHECKING:
    from obstore import PutMode
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

PART_BYTES = 8 << 20
"""What is larger is sent in parts of this size, or larger ones if there would be too many."""

TRIES = 5
"""How often a request is made that a service does not answer, or answers with 429 or 5xx."""

_MOST_PARTS = 10_000
_PARTS_AT_ONCE = 4
_READ_BYTES = 1 << 20
_ASKED_AGAIN = 3
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_ENDPOINTS = {
    Service.S3: ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    Service.GCS: ("GOOGLE_BASE_URL",),
    Service.AZURE: ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound")
_NO_UPLOAD = ("NoSuchUpload", "InvalidBlockList")
"""How services answer who ends an upload a second time, having missed the first answer."""
_NO_LOGIN = frozenset(
    {
        *("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"),
        *("TokenRefreshRequired", "AuthenticationFailed", "InvalidAuthenticationInfo"),
    }
)
_METADATA = ("169.254.169.254", "/latest/api/token", "metadata.google", "/metadata/identity")
_SILENT = ("error sending request", "response body", "operation timed out", "kind: Timeout")
_AGAIN = "run the verb again: what was written stays"
_LOGINS = {
    Service.S3: "AWS_ACCESS_KEY_ID and its secret, AWS_PROFILE, or a role of the machine",
    Service.GCS: "GOOGLE_APPLICATION_CREDENTIALS, or a service account of the machine",
    Service.AZURE: "AZURE_STORAGE_ACCOUNT_NAME with a key, a SAS or an identity of the machine",
}

Result = TypeVar("Result")


class MovedOnError(Exception):
    """Something else stands there than was to be replaced."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An object as the service described it. The same `tag` is the same content: a service gives
    another one to what is written anew. `raw` and `version` are what it wants to hear of it.
    """

    size: int
    raw: str | None = None
    version: str | None = None

    @property
    def tag(self) -> str | None:
        """The entity tag, without what surrounds it."""
        return _bare(self.raw)


class Bucket:
    """The objects of the store that `opening` gives, by their names below the prefix of `address`.
    It is asked before the first use: who needs nothing of it needs no login.
    """

    def __init__(self, address: Address, opening: Callable[[], ObjectStore]) -> None:
        self.address = address
        self._opening = opening
        self._is_there = False
        self._given_up: _SilentError | None = None  # waited for once is enough

    @cached_property
    def _store(self) -> ObjectStore:
        return self._opening()

    # --- reading ----------------------------------------------------------------------------------

    def head(self, name: str) -> Seen | None:
        """What the service says of an object; None if there is none."""
        import obstore

        doing = f"asking for {name} in {self.address}"
        meta = self._found(doing, lambda: obstore.head(self._store, name))
        if meta is None:
            self._require_bucket()
        return None if meta is None else _seen(meta)

    def read(self, name: str, most: int) -> tuple[bytes, Seen] | None:
        """What an object holds, or more than `most` bytes of it; None if there is none."""
        content = bytearray()
        seen = self.pour(name, content.extend, most=most)
        return None if seen is None else (bytes(content), seen)

    def pour(
        self, name: str, into: Callable[[bytes], None], *, most: int | None = None
    ) -> Seen | None:
        """Give what an object holds to `into`, part by part; None if there is none. More than
        `most` bytes are not asked for any further.
        """
        import obstore

        doing = f"reading {name} in {self.address}"
        answer = self._found(doing, lambda: obstore.get(self._store, name))
        if answer is None:
            return None
        self._is_there = True
        count, parts = 0, iter(answer.stream(min_chunk_size=_READ_BYTES))
        while most is None or count <= most:
            with self._told(doing):
                part = heard(lambda: next(parts, None))
            if part is None:
                break
            count += len(part)
            into(bytes(part))
        return _seen(answer.meta)

    def names(self, folder: str | None = None) -> list[str]:
        """The names of all objects below a folder, or of all that there are, sorted."""
        return [name for name, _, _ in self._listed(folder)]

    def sizes(self, folder: str | None = None) -> list[tuple[str, int]]:
        """The same with their sizes."""
        return [(name, size) for name, size, _ in self._listed(folder)]

    def ages(self, folder: str) -> list[tuple[str, float]]:
        """The same with how many seconds ago they were written, by the clock of the service."""
        now = time.time()
        return [(name, now - written.timestamp()) for name, _, written in self._listed(folder)]

    def start(self, name: str, size: int) -> bytes:
        """The first `size` bytes of an object that has as many, and no more are sent; nothing if
        there is none.
        """
        import obstore

        if not size:
            return b""
        doing = f"reading the beginning of {name} in {self.address}"
        beginning = self._found(
            doing, lambda: bytes(obstore.get_range(self._store, name, start=0, length=size))
        )
        return beginning or b""

    def _listed(self, folder: str | None) -> list[tuple[str, int, datetime]]:
        import obstore

        def listed() -> list[tuple[str, int, datetime]]:
            pages = obstore.list(self._store, folder, chunk_size=1000)
            return [
                (str(entry["path"]), int(entry["size"]), entry["last_modified"])
                for page in pages
                for entry in page
            ]

        return sorted(self._asked(f"listing {folder or 'all'} in {self.address}", listed))

    def folders(self, folder: str | None = None) -> list[str]:
        """The names of the folders in a folder, each its last part, sorted."""
        import obstore

        def listed() -> list[str]:
            prefixes = obstore.list_with_delimiter(self._store, folder)["common_prefixes"]
            return [str(prefix).rstrip("/").rpartition("/")[2] for prefix in prefixes]

        names = self._asked(f"listing {folder or 'models'} in {self.address}", listed)
        if not names and folder is None:  # s3rver finds none below the prefix of a store
            names = [name.partition("/")[0] for name in self.names() if "/" in name]
        return sorted(set(names))

    # --- writing ----------------------------------------------------------------------------------

    def put(self, name: str, content: bytes) -> Seen:
        """Write an object, whatever stands there."""
        return self._put(name, content, "overwrite")

    def create(self, name: str, content: bytes) -> Seen:
        """Write an object where there is none. Raises `MovedOnError` where there is one, also if an
        answer was lost and it is this very content.
        """
        return self._put(name, content, "create")

    def replace(self, name: str, content: bytes, seen: Seen) -> Seen:
        """Write an object in the place of what was seen. Raises `MovedOnError` as `create`."""
        # A service that gives no version wants to hear of none.
        told = {"e_tag": seen.raw, "version": seen.version}
        mode = {key: value for key, value in told.items() if value is not None}
        return self._put(name, content, cast("PutMode", mode))

    def send(self, name: str, size: int, parts: Callable[[], Iterator[bytes]]) -> Seen:
        """Write a large object from what `parts` gives. It is not there before `parts` has ended
        well: what that raises is raised here, and leaves nothing. Raises `CutOffError` where nobody
        can say whether it is.
        """
        import obstore

        doing = f"writing {name} to {self.address}"
        stop = threading.Event()

        def until_stopped() -> Iterator[bytes]:
            for part in parts():
                if stop.is_set():
                    raise StoppedError
                yield part

        def sent() -> Seen:
            try:
                done = obstore.put(
                    self._store,
                    name,
                    until_stopped(),
                    use_multipart=True,
                    chunk_size=part_bytes(size),
                    max_concurrency=_PARTS_AT_ONCE,
                )
            except FileNotFoundError as error:  # the upload, of which an answer was lost
                if _names_no_bucket(error):
                    raise
                raise CutOffError(doing, "the upload is not known there", hint=_AGAIN) from None
            return Seen(size=size, raw=done["e_tag"], version=done["version"])

        return self._once(doing, sent, stop)

    def copy(self, name: str, to: str) -> None:
        """Have what an object holds under another name, without fetching it. Raises
        `FileNotFoundError` if there is none.
        """
        import obstore

        doing = f"copying {name} in {self.address}"
        self._asked(doing, lambda: obstore.copy(self._store, name, to))

    def remove(self, name: str) -> None:
        """Take an object away, if it is there."""
        import obstore

        doing = f"removing {name} in {self.address}"
        self._found(doing, lambda: obstore.delete(self._store, name))

    def keeps_conditions(self, name: str) -> bool:
        """Whether the service heeds conditions, tried with the object `name`, which stays."""
        try:
            self.create(name, b"")
            self.create(name, b"")  # there is one by now
            return False
        except MovedOnError:
            pass
        except _UnknownConditionError:
            return False
        nothing_there = Seen(size=0, raw='"00000000000000000000000000000000"', version="1")
        try:
            self.replace(name, b"", nothing_there)
            return False
        except MovedOnError:
            return True
        except _UnknownConditionError:
            return False

    def _put(self, name: str, content: bytes, mode: PutMode) -> Seen:
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        doing = f"writing {name} to {self.address}"

        def written() -> Seen:
            try:
                done = obstore.put(self._store, name, content, mode=mode, use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                if mode == "overwrite":
                    raise self._told(doing).kept_as_it_is() from None
                raise MovedOnError from None
            except FileNotFoundError:  # what else would there have to be?
                raise self._told(doing).no_bucket() from None
            return Seen(size=len(content), raw=done["e_tag"], version=done["version"])

        return self._asked(doing, written)

    # --- what goes wrong --------------------------------------------------------------------------

    def _require_bucket(self) -> None:
        """A service does not say in its answer to each request that there is no bucket at all; no
        bucket is not an empty one.
        """
        if not self._is_there:
            self.pour("oci-layout", lambda _: None, most=0)
            self._is_there = True

    def _found(self, doing: str, call: Callable[[], Result]) -> Result | None:
        """What a request gives; None where it finds no such object."""
        try:
            return self._asked(doing, call)
        except FileNotFoundError:
            return None

    def _asked(self, doing: str, call: Callable[[], Result]) -> Result:
        """What a request gives, asked again if the answer broke off. `FileNotFoundError` is said
        of an object alone, not of its bucket.
        """
        for _ in range(_ASKED_AGAIN - 1):
            try:
                return self._once(doing, call)
            except CutOffError:
                continue
        return self._once(doing, call)

    def _once(
        self, doing: str, call: Callable[[], Result], stop: threading.Event | None = None
    ) -> Result:
        if self._given_up is not None:
            told = self._given_up
            raise _SilentError(doing, told.problem, hint=told.hint)
        try:
            with self._told(doing):
                return heard(call, stop)
        except _SilentError as error:
            self._given_up = error
            raise

    def _told(self, doing: str) -> _Telling:
        return _Telling(self.address, doing)


class CutOffError(OutsideError):
    """The answer to a request broke off: what was written may be there."""


class _UnknownConditionError(OutsideError):
    """The service has not heard of conditions."""


class _SilentError(NoAccessError):
    """Nobody answers, or there is no login: that is so for every request."""


class _Telling:
    """What a service refuses, in the words of the family of errors."""

    def __init__(self, address: Address, doing: str) -> None:
        self._address = address
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: object) -> None:
        from obstore.exceptions import BaseError

        if isinstance(error, FileNotFoundError):
            if _names_no_bucket(error):
                raise self.no_bucket() from None
        elif isinstance(error, BaseError):
            raise self._error(str(error)) from None

    def _error(self, message: str) -> OutsideError:
        """What to tell of what the library said: nothing of its text, which quotes addresses and
        answers of others.
        """
        code = _first(_CODE, message)
        status = _first(_STATUS, message)
        where = f"{self._address.service}://{self._address.bucket}"
        if code in _NO_BUCKET:
            return self.no_bucket()
        if any(place in message for place in _METADATA):
            hint = f"log in by {_LOGINS[self._address.service]}: docs/stores.md"
            return _SilentError(self._doing, f"no login for {where} was found here", hint=hint)
        if code == "RequestTimeTooSkewed":
            problem = "the clock of this machine is too far from that of the service"
            return NoAccessError(self._doing, problem, hint="set the clock; NTP keeps it right")
        if code in ("AuthorizationHeaderMalformed", "PermanentRedirect") or "redirect" in message:
            problem = f"{where} is in another region than was asked"
            hint = "set AWS_REGION to the region of the bucket"
            return NoAccessError(self._doing, problem, hint=hint)
        answer = f"HTTP {status}" + (f", {code}" if code else "") if status else ""
        if code in _NO_LOGIN or status == "401":
            problem = f"{where} does not accept the login ({answer})"
            hint = f"log in anew, by {_LOGINS[self._address.service]}: docs/stores.md"
            return NoAccessError(self._doing, problem, hint=hint)
        if status == "403":
            return NoAccessError(
                self._doing,
                f"{where} does not let us in ({answer})",
                hint="the login needs the rights to list, read, write and remove: docs/stores.md",
            )
        if status in ("405", "501") or "NotSupported" in message:
            return _UnknownConditionError(self._doing, f"{where} cannot do that ({answer})")
        if "response body" in message or code in _NO_UPLOAD:
            return CutOffError(self._doing, "the answer broke off", hint=_AGAIN)
        if status:
            tries = f" after {TRIES} tries" if status == "429" or status >= "500" else ""
            return OutsideError(self._doing, f"{where} answers {answer}{tries}", hint=_AGAIN)
        if any(word in message for word in _SILENT):
            problem = f"{where} does not answer after {TRIES} tries"
            return _SilentError(self._doing, problem, hint=_AGAIN)
        problem = f"{where} does not do that, for a reason that is not known here"
        hint = "look at the settings of this service in the environment: docs/stores.md"
        return OutsideError(self._doing, problem, hint=hint)

    def kept_as_it_is(self) -> OutsideError:
        """What is said where an object is not replaced, whatever stands there."""
        where = f"{self._address.service}://{self._address.bucket}"
        return OutsideError(
            self._doing,
            f"{where} does not replace what stands there",
            hint="a lease, a hold or a policy of the bucket keeps it: pointers, hints and notes "
            "have to be replaceable (docs/stores.md)",
        )

    def no_bucket(self) -> OutsideError:
        """What is said where there is no bucket at all."""
        return OutsideError(
            self._doing,
            f"there is no bucket {self._address.bucket!r}",
            hint="make it, or correct `store` in assent.yaml, or the endpoint that is asked",
        )


RETRIES: RetryConfig = {
    "max_retries": TRIES - 1,
    "retry_timeout": timedelta(seconds=120),
    "backoff": {
        "init_backoff": timedelta(seconds=1),
        "max_backoff": timedelta(seconds=8),
        "base": 2,
    },
}


def open_bucket(
    address: Address, environ: Mapping[str, str], retries: RetryConfig = RETRIES
) -> Bucket:
    """The bucket at an address, with the login and the settings that the environment of this
    process names. Nothing is asked before the first use. Raises `UsageError` without `obstore`.
    """
    try:
        import obstore
    except ImportError:
        raise UsageError(
            f"opening the store {str(address)!r}",
            "what talks to object stores is not installed",
            hint=to_install("objects"),
        ) from None
    del obstore
    return Bucket(address, partial(_opened, address, environ, retries))


def _opened(address: Address, environ: Mapping[str, str], retries: RetryConfig) -> ObjectStore:
    """What speaks with the service. Raises `NoAccessError` for settings that cannot be right."""
    from obstore import store as stores

    doing = f"opening the store {str(address)!r}"
    place: dict[str, Any] = {
        "prefix": address.prefix or None,
        "client_options": _client(address.service, environ),
        "retry_config": retries,
    }
    try:
        match address.service:
            case Service.S3:
                more = _s3(environ, doing)
                return stores.S3Store(address.bucket, **place, **more)
            case Service.GCS:
                return stores.GCSStore(address.bucket, **place)
            case Service.AZURE:
                return stores.AzureStore(address.bucket, **place)
    except _settings_errors() as error:
        # Of its text only names of settings and variables are known to hold no secret.
        named = _first(re.compile(r"\b((?:aws|google|azure)_[a-z_]{1,60})\b"), str(error).lower())
        problem = "its settings are not right" + (f": {named}" if named else "")
        hint = f"it is reached by {_LOGINS[address.service]}: docs/stores.md"
        raise NoAccessError(doing, problem, hint=hint) from None


def _settings_errors() -> tuple[type[Exception], ...]:
    """What the library raises for settings that cannot be right."""
    from obstore.exceptions import BaseError

    return (BaseError, ValueError)


def part_bytes(size: int) -> int:
    """The size of the parts in which so many bytes are sent: the smallest number of megabytes that
    needs no more parts than a service takes.
    """
    needed = -(-size // _MOST_PARTS)
    return max(PART_BYTES, -(-needed // (1 << 20)) << 20)


def _client(service: Service, environ: Mapping[str, str]) -> ClientConfig:
    """How long is waited, by the silence and not by the size of what comes; and whether the address
    of the service is one where all can read what is said, which only its own `http://` says.
    """
    endpoint = next((environ[name] for name in _ENDPOINTS[service] if environ.get(name)), "")
    return {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=300),
        "timeout": timedelta(days=1),
    }


def _s3(environ: Mapping[str, str], doing: str) -> dict[str, Any]:
    """What S3 wants besides: a SHA-256 of each request, which it checks and keeps; and a login that
    `obstore` itself does not read, that of a profile.
    """
    more: dict[str, Any] = {}
    if not environ.get("AWS_CHECKSUM_ALGORITHM"):
        more["checksum_algorithm"] = "SHA256"
    profile = environ.get("AWS_PROFILE")
    if not profile or environ.get("AWS_ACCESS_KEY_ID"):
        return more
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise NoAccessError(
            doing, "AWS_PROFILE names a profile, which boto3 reads", hint="pip install boto3"
        ) from None
    try:
        session = boto3.Session(profile_name=profile)
        return {**more, "credential_provider": Boto3CredentialProvider(session)}
    except (BotoCoreError, ValueError):
        raise NoAccessError(
            doing,
            f"there is no login in the profile {profile!r}",
            hint="look at AWS_PROFILE and at `aws configure list`",
        ) from None


def _seen(meta: Mapping[str, Any]) -> Seen:
    return Seen(size=meta["size"], raw=meta.get("e_tag"), version=meta.get("version"))


def _names_no_bucket(error: FileNotFoundError) -> bool:
    return any(code in str(error) for code in _NO_BUCKET)


def _bare(tag: str | None) -> str | None:
    return tag.removeprefix("W/").strip('"') if tag else None


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
