"""Names that loading a model may look up whoever wrote it: they rebuild state and do nothing else.

Each is harmless when it is called with any arguments, as long as what it is given is harmless
too: some call what they are given (`__generator_ctor`), which then is an import of its own. None
looks anything up by a text; a text that a call makes (`_codecs.encode` can) and that is used as a
name is a danger for the reader of pickles, whatever the gate allows. Exact names only: a package
holds functions that run programs, and nobody knows all of them.

Sources: what the libraries write (tests write it with them), PyTorch's own list for
`weights_only`, and the types that skops calls trusted.
"""

from __future__ import annotations

from typing import Final

_PYTHON = """
_codecs.encode
builtins.bool
builtins.bytearray
builtins.bytes
builtins.complex
builtins.dict
builtins.float
builtins.frozenset
builtins.int
builtins.list
builtins.object
builtins.range
builtins.set
builtins.slice
builtins.tuple
collections.Counter
collections.OrderedDict
collections.defaultdict
collections.deque
copyreg._reconstructor
"""

# NumPy 1 says numpy.core what NumPy 2 says numpy._core.
_NUMPY = """
numpy._core.multiarray._reconstruct
numpy._core.multiarray.scalar
numpy._core.numeric._frombuffer
numpy.bool
numpy.bool_
numpy.core.multiarray._reconstruct
numpy.core.multiarray.scalar
numpy.core.numeric._frombuffer
numpy.dtype
numpy.float16
numpy.float32
numpy.float64
numpy.int16
numpy.int32
numpy.int64
numpy.int8
numpy.ndarray
numpy.random._generator.Generator
numpy.random._mt19937.MT19937
numpy.random._pcg64.PCG64
numpy.random._pickle.__bit_generator_ctor
numpy.random._pickle.__generator_ctor
numpy.random._pickle.__randomstate_ctor
numpy.random.bit_generator.SeedSequence
numpy.random.bit_generator.__pyx_unpickle_SeedSequence
numpy.random.mtrand.RandomState
numpy.uint16
numpy.uint32
numpy.uint64
numpy.uint8
"""

_JOBLIB = """
joblib.numpy_pickle.NumpyArrayWrapper
"""

# Estimators are not here: that a model is a RandomForestClassifier is for a person to see once.
_SCIKIT_LEARN = """
sklearn._loss.link.IdentityLink
sklearn._loss.link.Interval
sklearn._loss.link.LogLink
sklearn._loss.link.LogitLink
sklearn._loss.link.MultinomialLogit
sklearn.ensemble._hist_gradient_boosting.binning._BinMapper
sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor
sklearn.tree._tree.Tree
sklearn.utils._bunch.Bunch
"""

_TORCH = """
torch.BFloat16Storage
torch.BoolStorage
torch.ByteStorage
torch.CharStorage
torch.ComplexDoubleStorage
torch.ComplexFloatStorage
torch.DoubleStorage
torch.FloatStorage
torch.HalfStorage
torch.IntStorage
torch.LongStorage
torch.QInt32Storage
torch.QInt8Storage
torch.QUInt8Storage
torch.ShortStorage
torch.Size
torch._tensor._rebuild_from_type_v2
torch._utils._rebuild_parameter
torch._utils._rebuild_parameter_with_state
torch._utils._rebuild_qtensor
torch._utils._rebuild_sparse_tensor
torch._utils._rebuild_tensor
torch._utils._rebuild_tensor_v2
torch._utils._rebuild_tensor_v3
torch.bfloat16
torch.bool
torch.complex128
torch.complex64
torch.device
torch.float16
torch.float32
torch.float64
torch.float8_e4m3fn
torch.float8_e4m3fnuz
torch.float8_e5m2
torch.float8_e5m2fnuz
torch.int16
torch.int32
torch.int64
torch.int8
torch.nn.parameter.Parameter
torch.per_channel_affine
torch.per_tensor_affine
torch.serialization._get_layout
torch.storage.UntypedStorage
torch.uint16
torch.uint32
torch.uint64
torch.uint8
"""

KNOWN: Final = frozenset(
    name for names in (_PYTHON, _NUMPY, _JOBLIB, _SCIKIT_LEARN, _TORCH) for name in names.split()
)
"""All of them."""
