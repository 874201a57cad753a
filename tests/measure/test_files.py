from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assent import parsing
from assent.core.digest import digest_of
from assent.errors import OutsideError, UsageError
from assent.measure import files
from tests.effort import examples


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def found(root: Path, *patterns: str) -> list[str]:
    return [path.relative_to(root).as_posix() for path in files.expand(root, patterns)]


@contextmanager
def without_rights(root: Path) -> Iterator[None]:
    """As an account that may not read what it does not own: root reads everything."""
    if os.geteuid() != 0:
        yield
        return
    for folder in (root, *root.parents):
        if folder.stat().st_uid == 0 and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write(
        tmp_path,
        "train.py",
        "src/a.py",
        "src/.hidden",
        "src/deep/er/b.py",
        "src/__pycache__/a.pyc",
        ".git/config",
        ".assent/store/x",
        "data[1].csv",
        "src/deep/c.txt",
    )
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("train.py", ["train.py"]),
        ("src", ["src/.hidden", "src/a.py", "src/deep/c.txt", "src/deep/er/b.py"]),
        ("src/", ["src/.hidden", "src/a.py", "src/deep/c.txt", "src/deep/er/b.py"]),
        ("src/**", ["src/.hidden", "src/a.py", "src/deep/c.txt", "src/deep/er/b.py"]),
        ("src/*", ["src/.hidden", "src/a.py"]),
        ("src/*/", ["src/deep/c.txt", "src/deep/er/b.py"]),
        ("**/*.py", ["src/a.py", "src/deep/er/b.py", "train.py"]),
        ("src/**/**/b.py", ["src/deep/er/b.py"]),
        ("src/**/a.py", ["src/a.py"]),
        ("s?c/[ab].py", ["src/a.py"]),
        ("data[1].csv", ["data[1].csv"]),
        ("./src/a.py", ["src/a.py"]),
        (".git/**", []),
        (".assent", []),
        ("empty", []),
        ("nothing/*", []),
        ("missing.py", []),
    ],
)
def test_patterns(tree: Path, pattern: str, names: list[str]) -> None:
    assert found(tree, pattern) == names


def test_the_whole_tree_leaves_out_what_tools_write(tree: Path) -> None:
    assert found(tree, ".") == found(tree, "**")
    assert not [name for name in found(tree, "**") if ".git" in name or ".assent" in name]
    assert "data[1].csv" in found(tree, "**")


def test_patterns_together_are_sorted_and_each_file_comes_once(tree: Path) -> None:
    assert found(tree, "train.py", "src/*.py", "**/*.py", "src/a.py") == [
        "src/a.py",
        "src/deep/er/b.py",
        "train.py",
    ]


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../x", "src/../../x", "src/../**", "", "a\0b"])
def test_a_pattern_that_leaves_the_root_is_refused(tree: Path, pattern: str) -> None:
    with pytest.raises(UsageError):
        files.expand(tree, [pattern])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(60))
@given(st.lists(st.sampled_from(["**", "*", "src", "deep", "er", "b.py", "?*"]), min_size=1))
def test_patterns_agree_with_a_slow_and_simple_matcher(tree: Path, parts: list[str]) -> None:
    def fits(names: tuple[str, ...], rules: list[str]) -> bool:
        if not rules:
            return not names
        if rules[0] == "**":
            return fits(names, rules[1:]) or (bool(names) and fits(names[1:], rules))
        sound = bool(names) and (rules[0] in ("*", "?*") or rules[0] == names[0])
        return sound and fits(names[1:], rules[1:])

    everything = [Path(name) for name in found(tree, "**")]
    pattern = "/".join(parts)
    rules = parts + (["**"] if (tree / pattern).is_dir() else [])
    if rules[-1] == "**":
        rules.append("*")
    assert found(tree, pattern) == [
        path.as_posix() for path in everything if fits(path.parts, rules)
    ]


@pytest.mark.threat(39)
def test_a_pattern_of_many_stars_takes_no_time(tree: Path) -> None:
    write(tree, "/".join("a" * 40) + "/" + "a" * 200)
    assert found(tree, "**/a/" * 40 + "*a" * 60 + "b") == []


@pytest.mark.threat(39)
@pytest.mark.parametrize("pattern", ["link", "link/x", "link/*", "src/**", "**/x", "link/**/x"])
def test_a_link_that_leaves_the_root_is_refused(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, "outside/x", "root/src/y")
    root = tmp_path / "root"
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "src/link").symlink_to("../../outside/x")
    with pytest.raises(UsageError, match="outside"):
        files.expand(root, [pattern])


