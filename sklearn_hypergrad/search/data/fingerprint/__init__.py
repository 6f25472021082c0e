"""Fingerprints of data and settings, which are the same in every process.

Those of pickles are not: sets are in an order that differs between processes, and equal objects may
or may not be stored as one. So values are walked, and everything is hashed with its type and its
length.
"""

from sklearn_hypergrad.search.data.fingerprint.code import NoFingerprint
from sklearn_hypergrad.search.data.fingerprint.walk import fingerprint

__all__ = ["NoFingerprint", "fingerprint"]
