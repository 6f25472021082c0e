"""PolynomialFeatures behind a step that is tuned: products of columns."""

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.preprocessing import PolynomialFeatures

from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    transformer,
)


class ProductFeatures(Features):
    """Products of columns, all of the same number of factors: the last ones may be 1.

    Parameters
    ----------
    powers : ndarray of int of shape (n_products, n_features)
        How often each column is a factor.
    """

    def __init__(self, powers):
        n_features, degree = powers.shape[1], powers.sum(axis=1).max()
        # The column behind the last one is that of ones.
        self._factors = np.full((degree, len(powers)), n_features)
        for number, row in enumerate(powers):
            found = np.repeat(np.arange(n_features), row)
            self._factors[: len(found), number] = found
        numbers = np.arange(len(powers))
        self._places = [
            csr_array((np.ones(len(powers)), (numbers, each)), (len(powers), n_features + 1))
            for each in self._factors
        ]

    def at(self, h, X):
        X = X.toarray() if issparse(X) else X
        columns = np.hstack([X, np.ones((len(X), 1))])
        factors = [columns[:, each] for each in self._factors]

        def pull(G, through):
            bar = np.zeros(columns.shape)
            for number, place in enumerate(self._places):
                others = factors[:number] + factors[number + 1 :]
                bar += np.prod([G, *others], axis=0) @ place
            return {}, bar[:, :-1]

        return Transformed(np.prod(factors, axis=0), pull)


class PolynomialFeaturesFamily(TransformerFamily):
    """PolynomialFeatures, which has no hyperparameters."""

    estimator_class = PolynomialFeatures

    def features(self, estimator, rows, entries, seed):
        return ProductFeatures(estimator.fit(rows.train).powers_)


@transformer.register
def _(estimator: PolynomialFeatures):
    return PolynomialFeaturesFamily()
