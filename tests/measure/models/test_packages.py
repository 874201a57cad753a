"""Files of packages in a model's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.measure.models.reading import written


@pytest.mark.parametrize(
    ("name", "content", "versions"),
    [
        ("requirements.txt", "mlflow==2.14\nnumpy>=1\n", {"mlflow": "2.14"}),
        (
            "conda.yaml",
            "dependencies:\n- python=3.11.4\n- pip:\n  - scikit-learn==1.5.0\n",
            {"python": "3.11.4", "scikit-learn": "1.5.0"},
        ),
        (
            "python_env.yaml",
            "python: 3.11.4\nbuild_dependencies: [pip==24.0]\ndependencies: ['-r req.txt']\n",
            {"pip": "24.0", "python": "3.11.4"},
        ),
    ],
)
def test_what_serving_would_install(
    tmp_path: Path, name: str, content: str, versions: dict[str, str]
) -> None:
    part = written(tmp_path, name, content)
    assert (part.format, part.problem) == ("packages", None)
    assert part.versions == versions


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("conda.yaml", "dependencies: " + "[" * 100_000),
        ("conda.yaml", "a: 1"),
        ("conda.yaml", "dependencies: 5"),
        ("requirements.txt", b"\xff\xfe"),
        ("requirements.txt", "\n" * 300_000),
        ("uv.lock", "package = 3"),
        ("python_env.yaml", "- a"),
    ],
)
def test_hostile_files(tmp_path: Path, name: str, content: str | bytes) -> None:
    part = written(tmp_path, name, content)
    assert part.format == "packages"
    assert part.problem
    assert part.versions == {}


@pytest.mark.threat(39)
def test_nothing_is_included_from_outside(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("numpy==1\n")
    part = written(tmp_path, "requirements.txt", "-r other.txt\n-r /etc/passwd\nscipy==1\n")
    assert part.versions == {"scipy": "1"}


def test_where_packages_come_from_is_said_to_be_left_out(tmp_path: Path) -> None:
    part = written(tmp_path, "requirements.txt", "--index-url https://a.example\nscipy==1\n")
    assert "where packages come from" in (part.left_out or "")
