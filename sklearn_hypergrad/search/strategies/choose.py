"""Which strategy suits a model: its facts decide, not the type of its family."""

from sklearn_hypergrad.search.candidates.refusals import UnsupportedRange
from sklearn_hypergrad.search.objective.methods import refuse_online
from sklearn_hypergrad.search.strategies.joint import JointSearch
from sklearn_hypergrad.search.strategies.path import PathSearch
from sklearn_hypergrad.search.strategies.product import ProductSearch
from sklearn_hypergrad.search.strategies.scalar import ScalarSearch
from sklearn_hypergrad.search.strategies.vector import VectorSearch


def strategy_of(prepared):
    """The Strategy of a PreparedCandidate.

    Raises
    ------
    CannotSearch
        If the data make no model.
    UnsupportedRange, ValueError
        If no strategy does what is asked for.
    """
    return strategy_class(prepared)(prepared)


def strategy_class(prepared):
    """The class of the strategy."""
    model, ranges = prepared.first_model, prepared.ranges
    refuse_online(prepared, model)
    levels = model.levels()
    if any(span.leaf not in levels for span in ranges):
        return JointSearch
    vectors = [span for span in ranges if span.continuous.per is not None]
    if len(ranges) > 1:
        if vectors:
            raise UnsupportedRange(
                f"{vectors[0].key} is to have a value per {vectors[0].continuous.per}, which is "
                f"searched alone. Give the other hyperparameters one value, or lists in a grid of "
                f"their own"
            )
        return ProductSearch
    if vectors:
        return VectorSearch
    return ScalarSearch if model.path is None else PathSearch
