"""Packages of lock files, requirements and conda environments."""

from __future__ import annotations

import pytest

from assent.measure.lockfiles import MAX_INCLUDED, normalised, pins, reader_of
from assent.parsing import ParseError

UV = """\
version = 1
[[package]]
name = "numpy"
version = "2.0.1"
source = { registry = "https://pypi.example/simple" }
[[package]]
name = "app"
source = { virtual = "." }
[[package]]
name = "torch"
version = "2.3.0+cpu"
[[package]]
name = "torch"
version = "2.3.0"
"""
EXPLICIT = """\
# platform: linux-64
@EXPLICIT
https://conda.anaconda.org/conda-forge/linux-64/python-3.11.9-hb806964_0_cpython.conda#ac68acfa
https://conda.anaconda.org/conda-forge/noarch/scikit-learn-1.5.0-py311_1.tar.bz2
"""
CONDA_LOCK = """\
version: 1
package:
- {name: numpy, version: 1.26.4, manager: conda, platform: linux-64}
- {name: numpy, version: 1.26.4, manager: conda, platform: osx-arm64}
- {name: requests, version: 2.31.0, manager: pip, platform: linux-64}
"""
PYLOCK = '[[packages]]\nname = "attrs"\nversion = "25.1.0"\n[[packages]]\nname = "local"\n'
PIPFILE = '{"default": {"numpy": {"version": "==2.0"}, "x": {"git": "https://y"}}, "develop": {}}'
HASHED = """\
numpy==2.0.1 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb  # via pandas
pandas[parquet]==2.2.2 ; python_version >= "3.9" and sys_platform != 'win32'
six == 1.16.0
ranged>=1.0,<2
starred==1.*
(odd)
"""
FREEZE = """\
alpha==1.0
-e git+https://user:secret@github.com/acme/beta.git@abc123#egg=beta
gamma @ git+https://github.com/acme/gamma@v2
delta @ file:///tmp/x/delta-3.1-py3-none-any.whl#sha256=00
"""


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("uv.lock", UV, {"numpy": "2.0.1", "torch": "2.3.0+cpu, 2.3.0"}),
        ("poetry.lock", UV, {"numpy": "2.0.1", "torch": "2.3.0+cpu, 2.3.0"}),
        ("pylock.toml", PYLOCK, {"attrs": "25.1.0"}),
        ("pylock.dev.toml", PYLOCK, {"attrs": "25.1.0"}),
        ("Pipfile.lock", PIPFILE, {"numpy": "2.0"}),
        ("conda-lock.yml", CONDA_LOCK, {"numpy": "1.26.4", "requests": "2.31.0"}),
        ("conda-linux-64.lock", EXPLICIT, {"python": "3.11.9", "scikit-learn": "1.5.0"}),
        ("requirements.txt", HASHED, {"numpy": "2.0.1", "pandas": "2.2.2", "six": "1.16.0"}),
        ("environment.yaml", "dependencies: [python==3.11, a=1=b]", {"a": "1", "python": "3.11"}),
        ("notes.txt", "numpy==1", {}),
    ],
)
def test_files(name: str, content: str, expected: dict[str, str]) -> None:
    assert pins(name, content.encode()) == expected


def test_what_is_installed_from_an_address_names_the_address_without_its_secret() -> None:
    found = pins("requirements.txt", FREEZE.encode())
    assert found["alpha"] == "1.0"
    assert found["delta"] == "3.1"
    assert found["gamma"] == "git+https://github.com/acme/gamma@v2"
    assert "acme/beta.git@abc123" in found["beta"]
    assert "secret" not in found["beta"]


def test_included_files() -> None:
    files = {"base.txt": b"a==1\n-r more/b.txt", "more/b.txt": b"b==2\n--requirement base.txt"}
    content = b"-r base.txt\n-c constraints.txt\n--requirement=gone.txt\nc==3"
    assert pins("requirements.txt", content, files.get) == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.threat(39)
def test_files_that_include_each_other_have_an_end() -> None:
    asked: list[str] = []

    def endless(name: str) -> bytes:
        asked.append(name)
        return b"".join(b"-r %d.txt\n" % (len(asked) * 1000 + at) for at in range(10))

    assert pins("requirements.txt", b"-r 1.txt", endless) == {}
    assert len(asked) <= MAX_INCLUDED


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("uv.lock", b"[[package"),
        ("uv.lock", b"package = 3"),
        ("uv.lock", b"[[package]]\nversion = '1'"),
        ("Pipfile.lock", b"[]"),
        ("Pipfile.lock", b"[" * 100_000),
        ("conda-lock.yml", b"package: 5"),
        ("requirements.txt", b"\xff"),
        ("environment.yml", b"a: &a [*a]"),
    ],
)
def test_other_files_are_refused(name: str, content: bytes) -> None:
    with pytest.raises(ParseError):
        pins(name, content)


@pytest.mark.threat(39)
def test_long_lines_take_no_more_than_their_length() -> None:
    for line in (
        "a" * 2_000_000,
        "a==" * 500_000,
        "a[" * 500_000,
        "# " * 500_000,
        "\\\n" * 100_000,
    ):
        assert isinstance(pins("requirements.txt", line.encode()), dict)


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("model/requirements.txt", True),
        ("requirements-dev.txt", True),
        ("REQUIREMENTS.TXT", True),
        ("constraints.txt", True),
        ("conda.yaml", True),
        ("python_env.yaml", True),
        ("labels.txt", False),
        ("config.yaml", False),
    ],
)
def test_names(name: str, is_known: bool) -> None:
    assert (reader_of(name) is not None) is is_known


def test_names_are_compared_as_pip_does() -> None:
    assert normalised("Scikit__Learn.x") == "scikit-learn-x"
