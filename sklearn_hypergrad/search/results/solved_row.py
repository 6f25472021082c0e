"""Rows of ``cv_results_`` that are made from solutions of the search."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class SolvedRow:
    """A row whose fits need not be made: what they would have returned.

    Attributes
    ----------
    outputs : list of dict
        Scores and times, split after split, as ``fit_and_score`` of scikit-learn returns them.
    refit : Refit or None
        The refit on all data; None if it starts at the beginning.
    """

    outputs: list
    refit: Any = None
