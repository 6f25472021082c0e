"""RobustScaler behind a step that is tuned: medians and quantiles move with its rows."""

import numpy as np
from scipy.special import ndtri
from sklearn.preprocessing import RobustScaler

from sklearn_hypergrad.transformers.base import transformer
from sklearn_hypergrad.transformers.column_scaler import ScalerFamily, pull_quantile


class RobustScalerFamily(ScalerFamily):
    """RobustScaler, which has no hyperparameters."""

    estimator_class = RobustScaler

    def statistics(self, fitted, X):
        centre = fitted.center_ if fitted.with_centering else 0.0
        scale = fitted.scale_ if fitted.with_scaling else 1.0
        low, high = np.divide(fitted.quantile_range, 100)
        unit = ndtri(high) - ndtri(low) if fitted.unit_variance else 1.0

        def pull(of_centre, of_scale):
            X_bar = np.zeros(X.shape)
            if fitted.with_centering:
                X_bar += pull_quantile(X, 0.5, of_centre)
            if fitted.with_scaling:
                # Columns whose quantiles are one number are not scaled.
                width = np.ptp(np.quantile(X, [low, high], axis=0), axis=0)
                of_width = np.where(np.isclose(width, scale * unit), of_scale / unit, 0.0)
                X_bar += pull_quantile(X, high, of_width) - pull_quantile(X, low, of_width)
            return X_bar

        return centre, scale, pull


@transformer.register
def _(estimator: RobustScaler):
    return RobustScalerFamily()
