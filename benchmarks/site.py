# ruff: noqa: A005 - it is called as the verb is
"""The site of many models with many versions, from a ledger in Git and a store in a folder: the
first time, and once more when one version has come.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from assent.core.bundle import ModelFile, config_blob, manifest_blob, read_manifest
from assent.core.digest import canonical_json, digest_of
from assent.core.entry import Draft, FindingRecord, Kind, ReviewRecord, Subject, VerdictRecord
from assent.core.evidence import Code, DataReference, Environment, Evidence, Run, Step
from assent.core.identity import Actor
from assent.core.registry import rfc3339
from assent.core.verdict import Outcome
from assent.ledgers.git.commits import imported
from assent.ports import Source
from assent.stores.directory import DirectoryStore
from benchmarks.context import Context
from benchmarks.figures import Figure, numbers
from benchmarks.measure import Samples, run
from benchmarks.project import Project

SIZE, QUICK_SIZE = (20, 500), (3, 100)
GOAL_S, GOAL_BYTES = 10.0, 300_000
_START = datetime(2020, 1, 1, tzinfo=UTC)
_METRICS = 20


def measure(context: Context) -> Iterator[Figure]:
    models, versions = QUICK_SIZE if context.is_quick else SIZE
    names = [f"model-{number}" for number in range(models)]
    project = Project(context.folder / "many", context.env)
    project.create()
    project.write(assent_yaml=_config(names), _gitignore=".assent/\n")
    project.commit("start")
    store = DirectoryStore(project.folder / ".assent/store")
    for name in names:
        _import(project, name, store, versions)
    project.git("fetch", "--quiet", "origin")
    target = context.folder / "site"
    first = Samples([run(project.command("site", "--to", str(target)))])
    what = f"{models} models with {versions} versions"
    yield _timed(f"{what}, the first time", first, GOAL_S)
    again = Samples([run(project.command("site", "--to", str(target))) for _ in range(3)])
    yield _timed(f"{what}, nothing new", again, None)
    view = sum((target / name).stat().st_size for name in ("index.html", "style.css"))
    yield Figure(
        "site",
        f"{what}: the first view",
        f"{view / 1000:,.0f} kB",
        goal=f"at most {GOAL_BYTES // 1000} kB",
        met=view <= GOAL_BYTES,
        numbers={"bytes": view},
    )


def _timed(what: str, samples: Samples, goal_s: float | None) -> Figure:
    mebibytes = samples.peak_bytes / 2**20
    return Figure(
        "site",
        what,
        f"{samples.wall_s:,.1f} s ({samples.cpu_s:,.1f} s of CPU), {mebibytes:,.0f} MiB",
        goal="" if goal_s is None else f"at most {goal_s:g} s",
        met=None if goal_s is None else samples.wall_s <= goal_s,
        numbers=numbers(samples),
    )


def _config(names: list[str]) -> str:
    rows = "".join(
        f"  {name}: {{train: 'true', inputs: [assent.yaml], model: {name}/, metrics: [m.json], "
        "gates: [{metric: roc_auc, min: 0.7}], stages: {staging: {}, production: {}}}\n"
        for name in names
    )
    return f"models:\n{rows}"


def _import(project: Project, model: str, store: DirectoryStore, versions: int) -> None:
    """Give the remote the ledger of a model, and the store its bundles."""
    process = subprocess.Popen(
        ["git", "-C", str(project.remote), "fast-import", "--quiet", "--done"],
        stdin=subprocess.PIPE,
        env=project.env,
    )
    assert process.stdin is not None
    with process.stdin:
        for part in imported(model, _drafts(model, store, versions)):
            process.stdin.write(part)
    if process.wait() != 0:
        raise RuntimeError("git fast-import did not take the history")


def _drafts(model: str, store: DirectoryStore, versions: int) -> Iterator[Draft]:
    held: int | None = None
    for number in range(1, versions + 1):
        about = _stored(model, store, number)
        assert about.bundle is not None
        at = rfc3339(_START + timedelta(hours=7 * number))
        word = ReviewRecord(person=_person("grace"), bundle=about.bundle, at=at, role="@reviewers")
        yield Draft(
            kind=Kind.APPROVED,
            at=at,
            model=model,
            actor=_person("grace"),
            subject=Subject(bundle=about.bundle, model_digest=about.model_digest),
            approvals=(word,),
        )
        registered = Draft(
            kind=Kind.REGISTERED,
            at=at,
            model=model,
            actor=_person("ada"),
            subject=about,
            approvals=(word,),
            authors=(_person("ada"),),
            verdict=_verdict(number),
            run=Run(system="ci", id=str(number), address=f"https://ci.example/runs/{number}"),
            commit=f"{number:040x}",
        )
        yield registered
        if number % 5 == 0:
            yield Draft(
                kind=Kind.PROMOTED,
                at=at,
                model=model,
                actor=_person("ada"),
                subject=about,
                stage="production",
                replaces=held,
                approvals=(word,),
                verdict=registered.verdict,
                reason="it is better, and nobody is worse off",
            )
            held = number


def _stored(model: str, store: DirectoryStore, number: int) -> Subject:
    evidence = canonical_json(_evidence(model, number))
    file = ModelFile(path="model.bin", digest=digest_of(b"%d" % number), size_bytes=1_000_000)
    config = config_blob(model, [file])
    manifest = manifest_blob(model, [file], config, evidence)
    store.add([Source(content=blob) for blob in (evidence, config, manifest)])
    bundle = read_manifest(manifest)
    return Subject(version=number, bundle=bundle.digest, model_digest=bundle.model_digest)


def _evidence(model: str, number: int) -> Evidence:
    value = 0.8 + number / 10_000
    return Evidence(
        model=model,
        inputs_digest=digest_of(b"i%d" % number),
        train=Step(
            command="python train.py",
            inputs_digest=digest_of(b"t%d" % number),
            started_at=rfc3339(_START),
            wall_s=100.0,
        ),
        code=Code(commit=f"{number:040x}", branch="main"),
        params={f"parameter_{at}": at + number % 7 for at in range(10)},
        metrics={"roc_auc": value, **{f"metric_{at}": value + at for at in range(_METRICS - 1)}},
        data=(
            DataReference(
                name="train",
                source="data/train.parquet",
                kind="path",
                digest=digest_of(b"d%d" % (number // 9)),
                rows=100_000,
            ),
        ),
        environment=Environment(
            python="3.11.7", packages={f"package-{at}": "1.0" for at in range(30)}
        ),
    )


def _verdict(number: int) -> VerdictRecord:
    rules = ("roc_auc min 0.7", *(f"metric_{at} max_drop 0.05" for at in range(5)))
    return VerdictRecord(
        findings=tuple(
            FindingRecord(rule=rule, outcome=Outcome.PASSED, reason="within the bound")
            for rule in rules
        ),
        policy=digest_of(b"policy"),
        evidence=digest_of(b"e%d" % number),
    )


def _person(name: str) -> Actor:
    return Actor(
        kind="person",
        forge="local",
        host="local",
        id=f"{name}@example.com",
        login=name,
        proof="claimed",
    )
