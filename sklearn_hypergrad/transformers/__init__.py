"""Transformers whose hyperparameters are tuned through the model behind them.

Each file describes one class and registers it. Third parties register transformers of their own
with ``@transformer.register``.
"""

from sklearn_hypergrad.transformers import nystroem, rbf_sampler, standard_scaler
from sklearn_hypergrad.transformers.base import (
    Features,
    Rows,
    Transformed,
    TransformerFamily,
    transformer,
)
from sklearn_hypergrad.transformers.sequence import SequenceFamily

__all__ = [
    "Features",
    "Rows",
    "SequenceFamily",
    "Transformed",
    "TransformerFamily",
    "nystroem",
    "rbf_sampler",
    "standard_scaler",
    "transformer",
]
