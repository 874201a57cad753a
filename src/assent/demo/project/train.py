"""Train the model of params.yaml and write it to model/."""

import json
from pathlib import Path

import joblib
from patients import PARAMS, read
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

features, labels, _ = read("data/train.csv")
model = make_pipeline(StandardScaler(), LogisticRegression(C=PARAMS["C"]))
model.fit(features, labels)
Path("model").mkdir(exist_ok=True)
joblib.dump(model, "model/model.joblib")
Path("model/features.json").write_text(json.dumps(PARAMS["features"]) + "\n")
print(f"trained on {len(labels)} patients with {len(PARAMS['features'])} features")
