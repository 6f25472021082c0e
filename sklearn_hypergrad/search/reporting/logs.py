"""Evaluations as records of ``logging``, under the name of the package."""

import logging

import numpy as np

from sklearn_hypergrad.search.reporting.summary import in_words
from sklearn_hypergrad.tuning import SEARCH

LOGGER = logging.getLogger("sklearn_hypergrad")


class LogRecords:
    """A listener that logs one record for every evaluation of the validation loss.

    Evaluations of the search are of level INFO, those of points that its result is compared with of
    level DEBUG. Beside its text a record has the attributes ``place``, ``purpose``, ``splits``,
    ``loss_name``, ``loss``, ``gradient_norm``, ``seconds`` and ``values``: a dict from names of
    hyperparameters to values.
    """

    def __init__(self):
        self._number = 0

    def __call__(self, stage, record, settings):
        self._number += 1
        level = logging.INFO if stage.purpose == SEARCH else logging.DEBUG
        if not LOGGER.isEnabledFor(level):
            return
        norm = float(np.linalg.norm(record.gradient))
        told = {
            "place": stage.place,
            "purpose": stage.purpose,
            "splits": stage.splits,
            "loss_name": stage.loss,
            "loss": float(record.value),
            "gradient_norm": norm,
            "seconds": float(record.seconds),
            "values": dict(record.h),
        }
        shown = ", ".join(f"{name}={in_words(value)}" for name, value in record.h.items())
        where = f"{stage.place}, {stage.purpose}" if stage.place else stage.purpose
        LOGGER.log(
            level,
            "evaluation %d (%s on %s): %s %.6g, gradient norm %.2e, %s",
            self._number,
            where,
            stage.splits,
            stage.loss,
            record.value,
            norm,
            shown,
            extra=told,
        )
