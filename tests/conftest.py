import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

LOADERS = {
    "diabetes": load_diabetes,
    "breast_cancer": load_breast_cancer,
    "wine": load_wine,
    "digits": load_digits,
}


@pytest.fixture(scope="session")
def data():
    """``data(name)``: a data set of scikit-learn, scaled to unit variance."""

    def load(name):
        X, y = LOADERS[name](return_X_y=True)
        return (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-9), y

    return load
