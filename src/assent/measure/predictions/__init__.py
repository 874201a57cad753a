"""Predictions: from the team's file to compact Parquet, and from that to columns in memory."""

from __future__ import annotations

from assent.measure.predictions.loading import load_predictions
from assent.measure.predictions.reading import read_predictions

__all__ = ["load_predictions", "read_predictions"]
