"""Which files a command mentions."""

from __future__ import annotations

import pytest

from assent.making.commands import mentioned, mentions
from assent.measure.patterns import covers


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python fit.py --config=conf/a.yaml", "conf/a.yaml"),
        ("python fit.py data=raw,new", "new"),
        ("sh -c 'python fit.py'", "fit.py"),
        ("python 'fit.py", "fit.py"),
        ("python -m pkg.fit", "pkg/fit.py"),
        ("python -m pkg", "pkg/__main__.py"),
        ("python pkg", "pkg/__main__.py"),
        ("PYTHONPATH=src python -m pkg.fit", "src/pkg/fit.py"),
        ("cd 'my dir' && python fit.py", "my dir/fit.py"),
        ("cd a && cd b && python fit.py", "a/b/fit.py"),
        ("make -C sub train", "sub/Makefile"),
        ("just train", "justfile"),
        ("python ./a/../fit.py", "fit.py"),
        ("python -mpkg.fit", "pkg/fit.py"),
        ("DIR=a/b; python $DIR/fit.py -c $DIR/conf.yaml", "a/b/conf.yaml"),
        ("export DIR=a && python ${DIR}/fit.py", "a/fit.py"),
        ("env DIR='a' sh -c 'python \"$DIR/fit.py\"'", "a/fit.py"),
        ("A=a; B=$A/b; python $B/fit.py", "a/b/fit.py"),
        ("python ${DIR:-a}/fit.py", "a/fit.py"),
        ("python $PWD/fit.py", "fit.py"),
        ('python "$(pwd)/fit.py"', "fit.py"),
        ("for c in a b; do python fit.py conf/$c.yaml; done", "conf/b.yaml"),
        ("for c in conf/*.yaml; do python fit.py $c; done", "conf/*.yaml"),
        ("python fit.py conf/{a,b}.yaml", "conf/b.yaml"),
        ("python fit.py $(cat names.txt)", "names.txt"),
        ("cat a/*.py", "a/*.py"),
        ("uv run --directory=a python fit.py", "a/fit.py"),
        ("uv run --directory a python fit.py", "a/fit.py"),
        ("env -Ca python fit.py", "a/fit.py"),
        ("srun --chdir=a python fit.py", "a/fit.py"),
        ("pdm run -p a python fit.py", "a/fit.py"),
        ("PYTHONPATH=lib:src python -m pkg.fit", "src/pkg/fit.py"),
        # Read although it is written as well, or it is not certain which file is written.
        ("python fit.py --output a.csv && python show.py a.csv", "a.csv"),
        ("python fit.py --output fit.py", "fit.py"),
        ("python fit.py --output helper.py", "helper.py"),
        ("python fit.py --output-schema schema.json", "schema.json"),
        ("python fit.py --log-config logging.yaml", "logging.yaml"),
        ("python fit.py --hold-out data.csv", "data.csv"),
        ("python fit.py -o Global.model=a.yaml", "a.yaml"),
        ("papermill in.ipynb out.ipynb", "in.ipynb"),
        ("papermill in.ipynb in.ipynb", "in.ipynb"),
        ("papermill -f a.yaml in.ipynb out.ipynb", "a.yaml"),
    ],
)
def test_what_may_be_a_name_counts_as_one(command: str, name: str) -> None:
    assert name in mentioned(command)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python fit.py > fit.log", "fit.log"),
        ("python fit.py 2>&1 | tee -a fit.log", "fit.log"),
        ("python fit.py # see notes.md", "notes.md"),
        ("python /usr/share/fit.py", "/usr/share/fit.py"),
        ("python ../fit.py", "../fit.py"),
        ("", ""),
        ("python fit.py --log-file=logs/x.log", "logs/x.log"),
        ("python fit.py --log_file logs/x.log", "logs/x.log"),
        ("python fit.py trainer.log_file=logs/x.log", "logs/x.log"),
        ("LOG_FILE=x.log python fit.py", "x.log"),
        ("python fit.py --metrics-out=m.json", "m.json"),
        ("papermill -p a 1 --cwd nb nb/in.ipynb nb/out.ipynb -k python3", "nb/out.ipynb"),
        ("sh -c 'python fit.py > fit.log'", "fit.log"),
        ("D=logs; python fit.py > $D/fit.log", "logs/fit.log"),
        ("cd a && python fit.py > fit.log", "a/fit.log"),
        ("python fit.py --pattern '.*'", ".*"),
        ("jupyter nbconvert --execute --to notebook --output out.ipynb in.ipynb", "out.ipynb"),
    ],
)
def test_what_is_written_or_outside_does_not(command: str, name: str) -> None:
    assert name not in mentioned(command)


