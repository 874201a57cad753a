"""The main job with a store on a file system that lacks all that can be done without."""

from __future__ import annotations

from dataclasses import replace

from tests.e2e.project import Project
from tests.stores.file_systems import Kind, new_folder


def test_a_model_goes_to_production_and_back_on_a_poor_file_system(shipped: Project) -> None:
    folder = new_folder(Kind.POOR) / "store"
    shipped.run("store", "copy", str(folder))
    project = replace(shipped, env={**shipped.env, "ASSENT_STORE": str(folder)})
    project.run("verify")
    project.release("better", accuracy="0.9")
    project.ship("v2")
    project.run("verify")
    project.run("rollback", "production", "--reason", "worse on the street")
    project.run("verify")
    project.run("store", "gc", "--older-than", "1d", "--delete")
    project.run("verify")
    said = project.run("doctor", "--store").stdout
    assert "its file system has no locks" in said
    assert "store: hard links: no: bytes are copied" in said
    assert "store: folders are flushed: no" in said
    assert "store: times: kept to 2 s" in said
    assert list((folder / "tmp").iterdir()) == []
