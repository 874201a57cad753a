"""A bucket whose line breaks loses and doubles nothing; what copies files copies stores."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from assent.core.bundle import ModelFile, config_blob, manifest_blob
from assent.core.digest import Digest, digest_of, hex_of
from assent.errors import OutsideError, UsageError
from assent.ports import BlobState, NoAccessError, Pointer, Source, Stored, Wanted
from assent.stores import objects
from assent.stores.buckets import PART_BYTES, TRIES, open_bucket, part_bytes
from assent.stores.directory import DirectoryStore
from assent.stores.objects import ObjectStore, open_store, parsed
from tests.builders import digest
from tests.effort import IS_SOAK, more_in_soak
from tests.stores.proxies import BREAKS, Fault, proxied
from tests.stores.scripted import Reply, scripted
from tests.stores.services import Kind, Service, environment, service

QUICK = timedelta(milliseconds=1)
LARGE = PART_BYTES + (1 << 20)
MODEL = random.Random(7).randbytes(LARGE)
ALL = pytest.mark.parametrize("kind", Kind)


@pytest.fixture
def at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service, S3 where the test names none, with what it wants in the environment."""
    kind = request.node.callspec.params.get("kind") if hasattr(request.node, "callspec") else None
    found = service(kind or Kind.S3)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def through(at: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], ObjectStore]:
    """Opens a store at another host than that of the service."""

    def opened(host: str, address: str) -> ObjectStore:
        told = environment(at.kind, host)
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        backoff = {"init_backoff": QUICK, "max_backoff": QUICK, "base": 2}
        retries = {"max_retries": TRIES - 1, "retry_timeout": timedelta(60), "backoff": backoff}
        return ObjectStore(open_bucket(parsed(address), told, retries))  # type: ignore[arg-type]  # a TypedDict

    return opened


Through = Callable[[str, str], ObjectStore]


def stored(store: ObjectStore, folder: Path) -> Digest:
    """A bundle and what names it, written as the verbs do; its digest."""
    path = folder / "weights.bin"
    path.write_bytes(MODEL)
    [model] = store.add([Source(path=path)])
    files = [ModelFile(path="weights.bin", digest=model.digest, size_bytes=model.size_bytes)]
    config, evidence = config_blob("churn", files), b'{"evidence": true}'
    manifest = manifest_blob("churn", files, config, evidence)
    store.add([Source(content=config), Source(content=evidence)])
    [bundle] = store.add([Source(content=manifest, is_manifest=True)])
    store.remember("churn/inputs/3f2a", bundle.digest)
    store.flush([model.digest, bundle.digest])
    store.point("churn/stages/production", pointer(bundle))
    return bundle.digest


def pointer(bundle: Stored, seq: int = 3) -> Pointer:
    return Pointer(
        seq=seq, entry=digest(f"e{seq}"), version=1, bundle=bundle.digest, model_digest=digest("m1")
    )


def require_whole(store: ObjectStore | DirectoryStore, bundle: Digest, folder: Path) -> None:
    """Everything is there, soundly, for somebody who has seen nothing of it before."""
    place = folder / "fetched.bin"
    store.fetch([Wanted(digest=digest_of(MODEL), size_bytes=LARGE, path=place)])
    assert place.read_bytes() == MODEL
    place.unlink()
    assert store.check([bundle]) == {bundle: BlobState.SOUND}
    assert store.recall("churn/inputs/3f2a") == bundle
    held = store.pointer("churn/stages/production")
    assert held is not None
    assert held.bundle == bundle
    assert store.astray("churn") == ()


# --- a line that breaks ---------------------------------------------------------------------------


def plan(start: int) -> Callable[[int], Fault | None]:
    """Every third request breaks, each in another way."""

    def broken(number: int) -> Fault | None:
        turn, rest = divmod(number - start, 3)
        return BREAKS[turn % len(BREAKS)] if rest == 0 else None

    return broken


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_asks_to_wait_is_asked_after_our_own_pauses(
    at: Service, through: Through, status: int
) -> None:
    """`obstore` hides what an answer says of waiting, and docs/stores.md says so. If this takes
    minutes, it does so no more.
    """
    busy = Reply(status, {"Retry-After": "60"}, b"<Error><Code>SlowDown</Code></Error>")
    with scripted(lambda _: busy) as server:
        with pytest.raises(OutsideError, match=rf"HTTP {status}.* after {TRIES} tries"):
            through(server.host, at.address()).recall("churn/inputs/3f2a")
        assert server.methods == ["GET"] * TRIES


