"""Find training samples with wrong labels, by what they do to a loss on clean ones."""

from sklearn_hypergrad.data_cleaning.cleaner import DataCleaner

__all__ = ["DataCleaner"]
