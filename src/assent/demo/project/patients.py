"""The patients as numbers, as both training and evaluation see them."""

import csv
from pathlib import Path

import numpy as np
import yaml

PARAMS = yaml.safe_load(Path("params.yaml").read_text())
LAB = {"s1", "s2", "s3", "s4", "s5", "s6"}


def read(path):
    """Features, labels and ages. Blood tests that are skipped for the young count as average."""
    with Path(path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    ages = np.array([float(row["age"]) for row in rows])
    columns = []
    for name in PARAMS["features"]:
        column = np.array([float(row[name]) for row in rows])
        if name in LAB:
            column[ages < PARAMS["skip_blood_tests_below"]] = column.mean()
        columns.append(column)
    return np.column_stack(columns), np.array([int(row["fast"]) for row in rows]), ages
