"""Hyperparameters of training that can be tuned, as estimators declare them."""

from sklearn_hypergrad.spaces import Hyperparameter

SCHEDULES = ("layer", "step", ("step", "layer"))
# What is known of hyperparameters of training, whatever is trained.
OF_TRAINING = {
    "learning_rate_init": Hyperparameter(per=SCHEDULES, start=0.1),
    "momentum": Hyperparameter(per=SCHEDULES, scale="logit", start=0.9),
    "beta_1": Hyperparameter(per=SCHEDULES, scale="logit", start=0.9),
    "beta_2": Hyperparameter(per=SCHEDULES, scale="logit", start=0.999),
    "decay": Hyperparameter(per=SCHEDULES, scale="logit", start=0.9),
}
