"""DVC's own files as values: what a stage reads and writes, seen from the root."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.config.dvc import (
    MAX_STAGES,
    Locked,
    LockedStage,
    Pipeline,
    Stage,
    read_pipeline,
    read_pointer,
    read_stage_lock,
    read_stages,
    variable_files,
)
from assent.parsing import ParseError

PIPELINE = b"""
stages:
  prepare:
    cmd: python src/prepare.py data/raw.csv
    deps: [data/raw.csv, src/prepare.py]
    params: [prepare.split, prepare.seed]
    outs:
      - data/prepared
  train:
    cmd:
      - python src/train.py
      - gzip -k model.pkl
    deps: [data/prepared, ./src/train.py]
    params:
      - lr
      - conf/other.yaml: [depth]
      - conf/all.json:
    outs:
      - model.pkl: {cache: false, persist: true}
    metrics:
      - metrics.json: {cache: false}
    plots:
      - roc.csv: {x: fpr, y: tpr}
      - images
"""


def test_stages_are_read_with_their_files() -> None:
    assert read_stages(PIPELINE, "") == (
        Stage(
            name="prepare",
            command="python src/prepare.py data/raw.csv",
            deps=("data/raw.csv", "src/prepare.py"),
            params=("params.yaml",),
            keys={"params.yaml": ("prepare.split", "prepare.seed")},
            outs=("data/prepared",),
        ),
        Stage(
            name="train",
            command="python src/train.py && gzip -k model.pkl",
            deps=("data/prepared", "src/train.py"),
            params=("params.yaml", "conf/other.yaml", "conf/all.json"),
            keys={"params.yaml": ("lr",), "conf/other.yaml": ("depth",), "conf/all.json": ()},
            outs=("model.pkl",),
            metrics=("metrics.json",),
            plots=("roc.csv", "images"),
        ),
    )


def test_paths_are_seen_from_the_root() -> None:
    text = b"stages: {a: {cmd: x, wdir: ../lib, deps: [a.py, ../../up], params: [lr], outs: [o]}}"
    (stage,) = read_stages(text, "models/churn")
    assert stage.folder == "models/lib"
    assert (stage.deps, stage.params, stage.outs) == (
        ("models/lib/a.py", "up"),
        ("models/lib/params.yaml",),
        ("models/lib/o",),
    )


@pytest.mark.parametrize(
    "path", ["../up", "a/../../up", "/etc/passwd", "s3://bucket/x", "remote://r/x", "~/x", '""']
)
def test_what_is_not_below_the_root_is_left_out(path: str) -> None:
    text = f"stages: {{a: {{cmd: x, deps: ['{path}', b]}}}}".replace("'\"\"'", "''").encode()
    assert read_stages(text, "")[0].deps == ("b",)


def test_foreach_is_unfolded() -> None:
    text = b"""
vars: [{regions: {north: {n: 1}, south: {n: 2}}}]
stages:
  flat:
    foreach: [a, 2, true]
    do: {cmd: 'x ${item}', outs: ['${item}.pkl']}
  named:
    foreach: ${regions}
    do: {cmd: 'x ${key} ${item.n}', outs: ['models/${key}.pkl']}
  rows:
    foreach: [{to: p}, {to: q}]
    do: {cmd: 'x ${item.to}', deps: ['${item.to}']}
"""
    found = {
        stage.name: (stage.command, stage.outs or stage.deps) for stage in read_stages(text, "")
    }
    assert found == {
        "flat@a": ("x a", ("a.pkl",)),
        "flat@2": ("x 2", ("2.pkl",)),
        "flat@true": ("x true", ("true.pkl",)),
        "named@north": ("x north 1", ("models/north.pkl",)),
        "named@south": ("x south 2", ("models/south.pkl",)),
        "rows@0": ("x p", ("p",)),
        "rows@1": ("x q", ("q",)),
    }


def test_a_matrix_is_unfolded() -> None:
    text = b"""
stages:
  train:
    matrix: {model: [cnn, xgb], size: '${sizes}', how: [{gpu: 1}]}
    cmd: x ${item.model} ${item.size} ${item.how.gpu} ${key}
    outs: ['${key}.pkl']
"""
    stages = read_stages(text, "", {"sizes": [1, 2]})
    assert [stage.name for stage in stages] == [
        "train@cnn-1-how0",
        "train@cnn-2-how0",
        "train@xgb-1-how0",
        "train@xgb-2-how0",
    ]
    assert stages[1].command == "x cnn 2 1 cnn-2-how0"
    assert stages[3].outs == ("xgb-2-how0.pkl",)


def test_variables_come_from_the_caller_from_the_file_and_from_the_stage() -> None:
    text = b"""
vars: [conf/vars.yaml, 'other.json:a,b', {out: models, list: [{name: first}]}]
stages:
  a:
    vars: [{out: own}, local.toml]
    cmd: x ${lr} ${out} ${list[0].name} ${list[9].name} ${unknown.key} \\${kept} ${opt}
    outs: ['${out}/m.pkl', '${unknown}/m.pkl']
