"""The function of the hyperparameters that is minimised, and all that is known about it."""
