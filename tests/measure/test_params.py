from __future__ import annotations

import json
from pathlib import Path

import pytest

from assent.core.evidence import REDACTED
from assent.core.scalar import NonFinite
from assent.measure.params import constants, read_params


def test_mappings_give_dotted_names_and_lists_their_json(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "train: {lr: 1e-3, layers: [64, 32], on: true}\nx: .nan\n"
        "l: [{b: 1, a: .inf}, 2024-01-02, 'é']\ns: !!set {b, a}\n1: one\n"
    )
    read = read_params(tmp_path, ["p.yaml"])
    assert read.problems == ()
    assert read.params == {
        "train.lr": 0.001,
        "train.layers": "[64,32]",
        "train.on": True,
        "x": NonFinite("nan"),
        "l": '[{"a":{"nonfinite":"inf"},"b":1},"2024-01-02","é"]',
        "s": '["a","b"]',
        "1": "one",
    }


def test_env_files_are_read_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_OF", "leaked")
    (tmp_path / ".env").write_text(
        "# comment\nexport LR=0.1\nQUOTED='a b'\nOTHER=${HOME_OF}/x\nBARE\n"
        "AWS_SECRET_ACCESS_KEY=abc\n"
    )
    (tmp_path / "prod.env").write_text("MODE=prod\n")
    (tmp_path / ".env.local").write_text("LOCAL=1\n")
    read = read_params(tmp_path, [".env", "prod.env", ".env.local"])
    assert read.problems == ()
    assert read.params == {
        "LR": "0.1",
        "QUOTED": "a b",
        "OTHER": "${HOME_OF}/x",
        "BARE": None,
        "AWS_SECRET_ACCESS_KEY": REDACTED,
        "MODE": "prod",
        "LOCAL": "1",
    }


def test_python_constants_are_read_and_nothing_runs(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text(
        "import os\n"
        f"open({str(tmp_path / 'ran')!r}, 'w')\n"
        "__version__ = '1'\n"
        "LR = 1e-3\nSHIFT: int = -2\nSIZES = (1, 2)\nNAMES = ['a', 'b']\nNONE: str\n"
        "OPT = {'name': 'adam', 'betas': [0.9, 0.99], 'decay': {'rate': 1}}\n"
        "HOME = os.environ['HOME']\nTWICE = 1\nTWICE = 2\nLOST = 1\nLOST = len('x')\n"
        "ADDED = 1\nADDED += 1\nA = B = 'both'\nBIG = 10**9\nRAW = '\\d'\n"
        "def f():\n    INSIDE = 1\n"
    )
    read = read_params(tmp_path, ["config.py"])
    assert read.problems == ()
    assert read.params == {
        "LR": 0.001,
        "SHIFT": -2,
        "SIZES": "[1,2]",
        "NAMES": '["a","b"]',
        "OPT.name": "adam",
        "OPT.betas": "[0.9,0.99]",
        "OPT.decay.rate": 1,
        "TWICE": 2,
        "A": "both",
        "B": "both",
        "RAW": "\\d",
    }
    assert not (tmp_path / "ran").exists()


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("p.py", "x = (", "not Python"),
        ("p.py", "x = " + "-" * 100_000 + "1", "nested"),
        ("p.py", "x = " + "not " * 100_000 + "1", "nested"),
        ("p.py", "x = " + "1+" * 100_000 + "1", "nested"),
        ("p.py", "x = a" + ".b" * 100_000, "nested"),
        ("p.py", "x = " + "[" * 80 + "]" * 80, "64 levels"),
        ("p.py", "x = '\\ud800'", "surrogate"),
        ("p.py", "x = '" + "a" * 2_000_000 + "'", "1 MiB"),
        ("p.py", "x\0 = 1", ""),
        (".env", "A=1\n= = =\n", "line 2"),
        (".env", "A=1\nA=2\n", "twice"),
        ("p.yaml", "- 1", "not a mapping"),
        ("p.json", '{"a.b": 1, "a": {"b": 2}}', "twice"),
        ("p.ini", "[a]", "not a format"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(
    tmp_path: Path, name: str, content: str, part: str
) -> None:
    (tmp_path / name).write_text(content)
    read = read_params(tmp_path, [name])
    assert read.params == {}
    assert [one.source for one in read.problems] == [name]
    assert part in str(read.problems[0])


def test_missing_files_and_names_given_twice_are_problems(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("lr: 1\nn: 2")
    (tmp_path / "b.py").write_text("lr = 1")
    (tmp_path / "empty.yaml").write_text("")
    read = read_params(tmp_path, ["a.yaml", "b.py", "c.toml", "empty.yaml"])
    assert read.params == {"n": 2}
    assert [(one.source, one.problem) for one in read.problems] == [
        ("c.toml", "no such file"),
        ("b.py", "the name 'lr' is given by a.yaml as well"),
    ]


@pytest.mark.threat(38)
def test_secrets_are_redacted_at_every_depth(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(
        json.dumps(
            {
                "db": {"password": "hunter2", "url": "postgres://app:hunter2@db/x"},
                "users": [{"name": "a", "password": "hunter2"}, "postgres://app:hunter2@db"],
                "pin": {"secret": 12345},
                "max_tokens": 512,
            }
        )
    )
    read = read_params(tmp_path, ["p.json"])
    assert "hunter2" not in str(read)
    assert "12345" not in str(read)
    assert read.params["max_tokens"] == 512
    assert read.params["db.url"] == f"postgres://app:{REDACTED}@db/x"


@pytest.mark.threat(38)
def test_problems_do_not_repeat_secrets(tmp_path: Path) -> None:
    key = "AKIA" + "A" * 16
    (tmp_path / "p.yaml").write_text(f"{key}: 1\n{key}: 2\n")
    assert key not in str(read_params(tmp_path, ["p.yaml"]))


def test_a_set_reads_the_same_in_every_process(tmp_path: Path) -> None:
    assert constants(b"S = {'b', 'a', 'c'}")["S"] == {"a", "b", "c"}
    (tmp_path / "p.py").write_text("S = {'b', 'a', 'c'}")
    assert read_params(tmp_path, ["p.py"]).params == {"S": '["a","b","c"]'}


def test_the_working_tree_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text("A = 1")
    read_params(tmp_path, ["p.py"])
    assert list(tmp_path.iterdir()) == [tmp_path / "p.py"]
