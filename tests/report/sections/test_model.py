"""What a reviewer sees of the model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from msgspec import UNSET

from assent.core.diff.model import (
    FieldChange,
    FileChange,
    ModelDiff,
    PartChange,
    SignatureChange,
    TensorChange,
    WeightChange,
)
from assent.core.diff.sameness import NotCompared
from assent.core.diff.values import ValueChange, Values
from assent.core.inspection import Danger, Field, Tensor
from assent.report.markdown import to_markdown
from assent.report.parts import Section, Table
from assent.report.review import ReviewReport
from assent.report.sections.model import MAX_WEIGHTS, model_section
from assent.report.sections.shapes import MAX_ROWS
from tests.report import nasty
from tests.report.rendered import page
from tests.report.samples import diff, review
from tests.report.sections.told import text


def section(**values: Any) -> Section:
    ordinary: dict[str, Any] = {
        "old_size_bytes": 1_000,
        "new_size_bytes": 2_000,
        "files": 1,
        "changes": (FileChange(path="model.ubj", old_size_bytes=1_000, new_size_bytes=2_000),),
        "is_inspected": True,
    }
    return model_section(ModelDiff(**{**ordinary, **values}))


def part(**values: Any) -> PartChange:
    ordinary: dict[str, Any] = {
        "path": "model.ubj",
        "old_format": "xgboost",
        "new_format": "xgboost",
        "is_changed": True,
    }
    return PartChange(**{**ordinary, **values})


def table(found: Section, title: str) -> Table:
    (one,) = [one for one in found.tables if one.title.startswith(title)]
    return one


def test_an_unchanged_model_is_one_line() -> None:
    found = section(old_size_bytes=10, new_size_bytes=10, changes=())
    assert text(found.summary) == "unchanged (1 file, 10 B)"
    assert (found.tables, found.notes) == ((), ())


def test_a_danger_is_said_of_an_unchanged_model_too() -> None:
    harmful = part(is_changed=False, dangers=(Danger(what="imports os.system"),))
    found = section(changes=(), parts=(harmful,))
    assert text(found.summary).endswith("1 danger")
    assert [one.title for one in found.tables] == ["Dangers"]


def test_dangers_and_imports_come_first() -> None:
    harmful = part(
        dangers=(Danger(what='custom code: Lambda "x"', detail="loading runs it"),),
        added_imports=("os.system",),
        removed_imports=("numpy.dtype",),
        imports=1,
    )
    found = section(parts=(harmful,))
    assert [one.title for one in found.tables[:2]] == [
        "Dangers",
        "Imported when the model is loaded",
    ]
    assert "loading runs it" in text(found.tables[0].rows[0])
    assert [text(row) for row in found.tables[1].rows] == [
        "os.system model.ubj new",
        "numpy.dtype model.ubj gone",
    ]
    assert not found.tables[1].is_folded
    assert "1 danger" in text(found.summary)


def test_what_is_inside() -> None:
    found = section(
        old_parameters=10,
        new_parameters=2_000,
        parts=(
            part(
                old_path="old.ubj",
                old_parameters=10,
                new_parameters=2_000,
                old_trees=3,
                new_trees=5,
                settings=Values(
                    changes=(
                        ValueChange(name="eta", old=0.1, new=0.2, move="up"),
                        ValueChange(name="depth", old=3, new="3", move="type"),
                    ),
                    same=7,
                ),
                versions=Values(
                    changes=(
                        ValueChange(
                            name="xgboost", old="2.0", new="1.7", move="down", matters=True
                        ),
                    )
                ),
                added_features=("age",),
                removed_features=("income",),
                are_features_reordered=True,
                unused=("noise", "age"),
                compression="zlib",
                code=("x.py",),
                problem="cut off",
            ),
        ),
    )
    assert "parameters 10 → 2,000" in text(found.summary)
    inside = text(table(found, "Inside the files").rows[0])
    for said in ("was old.ubj", "trees 3 5", "zlib", "x.py", "not read", "cut off"):
        assert said in inside
    shown = [text(row) for row in table(found, "Hyper-parameters").rows]
    assert shown == ["eta 0.1 0.2", 'depth 3 "3" (a number became text)']
    assert text(table(found, "Versions").rows[0]) == "xgboost 2.0 1.7 ▼ down"
    assert [text(row) for row in table(found, "Features").rows] == [
        "income model.ubj removed",
        "age model.ubj added",
        "all model.ubj in another order",
    ]
    (note,) = found.notes
    assert text(note).startswith("2 features have no weight and no split in model.ubj")


def test_the_signature_says_what_callers_notice() -> None:
    fields = (
        FieldChange(side="output", name="p", new=Field(name="p", type="double")),
        FieldChange(
            side="input",
            name="age",
            old=Field(name="age", type="double", shape=(None, 2)),
            new=Field(name="age", type="long", is_optional=True),
            is_breaking=True,
        ),
        FieldChange(side="input", name="x", old=Field(name="x"), new=Field(name="x")),
    )
    found = section(signature=SignatureChange(verdict="breaking", fields=fields))
    assert "signature breaking" in text(found.summary)
    rows = [text(row) for row in table(found, "Inputs and outputs: breaking").rows]
    assert "input age double [?, 2] → long optional" in rows[0]
    assert "output p added double" in rows[1]
    assert "at another place" in rows[2]


def test_tensors_and_weights() -> None:
    tensors = (
        TensorChange(name="new", new=Tensor(name="new", dtype="int8", shape=(2,))),
        TensorChange(
            name="other",
            old=Tensor(name="other", dtype="float32", shape=(2, 3)),
            new=Tensor(name="other", dtype="float16", shape=(2, 4)),
        ),
        TensorChange(name="gone", old=Tensor(name="gone", dtype="int8", shape=())),
    )
    weights = (
        WeightChange(name="little", distance=0.001, cosine=1.0),
        WeightChange(name="far", distance=0.5, cosine=0.9),
        WeightChange(name="broken", distance=None, cosine=None, nonfinite=3),
        WeightChange(name="still", distance=0.0, cosine=1.0),
    )
    found = section(
        parts=(part(tensors=tensors, same_tensors=7),), weights=weights, weights_compared=9
    )
    assert [text(row) for row in table(found, "Tensors: 3 differ").rows] == [
        "gone removed int8 []",
        "other float32 [2, 3] float16 [2, 4]",
        "new added int8 [2]",
    ]
    assert "7 of the same type and shape" in text(table(found, "Inside the files").rows)
    moved = table(found, "Weights that moved most (3 of 9 that were compared)")
    assert [text(row).split()[0] for row in moved.rows] == ["broken", "far", "little"]
    assert "3 values not finite" in text(moved.rows[0])
    assert text(moved.rows[1]) == "far 50.0% 0.9"


def test_what_was_not_compared_is_in_the_first_line_and_named_by_reason() -> None:
    unread = [
        NotCompared(name=f"blk.{number}", reason="values of the type q8_1 are not read")
        for number in range(12)
    ]
    trees = NotCompared(name="model.ubj", reason="not looked at: the values of its trees")
    found = section(parts=(part(same_tensors=12),), not_compared=(*unread, trees))
    assert "13 not compared" in text(found.summary)
    rows = table(found, "Not compared: 13").rows
    assert len(rows) == 2
    assert "blk.0" in text(rows[0])
    assert "2 others" in text(rows[0])
    assert "the values of its trees" in text(rows[1])
    whole = text(found)
    assert "unchanged" not in whole
    assert "as before" not in whole


def test_what_a_parameter_is_is_said() -> None:
    counted = part(
        old_parameters=10,
        new_parameters=12,
        counted="all values of its tensors, buffers included",
        integers=8,
    )
    inside = text(table(section(parts=(counted,)), "Inside the files").rows)
    assert "(all values of its tensors, buffers included; 8 of them whole numbers)" in inside


def test_a_file_that_is_not_read_says_so() -> None:
    unread = part(not_read="PMML is not read", notes=("it states 35 bytes",))
    inside = text(table(section(parts=(unread,)), "Inside the files").rows)
    assert "not read PMML is not read" in inside
    assert "odd it states 35 bytes" in inside


def test_without_a_baseline_everything_is_described() -> None:
    found = section(
        old_size_bytes=None,
        changes=(FileChange(path="model.ubj", old_size_bytes=UNSET, new_size_bytes=5),),
        new_parameters=5,
        parts=(
            part(
                old_format=None,
                new_parameters=5,
                added_features=("a",),
                added_imports=("numpy.dtype",),
                settings=Values(changes=(ValueChange(name="eta", new=0.1),)),
            ),
        ),
        signature=SignatureChange(verdict="unknown"),
    )
    assert text(found.summary) == "1 file, 2.0 kB ; 5 parameters"
    assert "signature" not in text(found.summary)
    imports = table(found, "Imported")
    assert imports.is_folded
    assert text(imports.rows[0]) == "numpy.dtype model.ubj imports"
    assert text(table(found, "Hyper-parameters").rows[0]) == "eta 0.1"


def test_a_hundred_thousand_tensors_make_few_rows() -> None:
    tensors = tuple(
        TensorChange(name=f"t{at}", new=Tensor(name=f"t{at}", dtype="int8", shape=(1,)))
        for at in range(100_000)
    )
    weights = tuple(
        WeightChange(name=f"t{at}", distance=at / 1e5, cosine=1.0) for at in range(100_000)
    )
    values = tuple(ValueChange(name=f"s{at}", old=0, new=1, move="up") for at in range(100_000))
    parts = (
        part(path="big", tensors=tensors, settings=Values(changes=values)),
        *(part(path=f"p{at}") for at in range(10_000)),
    )
    found = section(parts=parts, weights=weights, weights_compared=100_000)
    assert table(found, "Tensors: 100,000 differ").total == 100_000
    assert len(table(found, "Tensors").rows) == MAX_ROWS
    assert len(table(found, "Inside").rows) == MAX_ROWS
    assert len(table(found, "Hyper-parameters").rows) == MAX_ROWS
    assert table(found, "Hyper-parameters").total == 100_000
    assert len(table(found, "Weights").rows) == MAX_WEIGHTS


def named(name: str) -> ReviewReport:
    """A review in which everything of the model is called so."""
    hostile = part(
        path=name,
        old_path=name,
        old_format=name,
        dangers=(Danger(what=name, detail=name),),
        added_imports=(name,),
        added_features=(name,),
        unused=(name,),
        code=(name,),
        compression=name,
        problem=name,
        tensors=(TensorChange(name=name, new=Tensor(name=name, dtype=name, shape=(1,))),),
        settings=Values(changes=(ValueChange(name=name, new=name),)),
        versions=Values(changes=(ValueChange(name=name, new=name),)),
    )
    field = FieldChange(side="input", name=name, new=Field(name=name, type=name))
    return review(
        diff=diff(
            model_files=ModelDiff(
                old_size_bytes=1,
                new_size_bytes=2,
                files=1,
                changes=(FileChange(path=name, new_size_bytes=1),),
                parts=(hostile,),
                signature=SignatureChange(verdict="breaking", fields=(field,)),
                weights=(WeightChange(name=name, distance=1.0, cosine=None),),
            )
        )
    )


@pytest.mark.threat(33)
@given(nasty.texts)
def test_names_have_no_meaning(name: str) -> None:
    shown, ordinary = (page(to_markdown(named(one))) for one in (name, "x"))
    assert set(shown.names) <= set(ordinary.names) | {"code"}
    assert len(shown.rows) == len(ordinary.rows)
    assert [len(row) for row in shown.rows] == [len(row) for row in ordinary.rows]


def test_files_that_came_and_went_are_not_said_to_differ() -> None:
    changes = (
        FileChange(path="a", old_size_bytes=1, new_size_bytes=2),
        FileChange(path="b", new_size_bytes=2),
        FileChange(path="c", old_size_bytes=1),
    )
    assert text(section(files=2, changes=changes).summary).startswith(
        "2 files: 1 differs, 1 new, 1 missing;"
    )
    assert "2 files: 1 new;" in text(section(files=2, changes=changes[1:2]).summary)


def test_the_first_line_says_that_loading_imports_more() -> None:
    found = part(added_imports=("posix.system", "os.remove"))
    assert "2 new imports" in text(section(parts=(found,)).summary)
    assert "import" not in text(section(parts=(found,), old_size_bytes=None).summary)
