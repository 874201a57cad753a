"""Names of repositories in container registries (OCI distribution specification 1.1)."""

from __future__ import annotations

import re

SCHEME = "oci://"
PACKAGE = "assent"
"""What the repository of a store is called below that of a project: images have their own."""
MAX_TAG = 128
_LONGEST = (("_hint.trained.", "0" * 64), ("_pointer.", ""))
"""What stands around a model, and instead of a stage, in the longest tags that are made of them."""
_HOST = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*")


def repository_of(address: str) -> tuple[str, str] | None:
    """Host and name of `oci://host/name`; None for what is no such address."""
    host, _, name = address.removeprefix(SCHEME).partition("/")
    is_one = address.startswith(SCHEME) and _HOST.fullmatch(host) and _NAME.fullmatch(name)
    return (host.lower(), name) if is_one else None


def store_in(host: str, name: str) -> str:
    """The address of a repository that is called like another; empty where none can be."""
    address = f"{SCHEME}{host}/{name.lower()}"
    return "" if repository_of(address) is None else address


def too_long_for_tags(model: str, stage: str = "") -> bool:
    """Whether a tag that is made of these names is longer than registries take. What is `-` in a
    name is `--` there.
    """
    lengths = (
        len(prefix) + _in_tag(model) + len("-") + _in_tag(label or stage)
        for prefix, label in _LONGEST
    )
    return max(lengths) > MAX_TAG


def _in_tag(name: str) -> int:
    return len(name) + name.count("-")
