"""Formats of models that are known by name and not read: said so, and never called the same.

Known by their first bytes where they have a sign, else by what they are called. Sources are the
schemas and the code of the programs that write them; only the sign and the name matter here.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from assent.core.inspection import Part
from assent.measure.models.reader import ModelSource, Reader

FORMAT = "unread"

_SIGNS: Final = (
    # Where the sign stands, the sign, the format. FlatBuffers have theirs behind the first offset.
    (4, b"ET12", "executorch"),
    (4, b"FT01", "executorch"),
    (0, b"\xba\x16\x4f\x2f", "fasttext"),
    (0, b"\x12\x01\0\0\0\0\0\0", "mxnet"),
    (0, b"\xac\xed\0\x05", "java"),
    (0, b"RKNN", "rknn"),
    (0, b"RDX", "r"),
    (0, b"MATLAB 5.0 MAT-file", "matlab"),
    (0, b"7767517\n", "ncnn"),
)
_SUFFIXES: Final = {
    ".pte": "executorch",
    ".ptd": "executorch",
    ".mil": "coreml",
    ".espresso.net": "coreml",
    ".pdmodel": "paddle",
    ".pdiparams": "paddle",
    ".pdparams": "paddle",
    ".pdopt": "paddle",
    ".nb": "paddle",
    ".pmml": "pmml",
    ".pfa": "pfa",
    ".pt2": "torch.export",
    ".ftz": "fasttext",
    ".spacy": "spacy",
    ".engine": "tensorrt",
    ".plan": "tensorrt",
    ".trt": "tensorrt",
    ".rknn": "rknn",
    ".mnn": "mnn",
    ".ncnn.param": "ncnn",
    ".ncnn.bin": "ncnn",
    ".om": "ascend",
    ".dlc": "snpe",
    ".hef": "hailo",
    ".caffemodel": "caffe",
    ".params": "mxnet",
    ".weights": "darknet",
    ".msgpack": "flax",
    ".orbax": "orbax",
    ".mojo": "h2o",
    ".pb": "tensorflow graph",
    ".pbtxt": "tensorflow graph",
    ".ort": "onnx runtime",
    ".rds": "r",
    ".rda": "r",
    ".rdata": "r",
    ".mat": "matlab",
    ".vw": "vowpal wabbit",
    ".llamafile": "llamafile",
}
_NAMES: Final = {
    "coremldata.bin": "coreml",
    "weight.bin": "coreml",
    "__model__": "paddle",
    "__params__": "paddle",
}
_TITLES: Final = {
    "executorch": "ExecuTorch",
    "coreml": "compiled or incomplete Core ML",
    "paddle": "PaddlePaddle",
    "pmml": "PMML",
    "pfa": "PFA",
    "torch.export": "torch.export",
    "fasttext": "fastText",
    "spacy": "spaCy",
    "tensorrt": "TensorRT",
    "rknn": "RKNN",
    "mnn": "MNN",
    "ascend": "Ascend's format",
    "snpe": "SNPE's format",
    "hailo": "Hailo's format",
    "caffe": "Caffe",
    "mxnet": "MXNet",
    "darknet": "Darknet",
    "flax": "Flax' msgpack",
    "orbax": "Orbax",
    "h2o": "H2O's MOJO",
    "tensorflow graph": "a graph of TensorFlow outside of a SavedModel",
    "onnx runtime": "ONNX Runtime's own format",
    "java": "Java's serialization",
    "r": "R's serialization",
    "matlab": "MATLAB's format",
    "vowpal wabbit": "Vowpal Wabbit",
    "llamafile": "llamafile",
}
_THINC: Final = re.compile(rb"[\x80-\x8f]\xa5(?:nodes|attrs)|[\x80-\x8f]\xa3(?:cfg|lex)")
"""How the msgpack of spaCy's pipes begins: a small mapping of which these are the first keys."""
_XML: Final = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?P<root>[\w:.-]+)[\s>]", re.DOTALL
)


def recognizes(source: ModelSource) -> bool:
    """By a sign in the first bytes, or by the name."""
    return _kind(source) is not None


def read(source: ModelSource) -> Part:
    """Which format it is, and that nobody reads it."""
    kind = _kind(source) or FORMAT
    return unread_part(source, kind)


def unread_part(source: ModelSource, kind: str) -> Part:
    """A file whose content is not looked at."""
    return Part(
        path=source.name,
        format=kind,
        size_bytes=source.size_bytes,
        not_read=f"{_TITLES.get(kind, kind)} is not read",
    )


def _kind(source: ModelSource) -> str | None:
    for at, sign, kind in _SIGNS:
        if source.head[at : at + len(sign)] == sign:
            return kind
    path = PurePosixPath(source.name)
    xml = _XML.match(source.head)
    if xml is not None:
        return {b"PMML": "pmml"}.get(xml["root"].rpartition(b":")[2])
    if not path.suffix and _THINC.match(source.head):
        return "spacy"
    return kind_of_name(source.name)


def kind_of_name(name: str) -> str | None:
    """The format that a file has by what it is called."""
    path = PurePosixPath(name)
    if path.name in _NAMES:
        return _NAMES[path.name]
    both = "".join(path.suffixes[-2:]).lower()
    return _SUFFIXES.get(both) or _SUFFIXES.get(path.suffix.lower())


READER = Reader(format=FORMAT, recognizes=recognizes, read=read)
