"""Generalised linear models of all splits of a data set."""
