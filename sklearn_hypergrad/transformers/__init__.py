"""Transformers whose hyperparameters are tuned through the model behind them.

Each file describes one class and registers it. Third parties register transformers of their own
with ``@transformer.register``.
"""

from sklearn_hypergrad.transformers import (
    additive_chi2_sampler,
    column_transformer,
    differentiable,
    feature_union,
    kernel_pca,
    max_abs_scaler,
    min_max_scaler,
    normalizer,
    nystroem,
    polynomial_count_sketch,
    polynomial_features,
    rbf_sampler,
    robust_scaler,
    sequence,
    skewed_chi2_sampler,
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
    "additive_chi2_sampler",
    "column_transformer",
    "differentiable",
    "feature_union",
    "kernel_pca",
    "max_abs_scaler",
    "min_max_scaler",
    "normalizer",
    "nystroem",
    "polynomial_count_sketch",
    "polynomial_features",
    "rbf_sampler",
    "robust_scaler",
    "sequence",
    "skewed_chi2_sampler",
    "standard_scaler",
    "target_encoder",
    "transformer",
]