def test_an_unknown_variable_may_be_anything() -> None:
    named = mentioned("python $DIR/fit.py --config conf/${NAME}.yaml --seed $SEED")
    assert any(covers(one, "a/b/fit.py") for one in named)
    assert any(covers(one, "conf/a.yaml") for one in named)
    assert not any(covers(one, "README.md") for one in named)


def test_variables_of_the_environment() -> None:
    environ = {"DIR": "a", "OTHER": "b"}
    assert "a/fit.py" in mentioned("python $DIR/fit.py", environ)
    assert not any(covers(one, "b/fit.py") for one in mentioned("python $DIR/fit.py", environ))
    # What the command itself sets may hold, or may not.
    both = mentioned("[ -n $X ] && DIR=c; python $DIR/fit.py", environ)
    assert {"a/fit.py", "c/fit.py"} <= {*both}


def test_so_many_values_that_they_are_not_followed_are_a_glob() -> None:
    values = " ".join(f"v{n}" for n in range(300))
    named = mentioned(f"for a in {values}; do python conf/$a.py; done")
    assert any(covers(one, "conf/v299.py") for one in named)


@pytest.mark.parametrize(
    ("command", "written"),
    [
        ("python fit.py > fit.log", ("fit.log",)),
        ("cd a && python fit.py | tee -a fit.log", ("a/fit.log",)),
        ("cd a\npython fit.py > fit.log  # a comment\nls > b", ("a/fit.log", "a/b")),
        ("papermill in.ipynb out.ipynb", ("out.ipynb",)),
        ("python -m papermill in.ipynb out.ipynb && cat out.ipynb", ()),
        ("jupyter nbconvert --execute nb/in.ipynb", ("nb/in.html",)),
        (
            "jupyter nbconvert --to notebook --execute nb/in.ipynb --output-dir out",
            ("out/in.nbconvert.ipynb",),
        ),
        ("dvc add models/ && dvc push", ("models.dvc", ".gitignore")),
        ("python fit.py && dvc commit model.dvc -f", ("model.dvc", ".gitignore")),
        # Nobody can tell which file is meant.
        ("(cd a && ls); python fit.py > fit.log", ()),
        ("python a.py 'two\nlines' > data.csv", ()),
        ("cd a || cd b; python fit.py > data.csv", ()),
        ("(cd a; python fit.py > data.csv)", ()),
        ("cd $X && python fit.py > data.csv", ()),
        ("uv run --directory a fit.py --output data.csv", ()),
        ("docker run image fit.py --output data.csv", ()),
        ("python fit.py > $X.csv", ()),
        ("python fit.py > /tmp/data.csv", ()),
        ('python -c "if a > b: fit(c)"', ()),
    ],
)
def test_what_a_command_says_that_it_writes(command: str, written: tuple[str, ...]) -> None:
    assert mentions(command).written == written


@pytest.mark.parametrize(
    ("command", "rerun"),
    [
        ("jupyter nbconvert --to notebook --execute --inplace a.ipynb", ("a.ipynb",)),
        ("jupyter nbconvert --execute --to notebook --output a.ipynb a.ipynb", ("a.ipynb",)),
        ("jupyter nbconvert --execute --to notebook --output a b/a.ipynb", ("b/a.ipynb",)),
        ("jupyter execute --inplace a.ipynb", ("a.ipynb",)),
        ("papermill a.ipynb ./a.ipynb", ("a.ipynb",)),
        ("jupytext --execute a.ipynb", ("a.ipynb",)),
        ("cd nb && jupyter nbconvert --execute --inplace a.ipynb", ("nb/a.ipynb",)),
        ("bash -lc 'jupyter nbconvert --execute --inplace a.ipynb'", ("a.ipynb",)),
        ("jupyter nbconvert --clear-output --inplace a.ipynb", ()),
        ("jupyter nbconvert --execute a.ipynb", ()),
    ],
)
def test_notebooks_that_are_executed_in_place(command: str, rerun: tuple[str, ...]) -> None:
    assert mentions(command).rerun == rerun
