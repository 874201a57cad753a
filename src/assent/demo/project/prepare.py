"""Write data/train.csv and data/test.csv: 442 patients of the diabetes data of scikit-learn.

Source: Efron, Hastie, Johnstone, Tibshirani, "Least Angle Regression", Annals of Statistics 2004.
The question: will the disease progress fast (a score above 140 one year later)?
"""

import csv
from pathlib import Path

from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

data = load_diabetes(scaled=False)
rows = [
    [number, *(f"{value:g}" for value in features), int(target > 140)]
    for number, (features, target) in enumerate(zip(data.data, data.target, strict=True))
]
train, test = train_test_split(
    rows, test_size=0.4, random_state=7, stratify=[row[-1] for row in rows]
)
Path("data").mkdir(exist_ok=True)
for name, part in (("train", train), ("test", test)):
    with Path(f"data/{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *data.feature_names, "fast"])
        writer.writerows(sorted(part))
