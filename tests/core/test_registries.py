"""Names fit into the tags of a registry, or are refused before anything is written."""

from __future__ import annotations

import pytest

from assent.config.read import read_config
from assent.core.registries import too_long_for_tags
from assent.errors import UsageError
from assent.ports import Pointer
from assent.stores.oci import OciStore
from assent.stores.registry import Registry
from tests.builders import digest
from tests.stores.scripted import Asked, Reply, scripted

PLACE = {"Location": "/v2/team/models/blobs/uploads/1"}


def fits(model: str, stage: str) -> bool:
    """Whether a store takes the longest names that it makes of these."""

    def answer(asked: Asked) -> Reply:
        return Reply({"POST": 202, "PUT": 201}.get(asked.method, 404), PLACE)

    with scripted(answer) as one:
        store = OciStore(Registry(one.host, "team/models", lambda: None))
        try:
            for kind in ("inputs", "trained", "commits"):
                store.remember(f"{model}/{kind}/{'0' * 64}", digest("b1"))
            store.point(f"{model}/stages/{stage}", Pointer(seq=1, entry=digest("e1")))
            store.point(f"{model}/versions/1", Pointer(seq=1, entry=digest("e1")))
        except UsageError:
            return False
    return True


@pytest.mark.parametrize(
    ("model", "stage", "too_long"),
    [
        ("m" * 49, "s" * 69, False),
        ("m" * 50, "s", True),
        ("m" * 49, "s" * 70, True),
        ("m" * 9 + "-" * 20 + "m", "s", True),
        ("m" * 8 + "-" * 20 + "m", "s", False),
        ("m" * 18, "s" * 50 + "-" * 25, False),
        ("m" * 18, "s" * 51 + "-" * 25, True),
    ],
)
def test_what_is_said_to_fit_does(model: str, stage: str, too_long: bool) -> None:
    assert (too_long_for_tags(model) or too_long_for_tags(model, stage)) is too_long
    assert fits(model, stage) is not too_long
    text = (
        "store: {store}\nmodels:\n  " + model + ":\n    model: model/\n    metrics: [m.json]\n"
        "    gates: [{{metric: accuracy, min: 1}}]\n    stages:\n      " + stage + ": {{}}\n"
    )
    read_config(text.format(store=".assent/store").encode(), "assent.yaml")
    registry = text.format(store="oci://ghcr.io/acme/churn").encode()
    if not too_long:
        read_config(registry, "assent.yaml")
        return
    with pytest.raises(UsageError, match="too long for tags of a registry"):
        read_config(registry, "assent.yaml")
