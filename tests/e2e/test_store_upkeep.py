"""Looking after the store: copied, counted, cleaned up, and versions purged."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import GRACE, Project, ended
from tests.stores.registries import Server, registry

MONTH_S = 30 * 86_400


def aged(project: Project, *bundles: str) -> None:
    """Let a month and more go by for all blobs in the store, or for these."""
    folder = project.store / "blobs/sha256"
    paths = [project.blob(one) for one in bundles] or list(folder.iterdir())
    for path in paths:
        then = path.stat().st_mtime - 2 * MONTH_S
        os.utime(path, (then, then))


def reviewed(project: Project) -> str:
    project.run("review", code=11)
    bundle: str = project.run("bundle", "--json").json["bundle"]
    return bundle


def candidate(project: Project, name: str, **params: str) -> str:
    """A bundle that somebody has made and nobody needs; the digest. Its branch is gone."""
    project.branch(name, **params)
    bundle = reviewed(project)
    project.git("checkout", "--quiet", "main")
    project.git("branch", "--quiet", "-D", name)
    return bundle


def verified(project: Project, store: str) -> Any:
    return project.run("verify", "--json", env={"ASSENT_STORE": store}).json


# --- copy ---------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with registry(tmp_path / "registry") as started:
        yield started


def test_from_a_folder_to_a_registry_and_back(shipped: Project, server: Server) -> None:
    """The history stays, and work goes on in the new store."""
    waiting = candidate(shipped, "better", accuracy="0.9")
    address = f"oci://{server.host}/team/models"
    project = replace(shipped, env={"DOCKER_CONFIG": str(shipped.folder.parent)})
    first = project.run("store", "copy", address, "--json").json
    assert (first["versions"], first["candidates"], first["lacking"]) == (1, 1, [])
    found = verified(project, address)
    assert (found["versions"], found["candidates"], found["faults"]) == (1, 1, [])
    again = project.run("store", "copy", address, "--json").json
    assert (again["versions"], again["sent_bytes"], again["pointers"]) == (1, 0, 0)

    moved = ("--moved", "--reason", "hosted machines")
    said = project.run("store", "copy", address, *moved).stdout
    assert "ledger entry" in said
    assert project.run("store", "copy", address, *moved, "--json").json["entries"] == []
    assert verified(project, address)["faults"] == []
    shown = project.run("timeline").stdout
    assert "move the store of churn" in shown
    assert "from: ../store\n" in shown
    assert f"to: {address}" in shown

    project.edit("assent.yaml", "../store", address)
    project.commit("move the store", push=True)
    project.run("verify")
    project.run("resolve", "production")
    project.run("pull", "production", "--to", "served")
    assert (project.folder / "served/weights.txt").is_file()
    made = project.run("bundle", "--json", code=2)  # nothing was evaluated on this branch
    assert "evaluate" in made.stderr

    back = project.run("store", "copy", "../other", "--json").json
    assert back["candidates"] == 1
    assert verified(project, "../other")["faults"] == []
    held = project.folder.parent / "other/blobs/sha256"
    assert (held / waiting.removeprefix("sha256:")).is_file()
    assert {path.name for path in held.iterdir()} >= {
        path.name for path in (project.store / "blobs/sha256").iterdir()
    }


def test_what_the_store_lacks_is_named_and_the_rest_is_copied(second: Project) -> None:
    held = second.run("resolve", "v1", "--json").json
    evidence = second.run("status", "--json").json["models"][0]["state"]["newest"]
    assert len(evidence) == 2
    weights = largest_own(second, held["bundle"])
    second.blob(weights).write_bytes(b"damaged")
    done = second.run("store", "copy", "../other", "--json", code=4).json
    [lacking] = done["lacking"]
    assert (lacking["version"], done["versions"]) == (1, 1)
    said = second.run("store", "copy", "../other", code=4).stdout
    assert "MISSING: churn v1: " in said
    assert "NOT ALL COPIED" in said
    # Nothing is said to have moved that has not.
    second.run("store", "copy", "../other", "--moved", "--reason", "x", code=4)
    assert not any("move" in sentence for sentence in second.entries())


def largest_own(project: Project, bundle: str) -> str:
    """The digest of the weights of a bundle."""
    manifest = json.loads(project.blob(bundle).read_bytes())
    [digest] = [
        layer["digest"]
        for layer in manifest["layers"]
        if layer["annotations"].get("org.cncf.model.filepath") == "weights.txt"
    ]
    return str(digest)


def test_only_what_a_stage_holds(second: Project) -> None:
    done = second.run("store", "copy", "../serving", "--only", "production", "--json").json
    assert (done["versions"], done["candidates"]) == (1, 0)
    serving = second.folder.parent / "serving"
    assert sorted(path.name for path in (serving / "churn/versions").iterdir()) == ["1"]
    second.run("pull", "production", "--to", "served", env={"ASSENT_STORE": "../serving"})
    second.run("store", "copy", "../serving", "--only", "v7", code=2)
    second.run("store", "copy", "../serving", "--only", "nowhere", code=2)


def test_what_cannot_be_meant(shipped: Project) -> None:
    assert "the store to copy from" in shipped.run("store", "copy", "../store/", code=2).stderr
    assert (
        "whole"
        in shipped.run(
            *("store", "copy", "../o", "--only", "v1", "--moved", "--reason", "x"), code=2
        ).stderr
    )
    shipped.run("store", "copy", "../other", "--moved", code=2)
    shipped.run("store", "copy", "../other", "--model", "fraud", code=2)
    shipped.run("store", "gc", "--older-than", "1h", code=2)
    shipped.run("store", "gc", "--older-than", "soon", code=2)
    assert not (shipped.folder.parent / "other").exists()


# --- du and gc ----------------------------------------------------------------------------------


def test_what_is_kept_is_counted_once(second: Project) -> None:
    found = second.run("store", "du", "--json").json
    [model] = found["models"]
    assert (model["versions"], model["candidates"]) == (2, 0)
    there = sum(path.stat().st_size for path in (second.store / "blobs/sha256").iterdir())
    assert found["size_bytes"] == there
    assert model["own_bytes"] == model["size_bytes"] == there - found["unneeded_bytes"]
    assert second.run("store", "du").stdout.startswith("churn")


def test_only_what_nobody_needs_is_taken_away(second: Project) -> None:
    gone = candidate(second, "other", accuracy="0.95")
    second.branch("open", accuracy="0.96")
    stays = reviewed(second)
    second.git("checkout", "--quiet", "main")
    approved = candidate(second, "approved", accuracy="0.97")
    second.run("approve", "--as", GRACE, "--bundle", approved)
    (second.store / "blobs/sha256" / ("f" * 64)).write_bytes(b"of no bundle")
    (second.store / "blobs/sha256/NOTES").write_text("of somebody")
    (second.store / "tmp" / "dead").write_bytes(b"12345")
    os.utime(second.store / "tmp" / "dead", (0, 0))

    young = second.run("store", "gc", "--json").json
    assert (young["bundles"], young["blobs"]) == ([], 0)
    aged(second)
    before = sorted(path.name for path in (second.store / "blobs/sha256").iterdir())
    plan = second.run("store", "gc", "--json").json
    assert [one["bundle"] for one in plan["bundles"]] == [gone]
    assert plan["kept"] == {"open": 1, "referred": 3}
    assert sorted(path.name for path in (second.store / "blobs/sha256").iterdir()) == before

    done = second.run("store", "gc", "--delete", "--json").json
    assert [one["bundle"] for one in done["bundles"] if one["removed"]] == [gone]
    assert (done["blobs"], done["size_bytes"]) == (plan["blobs"], plan["size_bytes"])
    assert not second.blob(gone).exists()
    assert not (second.store / "blobs/sha256" / ("f" * 64)).exists()
    assert (second.store / "blobs/sha256/NOTES").exists()
    assert all(second.blob(one).exists() for one in (stays, approved))
    found = second.run("verify", "--json").json
    assert (found["faults"], found["incomplete"]) == ([], [])
    assert second.run("store", "gc", "--delete", "--json").json["bundles"] == []
    assert "taken away: 0 bundles" in second.run("store", "gc", "--delete").stdout

    second.git("checkout", "--quiet", "open")
    second.run("approve", "--as", GRACE)
    second.run("verify")


def test_where_something_needed_is_unknown_nothing_is_taken(second: Project) -> None:
    candidate(second, "other", accuracy="0.95")
    aged(second)
    held = second.run("resolve", "v1", "--json").json["bundle"]
    place = second.blob(held)
    content = place.read_bytes()
    place.write_bytes(content[:-1] + b" ")
    assert "nobody knows what they need" in second.run("store", "gc", "--delete", code=4).stderr
    place.unlink()
    assert "v1 of churn" in second.run("store", "gc", "--delete", code=4).stderr
    place.write_bytes(content)
    second.run("store", "gc", "--delete")
    second.run("verify")


@pytest.mark.threat(25)
def test_a_bundle_that_is_made_meanwhile_loses_nothing(second: Project) -> None:
    """Its files were of a candidate that is cleaned up at this moment, by another process."""
    lost = candidate(second, "other", accuracy="0.95")
    second.branch("again", accuracy="0.95")
    for attempt in range(3):
        second.run("review", "--force", code=11)
        aged(second)
        words = ("bundle", "--json"), ("store", "gc", "--delete", "--json")
        making, cleaning = (second.start(*one) for one in words)
        made = ended(making, *words[0], code=0).json["bundle"]
        ended(cleaning, *words[1], code=0)
        found = second.run("verify", "--json").json
        assert (found["faults"], found["incomplete"]) == ([], []), attempt
        assert second.blob(made).exists()
    assert lost


def test_what_is_looked_at_again_is_young(second: Project) -> None:
    """Found by its inputs, reviewed, or approved: whoever did that goes on with it."""
    candidate(second, "other", accuracy="0.95")
    second.branch("again", accuracy="0.95")
    for words, code in ((("train",), 0), (("review",), 11), (("approve", "--as", GRACE), 0)):
        aged(second)
        second.git("checkout", "--quiet", "--detach", "main")
        assert len(second.run("store", "gc", "--json").json["bundles"]) == 1
        second.git("checkout", "--quiet", "again")
        second.run(*words, code=code)
        assert second.run("store", "gc", "--json").json["bundles"] == [], words


# --- purge --------------------------------------------------------------------------------------


def test_a_version_that_was_purged_is_said_to_be_by_every_verb(second: Project) -> None:
    second.ship("v2")
    held = second.run("resolve", "v1", "--json").json["bundle"]
    weights = largest_own(second, held)
    aged(second)
    reason = ("--reason", "the data must be erased")
    assert "production" in second.run("retire", "v2", "--purge", *reason, code=10).stdout
    said = second.run("retire", "v1", "--purge", *reason).stdout
    assert "purged v1" in said
    assert "taken away" in said
    assert not second.blob(held).exists()
    assert not second.blob(weights).exists()
    assert second.entries()[0] == "purge v1"

    found = second.run("verify", "--json").json
    assert (found["faults"], found["purged"], found["versions"]) == ([], 1, 2)
    assert "1 version purged" in second.run("verify").stdout
    assert second.run("resolve", "v1", "--json").json["purged"] is True
    assert "was purged" in second.run("resolve", "v1").stderr
    assert "purged" in second.run("status").stdout
    shown = second.run("timeline").stdout
    assert "purge v1" in shown
    assert "because: the data must be erased" in shown
    for words in (
        ("pull", "v1", "--to", "served"),
        ("promote", "shadow", "v1"),
        ("rollback", "production", "--to", "v1", "--reason", "x"),
        ("diff", "v1", "v2"),
    ):
        assert "the data must be erased" in second.run(*words, code=10).stderr, words
    copied = second.run("store", "copy", "../other", "--json").json
    assert (copied["purged"], copied["versions"], copied["lacking"]) == (1, 1, [])
    assert verified(second, "../other")["faults"] == []
    assert second.run("store", "du", "--json").json["models"][0]["purged"] == 1
    second.run("store", "gc", "--delete")
    again = second.run("retire", "v1", "--purge", *reason).stdout
    assert "v1 is purged already; its manifest is not in the store" in again
    second.run("pull", "production", "--to", "served")


def test_what_other_bundles_need_stays(second: Project) -> None:
    second.ship("v2")
    aged(second)
    second.run("retire", "v1", "--reason", "old")
    said = second.run("retire", "v1", "--purge", "--reason", "old").stdout
    assert "which others need" in said
    second.run("verify")
    second.run("pull", "v2", "--to", "served")


def test_in_a_registry(fresh: Project, server: Server) -> None:
    """A registry tells no ages: they are counted from the first clean-up on."""
    project = replace(fresh, env={"DOCKER_CONFIG": str(fresh.folder.parent)})
    project.edit("assent.yaml", "../store", f"oci://{server.host}/team/models")
    project.commit("a store", push=True)
    project.register()
    project.release("better", accuracy="0.9")
    waiting = candidate(project, "other", accuracy="0.95")
    plan = project.run("store", "gc", "--json").json
    assert (plan["bundles"], plan["blobs"], plan["kept"]) == (
        [],
        None,
        {"referred": 2, "uncounted": 1},
    )
    project.run("store", "gc", "--delete")
    assert project.run("store", "gc", "--json").json["kept"] == {"referred": 2, "young": 1}
    du = project.run("store", "du", "--json").json
    assert (du["models"][0]["versions"], du["models"][0]["candidates"]) == (2, 1)
    assert du["unneeded"] is None
    said = project.run("retire", "v1", "--purge", "--reason", "erase").stdout
    assert "taken away" in said
    found = project.run("verify", "--json").json
    assert (found["faults"], found["purged"]) == ([], 1)
    assert waiting