@pytest.mark.threat(27)
@pytest.mark.parametrize("how", [0, 1, 2, *more_in_soak(*BREAKS)])
@pytest.mark.parametrize("kind", [one for one in Kind if one is not Kind.S3_UNCONDITIONAL])
def test_breaks_are_nothing_that_anybody_notices(
    at: Service, kind: Kind, through: Through, tmp_path: Path, how: int | Fault
) -> None:
    """Every third request breaks, beginning with the first, second or third; or each alone."""
    if isinstance(how, int):
        plans: list[Callable[[int], Fault | None]] = [plan(how)]
    else:
        plans = [{n: how}.get for n in range(requests_needed(at, through, tmp_path))]
    for one in plans:
        address = at.address()
        with proxied(at.host, one) as line:
            bundle = stored(through(line.host, address), tmp_path)
            require_whole(through(line.host, address), bundle, tmp_path)
        require_whole(through(at.host, address), bundle, tmp_path)


def requests_needed(at: Service, through: Through, folder: Path) -> int:
    with proxied(at.host, lambda _: None) as line:
        stored(through(line.host, at.address()), folder)
        return len(line.asked)


@pytest.mark.threat(27)
def test_a_line_that_stays_broken_is_said_and_the_next_run_finishes(
    at: Service, through: Through, tmp_path: Path
) -> None:
    needed = requests_needed(at, through, tmp_path)
    for place in range(needed) if IS_SOAK else (0, 4, needed - 1):
        address = at.address()
        with proxied(at.host, partial(dead_from, place)) as line:
            store = through(line.host, address)
            with pytest.raises(NoAccessError, match=f"does not answer after {TRIES} tries") as told:
                stored(store, tmp_path)
        assert told.value.hint == "run the verb again: what was written stays"
        bundle = stored(through(at.host, address), tmp_path)
        require_whole(through(at.host, address), bundle, tmp_path)


def dead_from(place: int, number: int) -> Fault | None:
    return Fault.REFUSED if number >= place else None


# --- what is asked and sent -----------------------------------------------------------------------


def test_what_is_there_is_not_sent_again(at: Service, through: Through, tmp_path: Path) -> None:
    address = at.address()
    stored(through(at.host, address), tmp_path)
    with proxied(at.host, lambda _: None) as line:
        [again] = through(line.host, address).add([Source(path=tmp_path / "weights.bin")])
    assert not again.is_new
    assert [one.split()[0] for one in line.asked] == ["GET", "HEAD"]  # whether its age is counted


def test_what_was_sent_or_read_is_confirmed_without_reading_it(
    at: Service, through: Through, tmp_path: Path
) -> None:
    address, held = at.address(), digest_of(MODEL)
    with proxied(at.host, lambda _: None) as line:
        store = through(line.host, address)
        stored(store, tmp_path)
        line.asked.clear()
        assert store.confirm([held]) == {held: BlobState.SOUND}
        assert [one.split()[0] for one in line.asked] == ["HEAD"]
        line.asked.clear()
        other = through(line.host, address)
        for _ in range(2):
            assert other.confirm([held]) == {held: BlobState.SOUND}
        assert [one.split()[0] for one in line.asked] == ["GET", "HEAD"]


