"""Names of repositories in container registries (OCI distribution specification 1.1)."""

from __future__ import annotations

import re

SCHEME = "oci://"
PACKAGE = "assent"
"""What the repository of a store is called below that of a project: images have their own."""
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
