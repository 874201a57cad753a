"""The names that loading a model may look up."""

from __future__ import annotations

import re
import warnings
from importlib import import_module

import pytest

from assent.policy.gates.imports import KNOWN


@pytest.mark.threat(39)
def test_no_known_name_runs_or_finds_anything() -> None:
    """The list is small and exact: nothing that evaluates, opens, imports or looks up."""
    assert len(KNOWN) < 150
    for name in KNOWN:
        assert re.fullmatch(r"[A-Za-z_0-9]+(\.[A-Za-z_0-9]+)+", name)
    roots = {name.split(".")[0] for name in KNOWN}
    assert roots == {
        "_codecs",
        "builtins",
        "collections",
        "copyreg",
        "joblib",
        "numpy",
        "sklearn",
        "torch",
    }
    never = {
        "str",
        "type",
        "getattr",
        "setattr",
        "eval",
        "exec",
        "open",
        "map",
        "filter",
        "compile",
    }
    never |= {"vars", "dir", "globals", "locals", "iter", "next", "super", "property", "input"}
    assert not {f"builtins.{name}" for name in never | {"__import__"}} & KNOWN
    assert "torch.storage._load_from_bytes" not in KNOWN
    assert not [name for name in KNOWN if name.rsplit(".", 1)[-1].startswith("load")]


@pytest.mark.filterwarnings("ignore")
def test_every_known_name_is_one_that_the_libraries_have() -> None:
    for name in KNOWN:
        module, _, attribute = name.rpartition(".")
        pytest.importorskip(module.split(".")[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy.core has moved
            found = getattr(import_module(module), attribute)
        is_class_or_function = callable(found)
        is_constant = type(found).__module__ == "torch"  # torch.float32
        assert is_class_or_function or is_constant, name