def test_a_link_that_no_pattern_matches_does_no_harm(tmp_path: Path) -> None:
    write(tmp_path, "m.json", "a/closed/x", "a/b/x.txt")
    for name in ("data", "a/b/data", "a/passwd"):
        (tmp_path / name).symlink_to("/etc/passwd" if name == "a/passwd" else "/etc")
    assert found(tmp_path, "*.json", "*", "a/*/*.txt") == ["a/b/x.txt", "m.json"]


def test_a_link_inside_the_root_is_followed(tmp_path: Path) -> None:
    write(tmp_path, "data/v1/x")
    (tmp_path / "data/now").symlink_to("v1")
    (tmp_path / "one").symlink_to("data/v1/x")
    assert found(tmp_path, "data/now") == ["data/now/x"]
    assert found(tmp_path, "**") == ["data/now/x", "data/v1/x", "one"]
    assert set(files.digests(tmp_path, files.expand(tmp_path, ["**"])).values()) == {
        digest_of(b"data/v1/x")
    }


def test_the_root_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a/x")
    (tmp_path / "link").symlink_to("a/x")
    monkeypatch.chdir(tmp_path)
    root = Path()
    assert list(files.digests(root, files.expand(root, ["**", "link"]))) == ["a/x", "link"]


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path, "real/a/x")
    (tmp_path / "root").symlink_to("real")
    root = tmp_path / "root"
    assert list(files.digests(root, files.expand(root, ["a/*"]))) == ["a/x"]


@pytest.mark.threat(39)
@pytest.mark.parametrize("links", [{"a/up": ".."}, {"a/b": "../c", "c/a": "../a"}])
def test_a_loop_of_links_is_refused(tmp_path: Path, links: dict[str, str]) -> None:
    write(tmp_path, "a/x", "c/y")
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    with pytest.raises(UsageError, match="leads back"):
        files.expand(tmp_path, ["a/**"])


def test_links_to_nothing_and_to_themselves_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "gone").symlink_to("nothing")
    assert found(tmp_path, "**", "self", "gone") == []


@pytest.mark.threat(39)
def test_a_pipe_and_a_socket_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    server.close()
    assert found(tmp_path, "**", "pipe") == []
    for name in ("pipe", "socket"):
        with pytest.raises(UsageError, match="not a file"):
            files.file_digest(tmp_path / name)


def test_digests_are_those_of_the_bytes_in_the_order_given(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "big").write_bytes(content)
    write(tmp_path, "a/small")
    seen: list[int] = []
    paths = [tmp_path / "big", Path("a/small")]
    digests = files.digests(tmp_path, paths, seen.append)
    assert list(digests.items()) == [
        ("big", digest_of(content)),
        ("a/small", digest_of(b"a/small")),
    ]
    assert sum(seen) == 3_000_007
    assert len(seen) > 4  # while reading, not at the end


def test_digests_refuses_what_expand_would_not_find(tmp_path: Path) -> None:
    write(tmp_path, "outside", "root/x")
    root = tmp_path / "root"
    (root / "link").symlink_to("../outside")
    for path in (root / "link", tmp_path / "outside"):
        with pytest.raises(UsageError):
            files.digests(root, [path])


def test_a_file_that_may_not_be_read_is_named_with_a_hint(tmp_path: Path) -> None:
    write(tmp_path, "secret")
    (tmp_path / "secret").chmod(0)
    with without_rights(tmp_path), pytest.raises(OutsideError) as caught:
        files.digests(tmp_path, [tmp_path / "secret"])
    assert str(caught.value) == f"reading {tmp_path / 'secret'}: Permission denied"
    assert caught.value.hint


def test_a_folder_that_may_not_be_read_is_not_skipped(tmp_path: Path) -> None:
    write(tmp_path, "src/closed/x")
    (tmp_path / "src/closed").chmod(0)
    with without_rights(tmp_path), pytest.raises(OutsideError, match="Permission denied"):
        files.expand(tmp_path, ["src/**"])
    (tmp_path / "src/closed").chmod(0o755)


def test_a_file_that_is_gone_is_an_outside_error(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="No such file"):
        files.file_digest(tmp_path / "gone")


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xff")).write_text("x")
    with pytest.raises(UsageError, match="not UTF-8"):
        files.digests(tmp_path, files.expand(tmp_path, ["*"]))
    _, problems = files.declared(tmp_path, ["*"])
    assert [problem.problem for problem in problems] == ["its name is not UTF-8"]


@pytest.mark.threat(39)
def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(UsageError, match="larger than 32 MiB"):
        files.read_small(tmp_path / "huge.json")
    (tmp_path / "fits").write_bytes(b"x" * parsing.MAX_BYTES)
    assert len(files.read_small(tmp_path / "fits")) == parsing.MAX_BYTES
