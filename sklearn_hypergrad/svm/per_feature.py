"""What support vector machines with a gamma for each feature share."""

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad._sklearn import DocumentedMixin
from sklearn_hypergrad.by_feature.gamma import gamma_array, is_per_feature, scaled_columns


class PerFeatureMixin(DocumentedMixin):
    """A machine whose columns are multiplied before libsvm sees them, if gamma is no number."""

    def _dense_fit(self, X, *args, **kwargs):
        super()._dense_fit(self._begun(X), *args, **kwargs)

    def _sparse_fit(self, X, *args, **kwargs):
        super()._sparse_fit(self._begun(X), *args, **kwargs)

    def _begun(self, X):
        """Training rows as libsvm is to see them."""
        if not is_per_feature(self.gamma):
            return X
        self._gamma = 1.0
        return self._scaled(X)

    def _validate_for_predict(self, X):
        X = super()._validate_for_predict(X)
        return self._scaled(X) if is_per_feature(self.gamma) else X

    def _scaled(self, X):
        scaled = scaled_columns(self.kernel, X, gamma_array(self, X.shape[1]))
        if not issparse(scaled):
            return np.ascontiguousarray(scaled)
        scaled.sort_indices()
        return scaled
