"""What a stage of DVC has read when it last ran, against what it reads now."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from assent.making.dvc import read_dvc, stale, working_tree
from assent.measure.hashes import Hashes

FILES = {"t.py": "t", "u.py": "u", "model.bin": "m", "params.yaml": "lr: 1\nnet: {depth: 2}\n"}


def locked(root: Path, *names: str) -> list[dict[str, str]]:
    return [
        {
            "path": name,
            "md5": hashlib.md5((root / name).read_bytes(), usedforsecurity=False).hexdigest(),
        }
        for name in names
    ]


def reason(root: Path, now: dict[str, Any], params: dict[str, Any] | None = None) -> str:
    """Why the model is stale, if its stage has last read `t.py` and `params`, and is `now` so."""
    for name, text in FILES.items():
        (root / name).write_text(text)
    stage: dict[str, Any] = {
        "cmd": "run",
        "deps": locked(root, "t.py"),
        "outs": locked(root, "model.bin"),
    }
    if params is not None:
        stage["params"] = params
    declared = {"cmd": "run", "deps": ["t.py"], "outs": ["model.bin"], **now}
    (root / "dvc.yaml").write_text(json.dumps({"stages": {"t": declared}}))
    (root / "dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": {"t": stage}}))
    return stale(root, read_dvc(working_tree(root), []), "model.bin", Hashes(root))


@pytest.mark.parametrize(
    ("now", "params", "said"),
    [
        ({"deps": ["t.py", "u.py"]}, None, "u.py"),
        ({"deps": ["t.py", "not/here.py"]}, None, "not/here.py"),
        ({"params": ["lr"]}, None, "lr of params.yaml"),
        ({"params": ["lr", "net.depth"]}, {"params.yaml": {"lr": 1}}, "net.depth of params.yaml"),
        ({"params": [{"params.yaml": None}]}, {"params.yaml": {"lr": 1}}, "net of params.yaml"),
        ({"params": [{"more.toml": ["a"]}]}, {"params.yaml": {"lr": 1}}, "a of more.toml"),
    ],
)
def test_what_the_stage_reads_by_now_and_has_not_read(
    tmp_path: Path, now: dict[str, Any], params: dict[str, Any] | None, said: str
) -> None:
    found = reason(tmp_path, now, params)
    assert found == f"dvc.lock does not say that the stage t has read {said}"


@pytest.mark.parametrize(
    ("now", "params"),
    [
        ({}, None),
        ({"deps": ["./t.py"]}, None),
        ({"deps": ["t.py", "${unknown}.py"]}, None),
        ({"deps": ["t.py", "s3://bucket/x"]}, None),
        ({"params": ["lr"]}, {"params.yaml": {"lr": 1}}),
        ({"params": ["net.depth"]}, {"params.yaml": {"net.depth": 2, "lr": 1}}),
        ({"params": ["net"]}, {"params.yaml": {"net": {"depth": 2}}}),
        (
            {"params": [{"params.yaml": None}, "lr"]},
            {"params.yaml": {"lr": 1, "net": {"depth": 2}}},
        ),
        ({"params": [{"not_here.yaml": None}]}, None),
    ],
)
def test_a_stage_that_has_read_all_that_it_reads(
    tmp_path: Path, now: dict[str, Any], params: dict[str, Any] | None
) -> None:
    assert reason(tmp_path, now, params) == ""


def test_the_same_text_is_read_once(tmp_path: Path) -> None:
    reason(tmp_path, {})
    (tmp_path / "data.csv.dvc").write_text(json.dumps({"outs": [{"path": "data.csv", "md5": "0"}]}))
    first, again = (read_dvc(working_tree(tmp_path), ["data.csv"]) for _ in range(2))
    assert first.stages is again.stages
    assert first.locked is again.locked
    assert first.pointers["data.csv.dvc"] is again.pointers["data.csv.dvc"]
    (tmp_path / "params.yaml").write_text("lr: 2\n")
    assert read_dvc(working_tree(tmp_path), []).stages is not first.stages
