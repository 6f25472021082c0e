"""Closed forms of ridge regression."""
