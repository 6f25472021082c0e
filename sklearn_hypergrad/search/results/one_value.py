"""What the refit tells of a model with one penalty: its degrees of freedom, and a stable value."""

import dataclasses
from typing import Any

import numpy as np

from sklearn_hypergrad.hypergradients.implicit import is_exact
from sklearn_hypergrad.losses import HalfSquaredError
from sklearn_hypergrad.search.candidates.expand import final_step
from sklearn_hypergrad.search.data.inputs import is_plain
from sklearn_hypergrad.search.results.refit import Seen
from sklearn_hypergrad.search.results.remark import Remark

# Factor between two values that are far apart, and the difference of degrees of freedom up to which
# their models are the same. Chosen by hand.
FAR, SAME_DOF = 10, 0.1
# Places of a scan are half a decade apart: the minimum is that close to the lowest one.
NEAR = np.sqrt(10)
# Largest number of multiplications, and of targets of all rows, for which the stable value is
# looked at without being asked for. Measured: it takes 0.4 to 0.6 ms, up to 5 % of such a search.
CHEAP, FEW = 2e6, 2**12
TOLD = (
    "{}: {:.3g} is {:.0f} times {} {:.3g}, where leave-one-out and evidence together are lowest: "
    "the models have {:.1f} and {:.1f} degrees of freedom. selection='stable' takes the latter, "
    "which depends on no draw of folds."
)


@dataclasses.dataclass(frozen=True)
class OneValue:
    """Describes the refit of a search for one penalty: ``one_value(...)`` is ``(dof, remarks)``.

    Attributes
    ----------
    prepared : PreparedCandidate or None
        Its family knows degrees of freedom. None while it is on its way from a worker.
    """

    prepared: Any = None

    def __call__(self, estimator, seen, h, *, proposed):
        """Degrees of freedom, or None if they are not known, and a list of Remark.

        Parameters
        ----------
        estimator : estimator
            As it was refitted.
        seen : Seen or None
            What its final step was fitted on; None if that is not known behind other steps.
        h : dict
            The penalty.
        proposed : bool
            Whether it is the point that the search proposes, and not another one it has judged.
        """
        prepared = self.prepared
        final, path = prepared.final, prepared.candidate.step.path
        # Others may take rows that are no numbers.
        if path and seen is None:
            return None, []
        dof = None if path else prepared.cv_models[0].effective_dof(h)
        stable = proposed and _asks_for_stability(prepared)
        if dof is not None and not (stable and _is_cheap(prepared.cv_data[0])):
            return dof, []
        data = _data_of(prepared, seen)
        remarks = []
        if stable and _is_cheap(data):
            criterion = prepared.family.stable_criterion(final, data)
            remarks = _stable_remarks(prepared, criterion, h)
        if dof is None:
            final = final_step(estimator, prepared.range.key).final
            dof = prepared.family.effective_dof(final, data, h)
        return dof, remarks


def _data_of(prepared, seen):
    """SplitData of one split that trains on what the final step has seen."""
    if seen is None:
        block, inputs = prepared.cv_data[0], prepared.inputs
        weights = block.partition_weights()
        if weights is not None:
            rows = np.arange(len(weights))
            return dataclasses.replace(block, trains=[rows], tests=[rows], weights=[weights])
        seen = Seen(inputs.X, inputs.y, inputs.fit_params)
    family = prepared.family
    return seen.as_split(family, prepared.final, family.labels(seen.y))


def _stable_remarks(prepared, criterion, h):
    """A Remark, in a list, if the value found is far away from the stable one."""
    (value,), continuous = map(float, h.values()), prepared.range.continuous
    low = 0 if continuous.low is None else continuous.low
    high = np.inf if continuous.high is None else continuous.high
    scanned = criterion.scan(low, high)
    if scanned is None or _ratio(scanned[0], value) < FAR / NEAR:
        return []
    minimum, dof = criterion.polish(*scanned), criterion.dof(value)
    ratio = _ratio(minimum.strength, value)
    if ratio <= FAR or abs(dof - minimum.dof) <= SAME_DOF:
        return []
    side = "as large as" if value > minimum.strength else "smaller than"
    numbers = value, ratio, side, minimum.strength, dof, minimum.dof
    return [Remark(TOLD.format(prepared.range.key, *numbers), warns=False)]


def _asks_for_stability(prepared):
    """Whether the value was chosen by squared errors on random folds of rows."""
    options, inputs = prepared.options, prepared.inputs
    return (
        options.selection == "best"
        and options.search_cv in ("auto", "cv")
        and is_plain(inputs.splitter)
        and isinstance(prepared.choice.loss.pointwise, HalfSquaredError)
        and (options.method is None or is_exact(options.method))
        and prepared.family.stable_obstacle(prepared.final) is None
    )


def _is_cheap(data):
    n_rows, n_features = data.X.shape
    side = min(n_rows, n_features)
    return 2 * n_rows * n_features * side + 10 * side**3 <= CHEAP and data.y.size <= FEW


def _ratio(one, other):
    return max(one / other, other / one)
