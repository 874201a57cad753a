"""Bundles with evidence, made by hand and by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from assent.compare.bundles import LoadedBundle
from assent.core.bundle import ModelFile, config_blob, manifest_blob, read_manifest
from assent.core.digest import canonical_json
from assent.core.evidence import DataReference, Environment, Evidence
from assent.core.scalar import NonFinite, Scalar
from tests.builders import digest

names = st.sampled_from(["a", "b", "roc_auc", "slices.region.north.loss", "ü|x"])
scalars: st.SearchStrategy[Scalar] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(-1e6, 1e6),
    st.sampled_from(["", "1", "true"]),
    st.sampled_from([NonFinite("nan"), NonFinite("inf")]),
)
named_values = st.dictionaries(names, scalars, max_size=4)


def known(
    *,
    metrics: dict[str, Scalar] | None = None,
    params: dict[str, Scalar] | None = None,
    packages: dict[str, str] | None = None,
    files: dict[str, str] | None = None,
    data: tuple[DataReference, ...] = (),
    version: int | None = None,
) -> LoadedBundle:
    evidence = Evidence(
        model="churn",
        inputs_digest=digest("inputs"),
        metrics=metrics or {},
        params=params or {},
        data=data,
        environment=Environment(python="3.12", packages=packages or {}, packages_from="pip"),
    )
    model_files = [
        ModelFile(path=path, digest=digest(text), size_bytes=len(text))
        for path, text in (files or {"model.bin": "weights"}).items()
    ]
    config = config_blob("churn", model_files)
    bundle = read_manifest(manifest_blob("churn", model_files, config, canonical_json(evidence)))
    return LoadedBundle(bundle=bundle, evidence=evidence, version=version)


def file_set(name: str, content: str | None, snapshot: str | None = None) -> DataReference:
    found = None if content is None else digest(content)
    return DataReference(
        name=name, source=f"{name}.csv", kind="file", digest=found, snapshot=snapshot
    )


@st.composite
def knowns(draw: st.DrawFn) -> LoadedBundle:
    texts = st.sampled_from(["x", "yy", "zzz"])
    data = draw(st.dictionaries(names, texts, max_size=3))
    return known(
        metrics=draw(named_values),
        params=draw(named_values),
        packages=draw(st.dictionaries(names, texts, max_size=3)),
        files=draw(st.dictionaries(st.sampled_from(["m", "n", "o/p"]), texts, min_size=1)),
        data=tuple(file_set(name, content) for name, content in data.items()),
    )
