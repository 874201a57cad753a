"""Real files with bytes changed at random: read, or a problem, and never an exception."""

from __future__ import annotations

import io
import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest

from tests.measure.models import test_coreml, test_openvino, test_tfjs, test_tflite
from tests.measure.models.looking import look_at

torch = pytest.importorskip("torch")
sio = pytest.importorskip("skops.io")


@pytest.fixture(scope="module")
def real() -> dict[str, bytes]:
    """A small file of each format."""
    from sklearn.ensemble import RandomForestClassifier

    data = np.random.default_rng(0).random((20, 3))
    forest = RandomForestClassifier(2, max_depth=2).fit(data, np.arange(20) % 2)
    net = torch.nn.Linear(2, 3)

    def written(write: Callable[[io.BytesIO], object]) -> bytes:
        buffer = io.BytesIO()
        write(buffer)
        return buffer.getvalue()

    objects = np.array([1, {}], dtype=object)
    old = {"_use_new_zipfile_serialization": False}
    return {
        "a.pkl": pickle.dumps(forest),
        "b.joblib": written(lambda file: joblib.dump(forest, file)),
        "c.joblib": written(lambda file: joblib.dump(forest, file, compress=3)),
        "d.pt": written(lambda file: torch.save(net, file)),
        "e.pt": written(lambda file: torch.save(net, file, **old)),
        "f.npz": written(lambda file: np.savez(file, a=np.zeros(3), o=objects)),
        "g.npy": written(lambda file: np.save(file, objects)),
        "h.skops": sio.dumps(forest),
        "i.tflite": test_tflite.model(),
        "j.mlmodel": test_coreml.program(
            test_coreml.constant("b", test_coreml.immediate(1.5, 2)),
            test_coreml.constant("w", test_coreml.blob(test_coreml.FLOAT32, 64, 4)),
        ),
        "k.xml": test_openvino.graph().encode(),
        "l.json": json.dumps(
            test_tfjs.description(test_tfjs.entry("k", test_tfjs.KERNEL), paths=["a.bin"])
        ).encode(),
    }


@pytest.mark.threat(39)
@pytest.mark.parametrize("seed", range(4))
def test_no_change_of_bytes_raises(tmp_path: Path, real: dict[str, bytes], seed: int) -> None:
    chance = random.Random(seed)
    for name, content in real.items():
        for _ in range(25):
            part = look_at(tmp_path, _mutated(content, chance), name)
            # What `inspect` says of an exception that a reader did not foresee.
            assert not (part.problem or "").startswith("it cannot be read (")


def _mutated(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5, 30])):
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0 | 1:
                changed[at] = chance.randrange(256)
            case 2:
                changed[at : at + 4] = bytes(chance.choice([0, 255]) for _ in range(4))
            case 3:
                other = chance.randrange(len(changed))
                changed[at : at + 8] = changed[other : other + 8]
    if chance.random() < 0.1:
        del changed[chance.randrange(len(changed)) :]
    return bytes(changed)
