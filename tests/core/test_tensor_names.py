"""Names of the same state under other words."""

from __future__ import annotations

import pytest

from assent.core.tensor_names import aligned

PLAIN = ["conv.weight", "conv.bias", "norm.weight"]


def under(word: str, names: list[str]) -> list[str]:
    return [f"{word}.{name}" for name in names]


@pytest.mark.parametrize("word", ["state_dict", "model", "module", "model.module"])
@pytest.mark.parametrize("more", [[], ["epoch.x", "optimizer.state.0.exp_avg"]])
def test_a_checkpoint_and_its_weights(word: str, more: list[str]) -> None:
    wrapped = under(word, PLAIN)
    assert aligned([*wrapped, *more], PLAIN) == dict(zip(wrapped, PLAIN, strict=True))
    assert aligned(PLAIN, [*wrapped, *more]) == dict(zip(PLAIN, wrapped, strict=True))


def test_two_checkpoints() -> None:
    old, new = under("state_dict", PLAIN), under("module", PLAIN)
    assert aligned(old, new) == dict(zip(old, new, strict=True))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (PLAIN, PLAIN),
        (PLAIN, [*PLAIN, "x.y"]),
        (under("a", PLAIN), [*under("b", PLAIN), "conv.weight", "a.conv.weight"]),
        (["a.weight"], ["b.weight"]),  # one name is no proof
        (["a.x.weight", "a.y.weight"], ["b.x.weight", "b.z.weight"]),
        ([], PLAIN),
        (["w", "b"], ["x", "y"]),
    ],
)
def test_what_would_be_a_guess(old: list[str], new: list[str]) -> None:
    assert aligned(old, new) == {}


def test_weights_that_are_shared_are_written_once_by_one_side() -> None:
    new = PLAIN[:2]
    assert aligned(under("state_dict", PLAIN), new) == {f"state_dict.{name}": name for name in new}
