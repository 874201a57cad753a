"""A data set against an earlier state of it, row by row.

Both sides are joined by the key with a hash of all other columns; only rows whose hashes differ
are read again, to say in which columns.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assent.core.profile import RowChanges
from assent.errors import UsageError
from assent.measure import engine
from assent.measure.profiles.overlap import relation_of, shared
from assent.measure.profiles.reading import Table, connect, require_columns

MAX_COLUMNS = 200
"""Columns in which changed rows are counted at once."""


def row_changes(old: Table, new: Table, *, name: str, key: Sequence[str]) -> RowChanges:
    """What was added, removed and changed between `old` and `new`, by `key`.

    Rows are compared in the columns that both have. A null in a key is a value like any other, and
    equals a null; so does it in the other columns. Rows whose key is there more than once on a
    side cannot be paired: they, and those of the same key on the other side, are `repeated_keys`.
    Raises `UsageError` without a key, or where a side has not all of its columns.
    """
    doing = f"comparing the rows of {name}"
    if not key:
        raise UsageError(doing, "it has no key", hint=f"set data.{name}.key to a column")
    for table in (old, new):
        if table.rows or table.columns:
            require_columns(table, key, "part of the key")
    if old.rows == 0 or new.rows == 0:
        return _of_one_side(old, new, name, key, doing)
    left, right = shared(old, new)
    with tempfile.TemporaryDirectory(prefix="assent-") as folder:
        connection = connect(doing, Path(folder), (old, new))
        try:
            with engine.explained(doing):
                sides = _Sides(connection, (old, new), (left, right), tuple(dict.fromkeys(key)))
                return sides.changes(name)
        finally:
            connection.close()


def _of_one_side(old: Table, new: Table, name: str, key: Sequence[str], doing: str) -> RowChanges:
    """The changes where a side has no rows."""
    full = old if old.rows else new
    repeated = 0
    if full.rows:
        keys = ", ".join(map(engine.name, key))
        with engine.explained(doing):
            ((repeated,),) = full.connection.execute(
                "SELECT coalesce(sum(n), 0)::BIGINT FROM (SELECT count(*) AS n "
                f"FROM {full.relation} GROUP BY {keys} HAVING n > 1)"
            ).fetchall()
    return RowChanges(
        data=name,
        key=tuple(key),
        added=new.rows - repeated if new.rows else 0,
        removed=old.rows - repeated if old.rows else 0,
        repeated_keys=repeated,
    )


class _Sides:
    """Both states in one connection: `old_rows` and `new_rows`, keys `k0`…, others `c0`…"""

    def __init__(
        self,
        connection: Any,
        tables: tuple[Table, Table],
        shared_columns: tuple[dict[str, str], dict[str, str]],
        key: tuple[str, ...],
    ) -> None:
        self.connection = connection
        self.tables = tables
        self.key = key
        self.columns = [column for column in shared_columns[0] if column not in key]
        self.keys = [f"k{place}" for place in range(len(key))]
        for side, table, other, expressions in zip(
            ("old_rows", "new_rows"), tables, tables[::-1], shared_columns, strict=True
        ):
            listed = [f"{expressions[name]} AS k{place}" for place, name in enumerate(key)]
            listed += [
                f"{expressions[name]} AS c{place}" for place, name in enumerate(self.columns)
            ]
            relation = relation_of(table, other)
            connection.execute(
                f"CREATE TEMP VIEW {side} AS SELECT {', '.join(listed)} FROM {relation}"
            )

    def changes(self, name: str) -> RowChanges:
        repeated = 0
        pairs, added, removed, changed = self._join("old_rows", "new_rows")
        rows = self.tables[0].rows, self.tables[1].rows
        # Each row has found at most one partner if pairs and single rows add up on both sides;
        # then a key can only be there twice among the single ones.
        if (pairs + removed, pairs + added) != rows or self._single_keys_repeat():
            repeated = self._set_repeated_apart()
            pairs, added, removed, changed = self._join("old_single", "new_single")
        return RowChanges(
            data=name,
            key=self.key,
            added=added,
            removed=removed,
            changed=changed,
            same=pairs - changed,
            repeated_keys=repeated,
            columns=self._changed_columns() if changed else (),
        )

    def _join(self, old: str, new: str) -> tuple[int, int, int, int]:
        """Pairs, rows of one side only, and changed pairs; the table `differing` has the keys of
        the last three.
        """
        keys, both = ", ".join(self.keys), self._equal("o", "n")
        rest = ", ".join(f"c{place}" for place in range(len(self.columns)))
        hashed = f"hash({rest})" if rest else "0::UBIGINT"
        self.connection.execute("DROP TABLE IF EXISTS differing")
        self.connection.execute("DROP TABLE IF EXISTS found")
        record = ", ".join(f"{key} := coalesce(o.{key}, n.{key})" for key in self.keys)
        self.connection.execute(
            f"CREATE TEMP TABLE found AS SELECT "
            "count(*) FILTER (o.there AND n.there) AS pairs, "
            "count(*) FILTER (o.there IS NULL) AS added, "
            "count(*) FILTER (n.there IS NULL) AS removed, "
            "count(*) FILTER (o.h <> n.h) AS changed, "
            f"list(struct_pack({record}, side := CASE WHEN o.there IS NULL THEN 1 "
            "WHEN n.there IS NULL THEN -1 ELSE 0 END)) "
            "FILTER (o.h IS DISTINCT FROM n.h) AS keys "
            f"FROM (SELECT {keys}, {hashed} AS h, true AS there FROM {old}) o "
            f"FULL JOIN (SELECT {keys}, {hashed} AS h, true AS there FROM {new}) n ON {both}"
        )
        self.connection.execute(
            "CREATE TEMP TABLE differing AS "
            f"SELECT {', '.join(f'keys.{key} AS {key}' for key in [*self.keys, 'side'])} "
            "FROM (SELECT unnest(keys) AS keys FROM found)"
        )
        counted: tuple[int, int, int, int] = self.connection.execute(
            "SELECT pairs, added, removed, changed FROM found"
        ).fetchone()
        return counted

    def _equal(self, one: str, other: str) -> str:
        return " AND ".join(f"{one}.{key} IS NOT DISTINCT FROM {other}.{key}" for key in self.keys)

    def _single_keys_repeat(self) -> bool:
        keys = ", ".join(self.keys)
        query = f"SELECT 1 FROM differing GROUP BY side, {keys} HAVING count(*) > 1 LIMIT 1"
        return self.connection.execute(query).fetchone() is not None

    def _set_repeated_apart(self) -> int:
        """Leave rows of repeated keys out of `old_single` and `new_single`; count them."""
        keys = ", ".join(self.keys)
        several = " UNION ".join(
            f"(SELECT {keys} FROM {side} GROUP BY {keys} HAVING count(*) > 1)"
            for side in ("old_rows", "new_rows")
        )
        self.connection.execute(f"CREATE TEMP TABLE repeated AS {several}")
        total = 0
        for side, single in (("old_rows", "old_single"), ("new_rows", "new_single")):
            match = f"(SELECT 1 FROM repeated r WHERE {self._equal('s', 'r')})"
            (count,) = self.connection.execute(
                f"SELECT count(*) FROM {side} s WHERE EXISTS {match}"
            ).fetchone()
            total += count
            self.connection.execute(
                f"CREATE TEMP VIEW {single} AS SELECT * FROM {side} s WHERE NOT EXISTS {match}"
            )
        return total

    def _changed_columns(self) -> tuple[tuple[str, int], ...]:
        """The columns that differ, with the number of rows, the most first."""
        found: dict[str, int] = {}
        self.connection.execute(
            f"CREATE TEMP TABLE changed AS SELECT {', '.join(self.keys)} FROM differing "
            "WHERE side = 0"
        )
        for start in range(0, len(self.columns), MAX_COLUMNS):
            places = range(start, min(start + MAX_COLUMNS, len(self.columns)))
            counts = ", ".join(f"count(*) FILTER (o.c{i} IS DISTINCT FROM n.c{i})" for i in places)
            listed = ", ".join([f"s.{key}" for key in self.keys] + [f"s.c{i}" for i in places])
            match = f"SEMI JOIN changed d ON {self._equal('s', 'd')}"
            row = self.connection.execute(
                f"SELECT {counts} FROM (SELECT {listed} FROM old_rows s {match}) o "
                f"JOIN (SELECT {listed} FROM new_rows s {match}) n ON {self._equal('o', 'n')}"
            ).fetchone()
            found |= {self.columns[i]: row[i - start] for i in places}
        ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple((column, count) for column, count in ordered if count)
