"""StandardScaler behind a step that is tuned: means and deviations move with its rows."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad.transformers.base import transformer
from sklearn_hypergrad.transformers.column_scaler import ScalerFamily


class StandardScalerFamily(ScalerFamily):
    """StandardScaler, which has no hyperparameters."""

    estimator_class = StandardScaler

    # Of n rows x_i with deviation s, dm = sum dx_i / n and ds = sum (x_i - m) dx_i / (s n).
    def statistics(self, fitted, X):
        centre = fitted.mean_ if fitted.with_mean else 0.0
        scale = fitted.scale_ if fitted.with_std else 1.0

        def pull(of_centre, of_scale):
            X_bar = np.zeros(X.shape)
            if fitted.with_mean:
                X_bar += of_centre / len(X)
            if fitted.with_std:
                # Constant columns are not scaled.
                about = (X - X.mean(axis=0)) * (fitted.var_ > 0)
                X_bar += about * of_scale / (scale * len(X))
            return X_bar

        return centre, scale, pull


@transformer.register
def _(estimator: StandardScaler):
    return StandardScalerFamily()
