"""What a clean-up takes away, and what it keeps when in doubt."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from assent.core.bundle import Bundle, ModelFile, config_blob, manifest_blob, read_manifest
from assent.core.digest import Digest, canonical_json
from assent.keeping.contents import Contents, look
from assent.keeping.plan import Plan, Why, plan, unneeded
from assent.keeping.references import References
from assent.ports import Source
from assent.testing.store import MemoryStore

DAY_S = 86_400.0
MONTH_S = 30 * DAY_S


def keep(store: MemoryStore, seed: int, *, model: str = "churn", age_s: float = 0.0) -> Bundle:
    """A bundle of two files, one of which all of them share, so much older."""
    stored = store.add([Source(content=one) for one in (b"shared", f"{seed}".encode())])
    files = [
        ModelFile(path=f"{number}.bin", digest=one.digest, size_bytes=one.size_bytes)
        for number, one in enumerate(stored)
    ]
    config, evidence = config_blob(model, files), canonical_json({"seed": seed})
    manifest = manifest_blob(model, files, config, evidence)
    rest = store.add([Source(content=one) for one in (config, evidence, manifest)])
    for one in (*stored, *rest):
        store.age(one.digest, age_s)
    return read_manifest(manifest)


def refer(**fields: object) -> References:
    values: dict[str, object] = {
        "model": "churn",
        "versions": {},
        "purged": {},
        "named": frozenset(),
        "pointed": frozenset(),
        **fields,
    }
    return References(**values)  # type: ignore[arg-type]  # tests pass fields by name


def planned(store: MemoryStore, *known: References, is_open: bool = False) -> Plan:
    found = known or (refer(),)
    return plan(look(store), found, older_than_s=MONTH_S, may_be_open=lambda _: is_open)


def bundle_why(store: MemoryStore, bundle: Bundle, *known: References) -> Why:
    return planned(store, *known).bundles[bundle.digest]


def test_what_nothing_refers_to_goes_when_it_is_old() -> None:
    store = MemoryStore()
    old, young = keep(store, 1, age_s=2 * MONTH_S), keep(store, 2, age_s=DAY_S)
    found = planned(store)
    assert found.bundles == {old.digest: Why.EXPIRED, young.digest: Why.YOUNG}
    shared = set(old.blobs) & set(young.blobs)
    assert len(shared) == 1
    assert set(found.blobs) == set(old.blobs) - shared - {old.digest}


@pytest.mark.parametrize("how", ["versions", "named", "pointed", "locked"])
def test_what_something_refers_to_stays_however_old_it_is(how: str) -> None:
    store = MemoryStore()
    bundle = keep(store, 1, age_s=99 * MONTH_S)
    what: object = {1: bundle.digest} if how == "versions" else frozenset({bundle.digest})
    found = planned(store, refer(), refer(model="other", **{how: what}))
    assert found.bundles == {bundle.digest: Why.REFERRED}
    assert found.blobs == ()


def test_of_models_that_nobody_knows_here_nothing_goes() -> None:
    """Another repository keeps its models in the same folder."""
    store = MemoryStore()
    bundle = keep(store, 1, model="fraud", age_s=99 * MONTH_S)
    assert bundle_why(store, bundle) is Why.ELSEWHERE
    assert planned(store).blobs == ()


def test_what_may_be_of_an_open_change_stays() -> None:
    store = MemoryStore()
    bundle = keep(store, 1, age_s=99 * MONTH_S)
    assert planned(store, is_open=True).bundles == {bundle.digest: Why.OPEN}
    assert planned(store, is_open=True).blobs == ()


def test_bytes_of_a_purged_version_go_though_a_pointer_names_it() -> None:
    store = MemoryStore()
    bundle = keep(store, 1, age_s=2 * MONTH_S)
    purged = refer(purged={1: bundle.digest}, pointed=frozenset({bundle.digest}))
    assert bundle_why(store, bundle, purged) is Why.PURGED
    assert set(planned(store, purged).blobs) == set(bundle.blobs) - {bundle.digest}


def test_what_was_purged_is_over_however_young_it_is() -> None:
    store = MemoryStore()
    bundle = keep(store, 1)
    purged = refer(purged={1: bundle.digest})
    assert bundle_why(store, bundle, purged) is Why.PURGED
    contents = changed(look(store), bundle.digest, age_s=None)
    found = plan(contents, [purged], older_than_s=MONTH_S, may_be_open=lambda _: False)
    assert found.bundles == {bundle.digest: Why.PURGED}


def test_the_age_of_blobs_that_may_go_is_to_be_counted() -> None:
    store = MemoryStore()
    kept, young = keep(store, 1), keep(store, 2)
    [stray] = store.add([Source(content=b"an upload that was given up")])
    contents = look(store)
    for digest in contents.blobs:
        contents = changed(contents, digest, age_s=None)
    known = [refer(versions={1: kept.digest})]
    found = plan(contents, known, older_than_s=MONTH_S, may_be_open=lambda _: False)
    assert found.blobs == ()
    assert set(found.uncounted) == {stray.digest, *young.blobs} - {*kept.blobs, young.digest}


def changed(contents: Contents, digest: Digest, **fields: object) -> Contents:
    blobs = {**contents.blobs, digest: replace(contents.blobs[digest], **fields)}
    return Contents(blobs=blobs, bundles=contents.bundles)


def test_what_has_a_name_or_an_unknown_age_stays() -> None:
    store = MemoryStore()
    bundle = keep(store, 1, age_s=2 * MONTH_S)
    for fields, why in (({"age_s": None}, Why.UNCOUNTED), ({"is_named": True}, Why.NAMED)):
        contents = changed(look(store), bundle.digest, **fields)
        known = [refer()]
        found = plan(contents, known, older_than_s=MONTH_S, may_be_open=lambda _: False)
        assert found.bundles == {bundle.digest: why}
        assert found.blobs == ()


def test_a_blob_of_no_bundle_goes_when_nobody_has_used_it_for_long() -> None:
    store = MemoryStore()
    old, young, named = store.add([Source(content=text) for text in (b"old", b"young", b"named")])
    for one in (old, named):
        store.age(one.digest, 2 * MONTH_S)
    contents = changed(look(store), named.digest, is_named=True)
    assert unneeded(contents, (), older_than_s=MONTH_S) == (old.digest,)
    assert young.digest in contents.blobs


def test_what_a_later_release_has_written_keeps_what_it_names() -> None:
    store = MemoryStore()
    [layer] = store.add([Source(content=b"layer")])
    later = canonical_json(
        {
            "annotations": {"dev.assent.model.name": "churn"},
            "artifactType": "application/vnd.assent.bundle.v2+json",
            "config": {"digest": layer.digest},
            "layers": [{"digest": layer.digest}],
        }
    )
    [manifest] = store.add([Source(content=later)])
    [data] = store.add([Source(content=b'{"annotations":{"is": "data of a model"}}')])
    for one in (layer, manifest, data):
        store.age(one.digest, 2 * MONTH_S)
    contents = look(store)
    assert contents.strange == {layer.digest, manifest.digest}
    assert unneeded(contents, (), older_than_s=MONTH_S) == (data.digest,)


def test_a_damaged_manifest_is_told() -> None:
    store = MemoryStore()
    bundle = keep(store, 1)
    content = store.blobs[bundle.digest]
    store.blobs[bundle.digest] = content[:-1] + b" "
    assert look(store).damaged == (bundle.digest,)
