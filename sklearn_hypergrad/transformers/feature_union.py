"""FeatureUnion: all of its transformers have all columns."""

from sklearn.pipeline import FeatureUnion

from sklearn_hypergrad.transformers.base import transformer
from sklearn_hypergrad.transformers.parts import DROP, Part, PartsFamily


class FeatureUnionFamily(PartsFamily):
    """FeatureUnion of scikit-learn.

    Parameters
    ----------
    estimator : FeatureUnion
    """

    estimator_class = FeatureUnion

    def __init__(self, estimator):
        super().__init__(estimator.transformer_list)

    def step(self, estimator, name):
        return dict(estimator.transformer_list)[name]

    def parts(self, estimator, X):
        return [Part(name, step) for name, step in estimator.transformer_list if step != DROP]


@transformer.register
def _(estimator: FeatureUnion):
    return FeatureUnionFamily(estimator)
