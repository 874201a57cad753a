"""Names of buckets in object stores, and of what lies in them."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec


class Service(StrEnum):
    """Whose protocol a bucket speaks, as its address begins."""

    S3 = "s3"
    GCS = "gs"
    AZURE = "az"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket and what all names in it begin with: `s3://bucket/prefix`."""

    service: Service
    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"{self.service}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


SCHEMES = tuple(f"{service}://" for service in Service)
FORM = "`s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`"

# The longest names are those of Google's buckets with dots; 1,024 bytes is the longest key of all.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,220}[A-Za-z0-9]")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=-]*")
_LONGEST_PREFIX = 500


def bucket_of(address: str) -> Address | None:
    """What an address names; None for what is no address of a bucket. A login in it is none."""
    scheme, _, rest = address.partition("://")
    if f"{scheme}://" not in SCHEMES:
        return None
    bucket, _, prefix = rest.removesuffix("/").partition("/")
    is_named = _BUCKET.fullmatch(bucket) and len(prefix) <= _LONGEST_PREFIX
    if not is_named or not all(map(_PART.fullmatch, prefix.split("/") if prefix else [])):
        return None
    return Address(service=Service(scheme), bucket=bucket, prefix=prefix)
