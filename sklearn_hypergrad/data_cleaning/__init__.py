"""Find training samples with wrong labels, by their effect on the loss of clean samples."""

from sklearn_hypergrad.data_cleaning.cleaner import DataCleaner

__all__ = ["DataCleaner"]
