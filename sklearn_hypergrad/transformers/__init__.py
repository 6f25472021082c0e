"""Transformers whose hyperparameters are tuned through the model behind them.

Each file describes one class and registers it. Third parties register transformers of their own
with ``@transformer.register``.
"""

from sklearn_hypergrad.transformers import (
    column_transformer,
    differentiable,
    feature_union,
    nystroem,
    rbf_sampler,
    sequence,
    standard_scaler,
    target_encoder,
)
from sklearn_hypergrad.transformers.base import (
    Features,
    Rows,
    Transformed,
    TransformerFamily,
    transformer,
)

__all__ = [
    "Features",
    "Rows",
    "Transformed",
    "TransformerFamily",
    "column_transformer",
    "differentiable",
    "feature_union",
    "nystroem",
    "rbf_sampler",
    "sequence",
    "standard_scaler",
    "target_encoder",
    "transformer",
]
