"""Nothing but a notebook."""

from __future__ import annotations

import json

from tests.layouts.layout import LEARN, ROWS, Edit, Expected, Layout

CELLS = (
    "%matplotlib inline\nimport pickle\n\nfrom learn import accuracy, fit, rows",
    'table = rows("../data/customers.csv")\nmodel = fit(table)',
    'acc = accuracy(model, table)\nprint("Accuracy:", acc)',
    'with open("../model.pkl", "wb") as file:\n    pickle.dump(model, file)',
)


def notebook(cells: tuple[str, ...]) -> str:
    """A notebook of code cells, a line of source on each line of the file."""
    return json.dumps(
        {
            "cells": [
                {
                    "cell_type": "code",
                    "execution_count": None,
                    "metadata": {},
                    "outputs": [],
                    "source": cell.splitlines(keepends=True),
                }
                for cell in cells
            ],
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
    )


LAYOUT = Layout(
    title="A notebook alone, figures only printed",
    files={
        ".gitignore": "*.pkl\n",
        "README.md": "# Churn\n",
        "requirements.txt": "nbconvert\n",
        "data/customers.csv": ROWS,
        "notebooks/churn_model.ipynb": notebook(CELLS),
        "notebooks/learn.py": LEARN,
    },
    edits=(
        Edit(
            "notebooks/churn_model.ipynb",
            '"acc = accuracy(model, table)\\n",',
            (
                '    "import json\\n",',
                '    "json.dump({\\"accuracy\\": acc}, open(\\"../metrics.json\\", \\"w\\"))\\n",',
            ),
        ),
    ),
    models={
        ("", "work"): Expected(
            train="jupyter nbconvert --to notebook --execute --output-dir .assent/notebooks "
            "notebooks/churn_model.ipynb",
            model="model.pkl",
            metrics=("metrics.json",),
            figures=("accuracy",),
            inputs=("notebooks/churn_model.ipynb", "notebooks/learn.py", "data/customers.csv"),
            data={"customers": "data/customers.csv"},
        )
    },
)
