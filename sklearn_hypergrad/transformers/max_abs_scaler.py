"""MaxAbsScaler behind a step that is tuned: the entry of the largest size moves with its rows."""

import numpy as np
from sklearn.preprocessing import MaxAbsScaler

from sklearn_hypergrad.transformers.base import transformer
from sklearn_hypergrad.transformers.column_scaler import ScalerFamily, pull_quantile


class MaxAbsScalerFamily(ScalerFamily):
    """MaxAbsScaler, which has no hyperparameters."""

    estimator_class = MaxAbsScaler

    def statistics(self, fitted, X):
        def pull(of_centre, of_scale):
            return np.sign(X) * pull_quantile(np.abs(X), 1, of_scale)

        return 0.0, fitted.scale_, pull


@transformer.register
def _(estimator: MaxAbsScaler):
    return MaxAbsScalerFamily()
