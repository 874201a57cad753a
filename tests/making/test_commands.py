"""Which files a command mentions."""

from __future__ import annotations

import pytest

from assent.making.commands import mentioned


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
    ],
)
def test_what_is_written_or_outside_does_not(command: str, name: str) -> None:
    assert name not in mentioned(command)
