"""The two models whose penalty is tuned, alone and behind a StandardScaler."""

import dataclasses

from sklearn import linear_model as sklearn_models
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import linear_model


@dataclasses.dataclass(frozen=True)
class Model:
    """A model, and what it is tuned for.

    Attributes
    ----------
    name : str
    key : str
        The parameter that is tuned.
    plain : estimator
        As scikit-learn has it.
    vector : estimator
        The same model with a penalty per feature.
    exact : estimator
        The same model again, trained until nothing changes: judges all contenders.
    scoring : str
    loss : str
        What the score is called when it is a loss.
    """

    name: str
    key: str
    plain: BaseEstimator
    vector: BaseEstimator
    exact: BaseEstimator
    scoring: str
    loss: str

    def scaled(self):
        """The pipeline of a StandardScaler and this model."""

        def pipeline(model):
            return make_pipeline(StandardScaler(), model)

        return dataclasses.replace(
            self,
            name=f"scaler + {self.name}",
            key=f"{pipeline(self.plain).steps[-1][0]}__{self.key}",
            plain=pipeline(self.plain),
            vector=pipeline(self.vector),
            exact=pipeline(self.exact),
        )


RIDGE = Model(
    name="ridge",
    key="alpha",
    plain=sklearn_models.Ridge(),
    vector=linear_model.Ridge(),
    exact=linear_model.Ridge(solver="cholesky"),
    scoring="neg_mean_squared_error",
    loss="mean squared error",
)
LOGISTIC = Model(
    name="logistic",
    key="C",
    plain=sklearn_models.LogisticRegression(),
    vector=linear_model.LogisticRegression(),
    exact=linear_model.LogisticRegression(solver="newton-cholesky", tol=1e-8, max_iter=10_000),
    scoring="neg_log_loss",
    loss="log loss",
)
# Newton's method factors a matrix of all pairs of features, too many where data are sparse.
SPARSE_LOGISTIC = dataclasses.replace(
    LOGISTIC, exact=linear_model.LogisticRegression(tol=1e-8, max_iter=10_000)
)
