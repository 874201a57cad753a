"""Command lines: which script runs where, what is redirected, and what nobody can know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.setup.shell import Ran, commands, options, path_of, publishes, ran


def script_of(line: str) -> tuple[str | None, tuple[str, ...]] | None:
    for simple in commands(line):
        found = ran(simple)
        if found is not None:
            return found.script or f"-m {found.module}", found.arguments
    return None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python train.py", ("train.py", ())),
        ("python3.11 -u -W ignore train.py --lr 0.1", ("train.py", ("--lr", "0.1"))),
        ("CUDA_VISIBLE_DEVICES=0 python train.py", ("train.py", ())),
        ("env A=1 time python train.py", ("train.py", ())),
        ("uv run --extra gpu python train.py", ("train.py", ())),
        ("uv run train.py x", ("train.py", ("x",))),
        ("poetry run python -m churn.train -v", ("-m churn.train", ("-v",))),
        ("conda run -n env python train.py", ("train.py", ())),
        ("torchrun --nproc_per_node 2 train.py a", ("train.py", ("a",))),
        ("accelerate launch --mixed_precision fp16 train.py", ("train.py", ())),
        ("python -m torch.distributed.run --nnodes=1 train.py", ("train.py", ())),
        ("bash -e scripts/run.sh 1", ("scripts/run.sh", ("1",))),
        ("./train.py", ("./train.py", ())),
        ("Rscript fit.R", ("fit.R", ())),
        ("papermill in.ipynb out.ipynb", ("in.ipynb", ("out.ipynb",))),
        ("jupyter nbconvert --execute a.ipynb --to notebook", ("a.ipynb", ())),
        ("if true; then python train.py; fi", ("train.py", ())),
        ("python -c 'print(1)'", None),
        ("python - <<EOF", None),
        ("python -m pytest", ("-m pytest", ())),
        ("echo python train.py", None),
        ("uv pip install x", None),
        ("python 'open quote", None),
        ("", None),
    ],
)
def test_the_script_of_a_line(line: str, expected: object) -> None:
    assert script_of(line) == expected


def test_a_folder_is_followed_as_far_as_it_is_known() -> None:
    first, second, third = (
        one
        for one in commands("cd src && python a.py\npython b.py; cd $HOME; python c.py")
        if ran(one)
    )
    assert [path_of(one, "x") for one in (first, second, third)] == ["src/x", "src/x", None]
    assert path_of(first, "../../x") is None
    assert path_of(first, "/x") is None


def test_redirections_are_read() -> None:
    (simple,) = commands("python a.py <in.csv >out.json 2>>log.txt 2>&1 >/dev/null")
    assert simple.words == ("python", "a.py")
    assert simple.reads == ("in.csv",)
    assert simple.writes == ("out.json", "log.txt")


def test_a_line_goes_on_after_a_backslash() -> None:
    (simple,) = commands("python a.py \\\n   --b \\\n c")
    assert ran(simple) == Ran(script="a.py", arguments=("--b", "c"))


def test_options_are_read_by_name() -> None:
    named, rest = options(["in.csv", "--model-path=m.pkl", "-v", "--lr", "0.1", "a.b=c", "+x=1"])
    assert named == {"model_path": "m.pkl", "v": "true", "lr": "0.1", "a.b": "c", "x": "1"}
    assert rest == ["in.csv"]


@pytest.mark.parametrize(
    "line", ["cml comment create r.md", "git push", "dvc push", "aws s3 cp a s3://b", "a\ntwine x"]
)
def test_what_publishes_is_known(line: str) -> None:
    assert publishes(line)
    assert not publishes("python train.py --git push.csv")


@given(st.text(alphabet="ab./ -=$;&|<>()\"'\\\n{}", max_size=60))
def test_any_line_is_read_without_an_error(line: str) -> None:
    for simple in commands(line):
        assert simple.words
        ran(simple)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("export A=x.py\npython $A", "python x.py"),
        ("A=1 B=2\npython a.py --n=${A}$B", "python a.py --n=12"),
        ("export A=1\nexport A=$(date)\npython $A", "python $A"),
        ("python $A", "python known"),
        ("A=$A/x\npython $A", "python known/x"),
        ("python $UNKNOWN ${UNKNOWN}", "python $UNKNOWN ${UNKNOWN}"),
    ],
)
def test_variables_are_put_in_where_their_values_are_known(text: str, words: str) -> None:
    assert " ".join(commands(text, "", {"A": "known"})[-1].words) == words


def test_what_is_set_for_one_command_is_kept_with_it() -> None:
    (first, second) = commands("A=1 python a.py\npython $A")
    assert (first.sets, first.words) == (("A=1",), ("python", "a.py"))
    assert second.words == ("python", "$A")


def test_values_that_double_with_every_line_stay_small() -> None:
    text = "A=xxxxxxxxxx\n" + "A=$A$A$A$A\n" * 30 + f"python {'$A' * 5000}"
    assert len(" ".join(commands(text)[-1].words)) < 20_000
