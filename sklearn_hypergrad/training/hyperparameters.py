"""Hyperparameters of training that can be tuned, as estimators declare them."""

from sklearn_hypergrad.spaces import Hyperparameter

# The values of ``per`` that hyperparameters of training allow.
SCHEDULES = ("layer", "step", ("step", "layer"))
# Hyperparameters of dynamics, for all kinds of models. A search starts at ``start`` if the
# estimator's own value is outside the limits. Sources: defaults of scikit-learn's networks
# (momentum), of this package's MLPClassifier (learning rate), of Kingma, Ba 2015 (beta_1, beta_2)
# and of Tieleman, Hinton 2012 (decay).
OF_TRAINING = {
    "learning_rate_init": Hyperparameter(per=SCHEDULES, start=0.1),
    "momentum": Hyperparameter(per=SCHEDULES, scale="logit", start=0.9),
    "beta_1": Hyperparameter(per=SCHEDULES, scale="logit", start=0.9),
    "beta_2": Hyperparameter(per=SCHEDULES, scale="logit", start=0.999),
    "decay": Hyperparameter(per=SCHEDULES, scale="logit", start=0.9),
}
