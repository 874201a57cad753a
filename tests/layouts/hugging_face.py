"""A fine-tune as Hugging Face's examples do it: `save_pretrained` and `trainer_state.json`."""

from __future__ import annotations

from tests.layouts.layout import Expected, Layout

TRAIN = """\
import csv

from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainingArguments,
)

CHECKPOINT = "words-base"
OUTPUT = "results"


def load(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def compute_metrics(right):
    return {"accuracy": sum(right) / len(right)}


def main():
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT)
    model = AutoModelForSequenceClassification.from_pretrained(CHECKPOINT, num_labels=2)
    args = TrainingArguments(output_dir=OUTPUT, num_train_epochs=1)
    trainer = Trainer(
        model=model,
        args=args,
        train_dataset=load("data/train.csv"),
        eval_dataset=load("data/test.csv"),
        compute_metrics=compute_metrics,
    )
    trainer.train()
    trainer.evaluate()
    trainer.save_state()
    model.save_pretrained("fine-tuned")
    tokenizer.save_pretrained("fine-tuned")


if __name__ == "__main__":
    main()
"""
TEXTS = "id,text,label\n1,good film,1\n2,bad film,0\n3,good good,1\n4,so bad,0\n"

LAYOUT = Layout(
    title="Hugging Face fine-tune, `save_pretrained` and `trainer_state.json`",
    files={
        ".gitignore": "results/\nfine-tuned/\n",
        "data/train.csv": TEXTS,
        "data/test.csv": TEXTS,
        "requirements.txt": "transformers\n",
        "train.py": TRAIN,
    },
    models={
        ("", "work"): Expected(
            train="python train.py",
            model="fine-tuned/",
            metrics=("results/trainer_state.json",),
            figures=("eval_accuracy", "eval_loss"),
            inputs=("train.py", "data/train.csv", "data/test.csv"),
            data={"train": "data/train.csv", "test": "data/test.csv"},
        )
    },
)
