"""Stands in for the trainer of Hugging Face: what it leaves on the disk, after no training."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass
class TrainingArguments:
    """Where a trainer leaves its files."""

    output_dir: str
    num_train_epochs: float = 1.0


class Tokenizer:
    """Words as they are."""

    @classmethod
    def from_pretrained(cls, name):
        return cls()

    def save_pretrained(self, folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "tokenizer_config.json").write_text("{}")


class Model:
    """Two words and their weights."""

    def __init__(self):
        self.weights = {"good": 0.0, "bad": 0.0}

    @classmethod
    def from_pretrained(cls, name, num_labels=2):
        return cls()

    def save_pretrained(self, folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "config.json").write_text('{"model_type": "words"}')
        (Path(folder) / "weights.json").write_text(json.dumps(self.weights))


AutoTokenizer = Tokenizer
AutoModelForSequenceClassification = Model


class Trainer:
    """Counts, and keeps a history as the real one does."""

    def __init__(self, model, args, train_dataset, eval_dataset, compute_metrics):
        self.model, self.args = model, args
        self.train_dataset, self.eval_dataset = train_dataset, eval_dataset
        self.compute_metrics = compute_metrics
        self.history = []

    def train(self):
        for row in self.train_dataset:
            for word in row["text"].split():
                if word in self.model.weights:
                    self.model.weights[word] += 1 if row["label"] == "1" else -1
        self.history.append({"epoch": 1.0, "step": 1, "loss": 0.5})

    def evaluate(self):
        right = [
            int(sum(self.model.weights.get(word, 0) for word in row["text"].split()) > 0)
            == int(row["label"])
            for row in self.eval_dataset
        ]
        found = {f"eval_{name}": value for name, value in self.compute_metrics(right).items()}
        found["eval_loss"] = 1 - sum(right) / len(right)
        self.history.append({"epoch": 1.0, "step": 1, **found})
        return found

    def save_state(self):
        folder = Path(self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        state = {"epoch": 1.0, "global_step": 1, "log_history": self.history}
        (folder / "trainer_state.json").write_text(json.dumps(state))