"""
    (stage,) = read_stages(
        text,
        "sub",
        {"lr": 0.1, "out": "wrong", "opt": {"a": {"b": 1}, "c": [1, 2], "d": True, "e": False}},
    )
    assert stage.command == (
        "x 0.1 own first ${list[9].name} ${unknown.key} ${kept} --a.b 1 --c 1 2 --d"
    )
    assert stage.outs == ("sub/own/m.pkl", "sub/${unknown}/m.pkl")
    assert variable_files(text, "sub") == (
        "sub/params.yaml",
        "sub/conf/vars.yaml",
        "sub/other.json",
        "sub/local.toml",
    )


def test_what_cannot_be_unfolded_is_one_stage_in_which_nothing_is_known() -> None:
    text = b"stages: {a: {foreach: '${names}', do: {cmd: x, outs: ['${item}.pkl']}}}"
    assert read_stages(text, "") == (Stage(name="a@*", command="x", outs=("${item}.pkl",)),)


def test_what_stands_beside_the_stages_is_read() -> None:
    text = b"""
params: [conf/p.yaml]
metrics: [dvclive/metrics.json]
plots:
  - dvclive/plots
  - roc.csv: {x: fpr, y: tpr}
  - ROC: {x: {a.csv: fpr}, y: {a.csv: tpr, b.csv: tpr}}
artifacts:
  churn: {path: models/churn.pkl, type: model}
  set: {path: data}
"""
    assert read_pipeline(text, "sub") == Pipeline(
        params=("sub/conf/p.yaml",),
        metrics=("sub/dvclive/metrics.json",),
        plots=("sub/dvclive/plots", "sub/roc.csv", "sub/a.csv", "sub/b.csv"),
        artifacts={"sub/models/churn.pkl": "model", "sub/data": ""},
    )


def test_the_lock_gives_digests() -> None:
    text = b"""
schema: '2.0'
stages:
  train:
    cmd: x
    params: {params.yaml: {lr: 0.1, train.epochs: 3}}
    deps:
      - {path: data/prepared, hash: md5, md5: 153aad06d376b6595932470e459ef42a.dir, size: 9}
      - {path: ../train.py, md5: ca5c1d6d0f0a2d9a5c4e4dfb3e3b2b1a}
      - {path: s3://bucket/x, etag: abc}
    outs:
      - {path: model.pkl, hash: md5, md5: 46865edbf3d62fc5c039dd9d2b0567a4}
      - {path: never-pushed}
"""
    stage = Stage(name="train", command="x", folder="sub/wdir")
    assert read_stage_lock(text, "sub", [stage]) == (
        LockedStage(
            name="train",
            command="x",
            params={"sub/wdir/params.yaml": {"lr": 0.1, "train.epochs": 3}},
            deps=(
                Locked(
                    path="sub/wdir/data/prepared", digest="153aad06d376b6595932470e459ef42a.dir"
                ),
                Locked(path="sub/train.py", digest="ca5c1d6d0f0a2d9a5c4e4dfb3e3b2b1a"),
            ),
            outs=(Locked(path="sub/wdir/model.pkl", digest="46865edbf3d62fc5c039dd9d2b0567a4"),),
        ),
    )
    old = b"train: {cmd: x, outs: [{path: m, md5: aa}]}"
    assert read_stage_lock(old, "")[0].outs == (Locked(path="m", digest="aa"),)


def test_a_pointer_says_what_it_points_to() -> None:
    text = (
        b"outs:\n- {md5: a304afb96060aad90176268345e10355.dir, nfiles: 2, hash: md5, path: raw}\n"
    )
    assert read_pointer(text, "data") == (
        Locked(path="data/raw", digest="a304afb96060aad90176268345e10355.dir"),
    )
    assert read_pointer(b"wdir: ..\n" + text, "data")[0].path == "raw"


def test_a_stage_of_old_points_to_nothing() -> None:
    assert read_pointer(b"cmd: python train.py\nouts: [{path: m.pkl, md5: aa}]\n", "") == ()


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "stages: []",
        "stages: {a: []}",
        "stages: {a: {cmd: x, outs: m.pkl}}",
        "stages: {a: {cmd: x, deps: [[a]]}}",
        "stages: {a: {cmd: [[x]]}}",
        "stages: {a: {cmd: x, wdir: ../..}}",
        "stages: {a: {cmd: x}, a: {cmd: y}}",
        "plots: [{a: {y: {[b]: c}}}]",
    ],
)
def test_a_shape_that_dvc_would_refuse_is_said(text: str) -> None:
    with pytest.raises(ParseError):
        read_stages(text.encode(), "")


def test_unfolding_has_an_end() -> None:
    axes = "".join(f"a{n}: [{', '.join('123456789')}], " for n in range(30))
    with pytest.raises(ParseError, match=f"{MAX_STAGES:,}"):
        read_stages(f"stages: {{a: {{cmd: x, matrix: {{{axes}}}}}}}".encode(), "")
    each = f"foreach: [{'1, ' * (MAX_STAGES + 1)}]"
    with pytest.raises(ParseError, match=f"{MAX_STAGES:,}"):
        read_stages(f"stages: {{a: {{{each}, do: {{cmd: x}}}}}}".encode(), "")
    long = "vars: [{x: " + "a" * 10_000 + "}]\nstages: {a: {cmd: '" + "${x}" * 10_000 + "'}}"
    with pytest.raises(ParseError, match="characters"):
        read_stages(long.encode(), "")


@given(st.text(alphabet="./ab~${}", max_size=20), st.sampled_from(["", "a", "a/b"]))
def test_no_path_leaves_the_root(path: str, folder: str) -> None:
    text = f"outs: [{{path: '{path}', md5: aa}}]".encode()
    for locked in read_pointer(text, folder):
        parts = locked.path.split("/")
        assert locked.path == "." or not {"", ".", ".."}.intersection(parts)
