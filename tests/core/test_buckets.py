"""What is the address of a bucket."""

from __future__ import annotations

import pytest

from assent.core.buckets import Address, Service, bucket_of


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("s3://models", Address(service=Service.S3, bucket="models")),
        ("s3://models/", Address(service=Service.S3, bucket="models")),
        ("s3://models/team/x/", Address(service=Service.S3, bucket="models", prefix="team/x")),
        ("gs://a.b_c/x=1", Address(service=Service.GCS, bucket="a.b_c", prefix="x=1")),
        ("az://models/a-b", Address(service=Service.AZURE, bucket="models", prefix="a-b")),
    ],
)
def test_an_address_names_a_bucket_and_a_prefix(address: str, found: Address) -> None:
    assert bucket_of(address) == found
    assert bucket_of(str(found)) == found


@pytest.mark.parametrize(
    "address",
    [
        *("s3://", "s3:///x", "s3://m", "s3:/models", "S3://models", "https://models/x"),
        *(
            "s3://models//x",
            "s3://models/../x",
            "s3://models/./x",
            "s3://models/.x",
            "s3://models/a b",
        ),
        *(
            "s3://key:secret@models/x",
            "s3://models/x?region=eu",
            "s3://models/x#y",
            "s3://mod\nels",
        ),
        "s3://models/" + "x" * 501,
        "oci://ghcr.io/acme/models",
        "../store",
    ],
)
def test_what_is_no_address_names_nothing(address: str) -> None:
    assert bucket_of(address) is None
