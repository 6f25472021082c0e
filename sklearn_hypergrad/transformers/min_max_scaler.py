"""MinMaxScaler behind a step that is tuned: the smallest and largest entries move with its rows."""

from sklearn.preprocessing import MinMaxScaler

from sklearn_hypergrad.transformers.base import transformer
from sklearn_hypergrad.transformers.column_scaler import ScalerFamily, pull_quantile


class MinMaxScalerFamily(ScalerFamily):
    """MinMaxScaler, which has no hyperparameters."""

    estimator_class = MinMaxScaler

    def statistics(self, fitted, X):
        low, high = fitted.feature_range
        # The scale of constant columns is a constant.
        moves = fitted.data_range_ * fitted.scale_ / (high - low) > 0.5

        def pull(of_centre, of_scale):
            of_range = moves * of_scale / (high - low)
            least = pull_quantile(X, 0, of_centre - of_range)
            return least + pull_quantile(X, 1, of_range)

        return fitted.data_min_, 1 / fitted.scale_, pull

    def is_clipped(self, fitted, left):
        low, high = fitted.feature_range
        return (left <= low) | (left >= high)


@transformer.register
def _(estimator: MinMaxScaler):
    return MinMaxScalerFamily()
