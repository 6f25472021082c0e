"""ColumnTransformer: each of its transformers has some of the columns."""

from sklearn.compose import ColumnTransformer

from sklearn_hypergrad._sklearn import first_rows
from sklearn_hypergrad.transformers.base import transformer
from sklearn_hypergrad.transformers.parts import DROP, PASSTHROUGH, Part, PartsFamily

REST = "remainder"


class ColumnTransformerFamily(PartsFamily):
    """ColumnTransformer of scikit-learn.

    Parameters
    ----------
    estimator : ColumnTransformer
    """

    estimator_class = ColumnTransformer

    def __init__(self, estimator):
        steps = [(name, step) for name, step, _ in estimator.transformers]
        super().__init__([*steps, (REST, estimator.remainder)])

    def step(self, estimator, name):
        steps = {name: step for name, step, _ in estimator.transformers}
        return {**steps, REST: estimator.remainder}[name]

    def parts(self, estimator, X):
        chosen = [
            (name, step, columns(X) if callable(columns) else columns)
            for name, step, columns in estimator.transformers
        ]
        if estimator.remainder != DROP:
            chosen.append((REST, estimator.remainder, _others(chosen, X)))
        parts = [Part(*each) for each in chosen if each[1] != DROP]
        return [part for part in parts if part.given(X).shape[1:] != (0,)]

    def keeps_sparse(self, estimator, density):
        return density < estimator.sparse_threshold


def _others(chosen, X):
    """The columns that no transformer has been given, as scikit-learn finds them."""
    dropped = [(name, DROP, columns) for name, _, columns in chosen]
    names, *_, columns = zip(
        *ColumnTransformer(dropped, remainder=PASSTHROUGH).fit(first_rows(X)).transformers_,
        strict=True,
    )
    return columns[-1] if names[-1] == REST else []


@transformer.register
def _(estimator: ColumnTransformer):
    return ColumnTransformerFamily(estimator)