@pytest.mark.threat(25)
def test_a_forged_checksum_spares_the_sending_and_proves_nothing(
    at: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other bytes of the same MD5, as somebody may have put there."""
    address, forged = at.address(), b"WEIGHTS"
    held = digest_of(b"weights")
    bucket = open_bucket(parsed(address), at.environment)
    tag = bucket.put(f"blobs/sha256/{hex_of(held)}", forged).tag
    monkeypatch.setattr(objects, "_checksums", lambda source, size: (tag, tag))
    store = open_store(address, at.environment)
    [again] = store.add([Source(content=b"weights")])
    assert not again.is_new
    assert store.confirm([held]) == {held: BlobState.CORRUPT}


def test_what_was_changed_since_is_not_confirmed(at: Service, tmp_path: Path) -> None:
    address, held = at.address(), digest_of(MODEL)
    store = open_store(address, at.environment)
    stored(store, tmp_path)
    bucket = open_bucket(parsed(address), at.environment)
    bucket.put(f"blobs/sha256/{hex_of(held)}", b"#" + MODEL[1:])
    assert store.confirm([held]) == {held: BlobState.CORRUPT}


def test_a_file_that_changes_while_it_is_read_is_not_stored(at: Service, tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(MODEL)
    store = open_store(at.address(), at.environment)

    def change(_: int) -> None:
        path.write_bytes(MODEL[:-1] + b"#")

    with pytest.raises(OutsideError, match="it changed while it was read"):
        store.add([Source(path=path)], change)
    assert store.check([digest_of(MODEL)]) == {digest_of(MODEL): BlobState.MISSING}


def test_an_object_that_is_too_long_for_a_pointer_is_none_and_replaced(at: Service) -> None:
    address = at.address()
    open_bucket(parsed(address), at.environment).put("churn/stages/production", b" " * 100_000)
    store = open_store(address, at.environment)
    assert store.pointers("churn") == {"churn/stages/production": None}
    assert store.point("churn/stages/production", Pointer(seq=1, entry=digest("e1")))
    assert store.pointer("churn/stages/production") == Pointer(seq=1, entry=digest("e1"))


@pytest.mark.parametrize("size", [1, PART_BYTES * 10_000, PART_BYTES * 10_000 + 1, 5 << 40])
def test_no_file_has_more_parts_than_a_service_takes(size: int) -> None:
    part = part_bytes(size)
    assert part >= PART_BYTES
    assert -(-size // part) <= 10_000
    assert part % (1 << 20) == 0


# --- pointers -------------------------------------------------------------------------------------


@ALL
def test_a_service_that_ignores_conditions_is_found_and_named(at: Service, kind: Kind) -> None:
    for _ in range(2):  # what was tried before lies there
        lacking = open_store(
            "s3://models/tried".replace("s3", _scheme(kind)), at.environment
        ).lacking
        assert ("ignores conditions" in lacking) is (kind is Kind.S3_UNCONDITIONAL)


def _scheme(kind: Kind) -> str:
    return {Kind.AZURE: "az", Kind.GOOGLE: "gs"}.get(kind, "s3")


@pytest.mark.threat(24)
@ALL
def test_of_writers_of_different_pointers_none_is_left_out_of_the_index(
    at: Service, kind: Kind, tmp_path: Path
) -> None:
    address = at.address()
    [bundle] = open_store(address, at.environment).add([Source(content=b"{}", is_manifest=True)])

    def move(number: int) -> None:
        store = open_store(address, at.environment)
        store.point(f"churn/versions/{number}", pointer(bundle, number))
        store.point("churn/stages/production", pointer(bundle, number))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(move, range(1, 7)))
    store = open_store(address, at.environment)
    assert store.astray("churn") == ()
    assert store.pointer("churn/stages/production") == pointer(bundle, 6)
    found = open_bucket(parsed(address), at.environment).read("index.json", 1 << 20)
    assert found is not None
    assert len(json.loads(found[0])["manifests"]) == 7


def test_a_lost_index_is_written_again(at: Service, tmp_path: Path) -> None:
    address = at.address()
    store = open_store(address, at.environment)
    stored(store, tmp_path)
    bucket = open_bucket(parsed(address), at.environment)
    for content in (None, b"{"):
        if content is None:
            bucket.remove("index.json")
        else:
            bucket.put("index.json", content)
        assert store.astray("churn") == ("churn-production",)
        store.relist("churn")
        assert store.astray("churn") == ()


# --- copies ---------------------------------------------------------------------------------------


@ALL
def test_what_copies_files_copies_a_bucket_to_a_folder(
    at: Service, kind: Kind, tmp_path: Path
) -> None:
    address = at.address()
    bundle = stored(open_store(address, at.environment), tmp_path)
    root = tmp_path / "store"
    for name, content in contents(address, at):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    require_whole(DirectoryStore(root), bundle, tmp_path)
    assert DirectoryStore(root).point("churn/versions/1", Pointer(seq=4, entry=digest("e4")))


@ALL
def test_what_copies_files_copies_a_folder_to_a_bucket(
    at: Service, kind: Kind, tmp_path: Path
) -> None:
    folder, address = DirectoryStore(tmp_path / "store"), at.address()
    path = tmp_path / "weights.bin"
    path.write_bytes(MODEL)
    bundle = stored(folder, tmp_path)  # type: ignore[arg-type]  # it does what is asked of it
    bucket = open_bucket(parsed(address), at.environment)
    for file in sorted(one for one in folder.root.rglob("*") if one.is_file()):
        bucket.put(str(file.relative_to(folder.root)), file.read_bytes())
    store = open_store(address, at.environment)
    require_whole(store, bundle, tmp_path)
    assert not store.add([Source(path=path)])[0].is_new
    assert store.point("churn/versions/1", Pointer(seq=4, entry=digest("e4")))
    assert store.astray("churn") == ()


def contents(address: str, at: Service) -> Iterator[tuple[str, bytes]]:
    bucket = open_bucket(parsed(address), at.environment)
    for name in bucket.names():
        found = bucket.read(name, 64 << 20)
        assert found is not None
        yield name, found[0]


# --- what is refused ------------------------------------------------------------------------------

SECRET = "do-not-show-this"


@pytest.mark.parametrize("address", ["s3://", "gs://x y/z", "az://models/../x", "s3://models//x"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no address of a bucket"):
        open_store(address, {})


@pytest.mark.parametrize("address", [f"s3://key:{SECRET}@models/x", f"az://models/x?sig={SECRET}"])
def test_a_login_in_an_address_is_not_shown(address: str) -> None:
    with pytest.raises(UsageError) as told:
        open_store(address, {})
    assert SECRET not in f"{told.value} {told.value.hint}"


def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(UsageError) as told:
        open_store("s3://models", {})
    assert told.value.hint == "pip install 'assent-ml[objects]'"


@ALL
@pytest.mark.parametrize("how", ["pointer", "check", "add", "remember", "pointers"])
def test_no_bucket_is_not_an_empty_one(at: Service, kind: Kind, how: str) -> None:
    store = open_store(f"{_scheme(kind)}://nowhere/team", at.environment)
    asked: dict[str, Callable[[], object]] = {
        "pointer": lambda: store.pointer("churn/head"),
        "pointers": lambda: store.pointers("churn"),
        "check": lambda: store.flush([digest("b1")]),
        "add": lambda: store.add([Source(content=b"x")]),
        "remember": lambda: store.remember("churn/inputs/1", digest("b1")),
    }
    with pytest.raises(OutsideError, match="there is no bucket 'nowhere'") as told:
        asked[how]()
    assert "make it, or correct `store`" in (told.value.hint or "")


@pytest.mark.parametrize(
    ("kind", "hint"), [(Kind.S3_UNCONDITIONAL, "log in anew"), (Kind.AZURE, "the rights to list")]
)
def test_whoever_is_not_let_in_is_told_so_and_no_secret(
    at: Service, kind: Kind, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", SECRET)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "ZG8tbm90LXNob3ctdGhpcw==")
    store = open_store(at.address(), at.environment)
    with pytest.raises(NoAccessError, match=r" \(HTTP 403, [A-Za-z]+\)$") as told:
        store.recall("churn/inputs/1")
    assert SECRET not in f"{told.value} {told.value.hint}"
    assert hint in (told.value.hint or "")


@pytest.mark.parametrize(
    ("status", "code", "problem", "hint"),
    [
        (403, "AccessDenied", "does not let us in", "rights to list, read, write and remove"),
        (400, "ExpiredToken", "does not accept the login", "log in anew"),
        (403, "RequestTimeTooSkewed", "clock of this machine is too far", "set the clock"),
        (400, "AuthorizationHeaderMalformed", "is in another region", "AWS_REGION"),
        (301, "PermanentRedirect", "is in another region", "AWS_REGION"),
        (400, "InvalidRequest", r"answers HTTP 400, InvalidRequest$", "run the verb again"),
    ],
)
def test_what_a_service_answers_is_told_in_our_words(
    at: Service, through: Through, status: int, code: str, problem: str, hint: str
) -> None:
    body = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode()
    with (
        scripted(lambda _: Reply(status, body=body)) as there,
        pytest.raises(OutsideError, match=problem) as told,
    ):
        through(there.host, at.address()).recall("churn/inputs/1")
    assert hint in (told.value.hint or "")
    assert SECRET not in f"{told.value} {told.value.hint}"


@pytest.mark.parametrize("status", [409, 412])
def test_what_a_policy_keeps_as_it_is_is_said(at: Service, through: Through, status: int) -> None:
    """As of a blob of Azure that has a lease or may not be changed."""
    with scripted(lambda _: Reply(status)) as there, pytest.raises(OutsideError) as told:
        through(there.host, at.address()).remember("churn/inputs/1", digest("b1"))
    assert "does not replace what stands there" in str(told.value)
    assert "have to be replaceable" in (told.value.hint or "")


def test_without_a_login_it_is_said_how_to_log_in(
    at: Service, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    store = through(at.host, at.address())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    store = ObjectStore(open_bucket(parsed(at.address()), at.environment, {"max_retries": 0}))
    with pytest.raises(NoAccessError, match="no login for s3://models was found here") as told:
        store.recall("churn/inputs/1")
    assert "AWS_ACCESS_KEY_ID" in (told.value.hint or "")


def test_a_profile_is_read(at: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {name: value for name, value in at.environment.items() if "_KEY" not in name}
    told |= {"AWS_PROFILE": "work", "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NoAccessError, match="there is no login in the profile 'work'"):
        open_store(at.address(), told).recall("churn/inputs/1")
    (tmp_path / "credentials").write_text(
        "[work]\naws_access_key_id = WORK\naws_secret_access_key = x\n"
    )
    with proxied(at.host, lambda _: None) as line:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{line.host}")
        assert open_store(at.address(), told).recall("churn/inputs/1") is None
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(NoAccessError, match="AWS_PROFILE names a profile, which boto3 reads"):
        open_store(at.address(), told).recall("churn/inputs/1")


def test_settings_that_cannot_be_right_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    store = open_store("az://models/team", {})
    with pytest.raises(NoAccessError, match="its settings are not right") as told:
        store.recall("churn/inputs/1")
    assert "AZURE_STORAGE_ACCOUNT_NAME" in (told.value.hint or "")
