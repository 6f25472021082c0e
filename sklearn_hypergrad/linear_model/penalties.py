"""Penalties given as arrays: values, shapes, and the way back to scikit-learn's estimators."""

import copy
import numbers
from collections.abc import Mapping

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklearn_hypergrad._sklearn import DocumentedMixin


def is_number(penalty):
    """Whether one number penalises all coefficients, as in scikit-learn."""
    return isinstance(penalty, numbers.Real) or (
        isinstance(penalty, np.ndarray) and penalty.ndim == 0
    )


def by_name(name, penalty, model, shape):
    """A dict from feature names to penalties as an array; anything else as it is.

    A penalty is a number, or an array of one for each target or class.

    ``model`` has just seen the features. The key None stands for all that the dict does not name.

    Returns
    -------
    penalty : ndarray of ``shape``, or (n_outputs, n_features) from arrays, or as given

    Raises
    ------
    ValueError
        If the features have no names, or one has no penalty.
    """
    if not isinstance(penalty, Mapping):
        return penalty
    features = getattr(model, "feature_names_in_", None)
    if features is None:
        raise ValueError(
            f"{name} is a dict from feature names, but X has none. Pass a data frame; in a "
            "pipeline call set_output(transform='pandas')."
        )
    missing = [] if None in penalty else [f for f in features if f not in penalty]
    if missing:
        raise ValueError(
            f"{name} has no penalty for the feature {missing[0]!r}. Name it, or give one for all "
            "others with the key None."
        )
    values = np.broadcast_arrays(*(penalty.get(f, penalty.get(None)) for f in features))
    values = np.stack(values, axis=-1)
    return values.reshape(shape) if values.ndim == 1 else values


def penalty_array(name, penalty, legal, data):
    """The parameter ``name`` as an array of floats from 0 to infinity.

    Parameters
    ----------
    name : str
    penalty : array-like
    legal : dict
        What the numbers are for, by the shapes that the array may have.
    data : str
        What these shapes follow from, for the message.

    Raises
    ------
    ValueError
        If a number is negative or nan, or the shape is none of ``legal``.
    """
    values = check_array(
        penalty,
        dtype=np.float64,
        ensure_2d=False,
        allow_nd=True,
        ensure_all_finite=False,
        ensure_min_samples=0,
        ensure_min_features=0,
        input_name=name,
    )
    if values.shape not in legal:
        shapes = ", ".join(f"{shape} for one {meaning}" for shape, meaning in legal.items())
        raise ValueError(
            f"{name} has shape {values.shape}, but with {data} it must be a number or of shape "
            f"{shapes}."
        )
    wrong = np.argwhere(~(values >= 0))
    if len(wrong):
        position = tuple(wrong[0])
        raise ValueError(
            f"{name}[{', '.join(map(str, position))}] is {values[position]}, but penalties must "
            "not be negative or nan."
        )
    return values


def alpha_array(alpha, n_targets, n_features):
    """``alpha`` of ridge regression as an array.

    Returns
    -------
    values : ndarray of shape (n_targets, 1), (1, n_features) or (n_targets, n_features)
    """
    # One per target comes last: where shapes coincide so do the meanings, but for the name.
    legal = {
        (1, n_features): "per feature",
        (n_targets, n_features): "per coefficient",
        (n_targets,): "per target",
        (1,): "for all",
    }
    if n_targets == 1:
        legal = {(n_features,): "per feature", (1, n_features): "per feature", (1,): "per target"}
    data = f"{n_targets} target(s) and {n_features} feature(s)"
    values = penalty_array("alpha", alpha, legal, data)
    if values.shape in ((n_targets,), (1,)):
        return values[:, None]
    return values.reshape(-1, n_features)


def c_array(C, n_classes, n_features):
    """``C`` of logistic regression as an array.

    Returns
    -------
    values : ndarray of shape (1, n_features) or (n_classes, n_features)
    """
    coefficients = (1 if n_classes <= 2 else n_classes, n_features)
    legal = {(n_features,): "per feature", coefficients: "per coefficient"}
    data = f"{n_classes} class(es) and {n_features} feature(s)"
    return penalty_array("C", C, legal, data).reshape(-1, n_features)


class DeployMixin(DocumentedMixin):
    """Estimators that extend one of scikit-learn by vectors as a penalty.

    Subclasses set ``_plain_class``, the estimator that they extend, and ``_penalty_name``, the
    parameter that may be a vector.
    """

    def to_sklearn(self):
        """The fitted model as an estimator of scikit-learn, which needs this package no longer.

        It has the same fitted attributes, copied, and hence the same predictions. Its parameters
        are the same too, but for a penalty that is an array: that is replaced by 1.0. Fitting it
        again therefore gives another model.

        Returns
        -------
        estimator : estimator of sklearn.linear_model
            Fitted, of the class of the same name.

        Raises
        ------
        NotFittedError
            If this estimator is not fitted.
        """
        check_is_fitted(self)
        penalty = getattr(self, self._penalty_name)
        plain = clone(self._plain(penalty if is_number(penalty) else 1.0))
        for name, value in vars(self).items():
            if name.endswith("_") or name == "_label_binarizer":
                setattr(plain, name, copy.deepcopy(value))
        return plain

    def _plain(self, penalty):
        """Scikit-learn's estimator with the same parameters, but for the penalty."""
        params = self.get_params(deep=False)
        return self._plain_class(**{**params, self._penalty_name: penalty})
