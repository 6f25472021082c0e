"""Generalised linear models with an L2 penalty, for all splits of a data set at once."""
