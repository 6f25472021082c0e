"""Targets of networks: what y becomes, and the loss that goes with it."""

import dataclasses

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import check_classification_targets

from sklearn_hypergrad.losses import HalfSquaredError, LogisticLoss, MultinomialLoss

OUT_ACTIVATIONS = {
    HalfSquaredError: "identity",
    LogisticLoss: "logistic",
    MultinomialLoss: "softmax",
}


@dataclasses.dataclass(frozen=True)
class Targets:
    """What a network is trained for.

    Attributes
    ----------
    values : ndarray of shape (n_samples, n_outputs)
        Floats: numbers, or 0 and 1 for classes and labels.
    loss : object
        Of :mod:`sklearn_hypergrad.losses`.
    """

    values: np.ndarray
    loss: object

    @property
    def out_activation(self):
        """What takes raw outputs to predictions, as scikit-learn calls it."""
        return OUT_ACTIVATIONS[type(self.loss)]


def coded_numbers(y):
    """Targets of regression, for y of shape (n_samples,) or (n_samples, n_outputs)."""
    return Targets(y.reshape(len(y), -1).astype(float, copy=False), HalfSquaredError())


def coded_classes(y):
    """Targets of classification, and the fitted LabelBinarizer that decodes predictions.

    Raises
    ------
    ValueError
        If y has one class only, or is no class labels.
    """
    check_classification_targets(y)
    binarizer = LabelBinarizer().fit(y)
    if len(binarizer.classes_) == 1 and binarizer.y_type_ == "binary":
        raise ValueError(
            f"y has 1 class only, {binarizer.classes_[0]}, but a classifier needs at least 2 "
            "classes."
        )
    values = binarizer.transform(y).astype(float)
    if binarizer.y_type_ == "multiclass":
        return Targets(values, MultinomialLoss()), binarizer
    return Targets(values, LogisticLoss()), binarizer
