"""Which calls of which libraries read and write files, and where they take the path from."""

from __future__ import annotations

import msgspec

from assent.setup.seen import Kind


class Call(msgspec.Struct, frozen=True):
    """The place of the path among the arguments (-1: it is what the method is called on), the names
    it may be given by, and what is written; None if only its name says that. `content` is the place
    of what is written.
    """

    place: int
    names: tuple[str, ...] = ()
    kind: Kind | None = None
    content: int = 0


_F = ("path", "filename", "file", "f", "fp", "filepath", "path_or_buf", "fname")

WRITES: dict[str, Call] = {
    "joblib.dump": Call(1, _F, "model"),
    "sklearn.externals.joblib.dump": Call(1, _F, "model"),
    "pickle.dump": Call(1, _F, "model"),
    "cPickle.dump": Call(1, _F, "model"),
    "cloudpickle.dump": Call(1, _F, "model"),
    "dill.dump": Call(1, _F, "model"),
    "skops.io.dump": Call(1, _F, "model"),
    "torch.save": Call(1, _F, "model"),
    "torch.jit.save": Call(1, _F, "model"),
    "torch.onnx.export": Call(2, _F, "model"),
    "onnx.save": Call(1, _F, "model"),
    "onnx.save_model": Call(1, _F, "model"),
    "tensorflow.saved_model.save": Call(1, ("export_dir",), "model"),
    "keras.models.save_model": Call(1, _F, "model"),
    "tensorflow.keras.models.save_model": Call(1, _F, "model"),
    "safetensors.torch.save_file": Call(1, _F, "model"),
    "safetensors.torch.save_model": Call(1, _F, "model"),
    "safetensors.numpy.save_file": Call(1, _F, "model"),
    "json.dump": Call(1, _F),
    "yaml.dump": Call(1, ("stream",)),
    "yaml.safe_dump": Call(1, ("stream",)),
    "toml.dump": Call(1, _F),
    "numpy.save": Call(0, _F, content=1),
    "numpy.savez": Call(0, _F, content=1),
    "numpy.savez_compressed": Call(0, _F, content=1),
    "numpy.savetxt": Call(0, _F, content=1),
    "matplotlib.pyplot.savefig": Call(0, _F, "plots"),
    "shutil.make_archive": Call(0, ("base_name",)),
}
"""By full name."""

METHODS: dict[str, Call] = {
    "save_pretrained": Call(0, ("save_directory",), "model"),
    "save_model": Call(0, ("output_dir", "fname", "filename", "path"), "model"),
    "save_weights": Call(0, ("filepath",), "model"),
    "save_checkpoint": Call(0, ("filepath",), "model"),
    "to_disk": Call(0, ("path",), "model"),
    "save": Call(0, ("filepath", "path", "fp")),
    "export": Call(0, ("filepath", "path")),
    "to_csv": Call(0, _F, content=-1),
    "to_parquet": Call(0, ("path",), content=-1),
    "to_json": Call(0, _F, content=-1),
    "to_excel": Call(0, ("excel_writer",), content=-1),
    "to_pickle": Call(0, ("path",), content=-1),
    "to_feather": Call(0, ("path",), content=-1),
    "write_csv": Call(0, ("file",), content=-1),
    "write_parquet": Call(0, ("file",), content=-1),
    "savefig": Call(0, ("fname",), "plots"),
    "write_image": Call(0, ("file",), "plots"),
    "write_text": Call(-1),
    "write_bytes": Call(-1),
}
"""By the name of the method, whatever it is called on."""

READS: dict[str, Call] = {
    **{
        f"{library}.read_{kind}": Call(0, ("filepath_or_buffer", "path", "source", "io"), "data")
        for library in ("pandas", "polars", "dask.dataframe", "pyarrow.parquet", "geopandas")
        for kind in (
            *("csv", "parquet", "json", "excel", "feather", "pickle", "table", "ndjson", "xml"),
            *("hdf", "orc", "fwf", "file"),
        )
    },
    "numpy.load": Call(0, ("file",), "data"),
    "numpy.loadtxt": Call(0, ("fname",), "data"),
    "numpy.genfromtxt": Call(0, ("fname",), "data"),
    "datasets.load_from_disk": Call(0, ("dataset_path",), "data"),
    "joblib.load": Call(0, _F),
    "torch.load": Call(0, _F),
    "skops.io.load": Call(0, _F),
    "os.listdir": Call(0, ("path",), "data"),
    "os.scandir": Call(0, ("path",), "data"),
    "os.walk": Call(0, ("top",), "data"),
    "glob.glob": Call(0, ("pathname",), "data"),
    "torchvision.datasets.ImageFolder": Call(0, ("root",), "data"),
    "sqlite3.connect": Call(0, ("database",), "data"),
    "duckdb.connect": Call(0, ("database",), "data"),
    "keras.models.load_model": Call(0, _F, "model"),
    "tensorflow.keras.models.load_model": Call(0, _F, "model"),
}
READ_METHODS: dict[str, Call] = {
    "read_text": Call(-1),
    "read_bytes": Call(-1),
    "from_pretrained": Call(0, ("pretrained_model_name_or_path",), "model"),
    "load_model": Call(0, ("fname", "path", "filepath", "model_uri"), "model"),
    "load_weights": Call(0, ("filepath",), "model"),
    "load_from_checkpoint": Call(0, ("checkpoint_path",), "model"),
    "flow_from_directory": Call(0, ("directory",), "data"),
    "glob": Call(-1, (), "data"),
    "rglob": Call(-1, (), "data"),
    "iterdir": Call(-1, (), "data"),
}
TRAINER_ARGUMENTS = frozenset(
    """
    TrainingArguments Seq2SeqTrainingArguments SFTConfig DPOConfig TrainingArgs
    SentenceTransformerTrainingArguments
    """.split()
)
"""What holds `output_dir` for a trainer of Hugging Face."""
