"""`assent.lock`: the same bytes for the same bundles, and nothing read that was not meant."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assent.config.lock import FORMAT, MAX_BYTES, Locked, lock_text, read_lock
from assent.core.digest import digest_of
from assent.errors import UsageError

BUNDLE, INPUTS = digest_of(b"bundle"), digest_of(b"inputs")
LOCKED = Locked(bundle=BUNDLE, inputs=INPUTS, entry=57)
TEXT = lock_text({"churn": LOCKED}).decode()

names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)
digests = st.binary(max_size=4).map(digest_of)
locks = st.builds(Locked, bundle=digests, inputs=digests, entry=st.integers(0, 2**53 - 1))


@given(st.dictionaries(names, locks, max_size=5))
def test_what_is_written_is_read_again(models: dict[str, Locked]) -> None:
    text = lock_text(models)
    assert read_lock(text, "assent.lock") == models
    assert lock_text(dict(reversed(models.items()))) == text


@pytest.mark.parametrize("name", ["1", "on", "null", "1e3", "0x1f"])
def test_a_name_that_looks_like_something_else_stays_a_name(name: str) -> None:
    assert read_lock(lock_text({name: LOCKED}), "assent.lock") == {name: LOCKED}


def test_it_is_the_yaml_that_it_looks_like() -> None:
    value = {"bundle": BUNDLE, "inputs": INPUTS, "entry": 57}
    assert yaml.safe_load(TEXT) == {"format": FORMAT, "models": {"churn": value}}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (TEXT.replace("lock/1", "lock/2"), 2, "expected assent/lock/1; a newer Assent"),
        (TEXT.replace("format:", "formats:"), 2, "unknown key 'formats'"),
        (TEXT.replace(f"format: {FORMAT}\n", ""), 2, "`format` is missing"),
        (TEXT.replace("    inputs", "    input"), 6, "unknown key 'input'"),
        (TEXT.replace("    entry: 57\n", ""), 4, "`entry` is missing"),
        (TEXT.replace("entry: 57", "entry: -1"), 7, "the number of an entry"),
        (TEXT.replace("entry: 57", "entry: true"), 7, "the number of an entry"),
        (TEXT.replace("entry: 57", "entry: '57'"), 7, "the number of an entry"),
        (TEXT.replace(BUNDLE, BUNDLE[:-1]), 5, "64 hexadecimal digits"),
        (TEXT.replace(BUNDLE, BUNDLE.upper()), 5, "64 hexadecimal digits"),
        (TEXT.replace('"churn"', '"Churn/../x"'), 4, "is no name of a model"),
        (TEXT.replace('"churn"', "7"), 3, "is no name of a model"),
        (TEXT + '  "churn": {}\n', 8, "churn"),
        (f"format: {FORMAT}\nmodels: [a]\n", 2, "a mapping with models as keys"),
        ("[]\n", 1, "a mapping of format, models"),
        ("a: &a [*a]\n", 1, ""),
        ("", 1, ""),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_lock(text.encode(), "assent.lock")
    assert problem in str(caught.value)
    assert str(caught.value).startswith("reading assent.lock")
    if problem:
        assert f"line {line}" in str(caught.value)


@pytest.mark.threat(39)
def test_it_is_bounded() -> None:
    with pytest.raises(UsageError, match="larger than"):
        read_lock(b"#" * (MAX_BYTES + 1), "assent.lock")
    whole = lock_text({})
    assert read_lock(whole + b"#" * (MAX_BYTES - len(whole)), "assent.lock") == {}
    bomb = "a: &a [x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 20)}]\n" for n in range(8)
    )
    with pytest.raises(UsageError):
        read_lock(bomb.encode(), "assent.lock")
