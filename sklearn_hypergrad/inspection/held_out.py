"""Whether a search has overfitted its validation splits: losses on data that it has not seen."""

import numpy as np

from sklearn_hypergrad.inspection.display import (
    BLUE,
    RED,
    Display,
    count_evaluations,
    legend,
    mark_unseen,
    number,
    show_losses,
    tidy,
)
from sklearn_hypergrad.inspection.fitted import searched
from sklearn_hypergrad.inspection.measures import measure_for
from sklearn_hypergrad.search.data.blocks import whole
from sklearn_hypergrad.search.data.inputs import FitInputs
from sklearn_hypergrad.search.data.layout import LAYOUTS

# Relative difference up to which two losses count as equal in the title. Chosen by hand:
# differences of one per cent are mostly chance.
SAME = 0.01
# Shapes of a hyperparameter that are those of the estimator's parameter.
AS_THEY_ARE = (None, "target", "feature", "coefficient")


class HeldOutDisplay(Display):
    """Validation loss over the evaluations of a search, and the loss on data it has never seen.

    Build it with :meth:`from_search`. As long as both fall together, the search learns something
    that holds elsewhere. A validation loss that goes on falling while the other one rises fits the
    validation splits: take fewer hyperparameters, more ``shrinkage``, or larger validation parts.

    The held-out losses are those of real fits on all training data with the hyperparameters of that
    evaluation. The title says whether the loss of what was returned is larger than the smallest of
    them; with few held-out rows small differences are chance.

    Parameters
    ----------
    validation_losses : array-like of shape (n_steps,)
        Validation losses of all evaluations on the same splits.
    held_out_steps : array-like of shape (n_points,)
        Indices of the evaluations whose hyperparameters were fitted.
    held_out_losses : array-like of shape (n_points,)
        Their losses on held-out data.
    found : int
        Index of the evaluation that was returned; one of ``held_out_steps``.
    validation_label, held_out_label : str
        Names of the two losses. If they differ, each has its own axis.
    title : str, default=""
        Title of the figure.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the validation loss.
    held_out_ax_ : matplotlib Axes
        The axes of the held-out loss; the same as ``ax_`` if both losses have one unit.
    figure_ : matplotlib Figure
        The figure.
    lines_ : list of matplotlib Line2D
        Validation loss and held-out loss.

    See Also
    --------
    ConvergenceDisplay : The validation loss alone, with its gradient.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn_hypergrad import Continuous, HypergradSearchCV
    >>> from sklearn_hypergrad.inspection import HeldOutDisplay
    >>> from sklearn_hypergrad.linear_model import Ridge
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    >>> search = HypergradSearchCV(Ridge(), {"alpha": Continuous(per="feature")}).fit(X, y)
    >>> display = HeldOutDisplay.from_search(search, X, y, X_test, y_test, n_points=5)
    >>> display.held_out_label
    'mean squared error'
    """

    def __init__(
        self,
        *,
        validation_losses,
        held_out_steps,
        held_out_losses,
        found,
        validation_label,
        held_out_label,
        title="",
    ):
        self.validation_losses = validation_losses
        self.held_out_steps = held_out_steps
        self.held_out_losses = held_out_losses
        self.found = found
        self.validation_label = validation_label
        self.held_out_label = held_out_label
        self.title = title

    @classmethod
    def from_search(  # noqa: PLR0913
        cls, search, X, y, X_test, y_test, *, n_points=10, scoring=None, candidate=None, ax=None
    ):
        """Fit with hyperparameters along the search, and draw their losses on held-out data.

        Parameters
        ----------
        search : HypergradSearchCV
            Fitted, with a range.
        X, y : array-like
            What the search was fitted on.
        X_test, y_test : array-like
            Data that it has not seen.
        n_points : int, default=10
            How many evaluations are fitted, evenly spread; the first and the returned one always.
            Left out are those whose hyperparameters the search has not kept, and those with a loss
            above the first one: steps that went too far and were taken back.
        scoring : str or callable, default=None
            The score on held-out data, drawn as a loss. None is that of the search; if it has
            followed the squared error in place of R² or of its root, the squared error, which says
            the same of one set of rows in the unit of the validation loss.
        candidate : int, default=None
            Which candidate, if settings were enumerated beside the range: its number in
            ``history_``. None is that of the best row.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : HeldOutDisplay
            The plotted display.

        Raises
        ------
        ValueError
            If the search has searched nothing, or ``n_points`` is less than 2.
        """
        cls._require_matplotlib("from_search")
        if n_points < 2:
            raise ValueError(f"n_points must be at least 2, got {n_points!r}.")
        look = searched(search, candidate)
        steps = look.steps()
        measure = measure_for(search, look.asked.final, scoring, steps.loss)
        settings = _settings(look, X, y)
        chosen, losses = _chosen(steps, n_points), []
        for step in chosen:
            fitted = look.estimator(settings(steps.values[step])).fit(X, y)
            losses.append(measure(fitted, X_test, y_test))
        display = cls(
            validation_losses=steps.losses,
            held_out_steps=np.array(chosen),
            held_out_losses=np.array(losses),
            found=steps.found,
            validation_label=steps.loss_label,
            held_out_label=measure.label,
            title=look.heading,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            As for :meth:`from_search`: where to draw. None makes a new figure.

        Returns
        -------
        self : HeldOutDisplay
            The plotted display.
        """
        ax = self._panels(ax, size=(6.4, 4.2))[0, 0]
        validation = np.asarray(self.validation_losses, dtype=float)
        finite = np.where(np.isfinite(validation), validation, np.nan)
        at = np.asarray(self.held_out_steps)
        own = self.held_out_label != self.validation_label
        other = self.held_out_ax_ = ax.twinx() if own else ax
        (line,) = ax.plot(np.arange(1, len(finite) + 1), finite, color=BLUE, label="validation")
        style = {"color": RED, "marker": "o", "markersize": 5, "linestyle": "--"}
        (held_out,) = other.plot(at + 1, self.held_out_losses, label="held out", **style)
        ax.axvline(self.found + 1, color="0.6", linestyle=":", linewidth=1, zorder=0)
        self.lines_ = [line, held_out]
        self._axes(ax, other, finite)
        return self

    def _axes(self, ax, other, finite):
        show_losses(ax, finite, self.held_out_losses if other is ax else ())
        mark_unseen(ax, np.arange(1, len(finite) + 1), np.where(np.isnan(finite), np.inf, finite))
        count_evaluations(ax)
        ax.set_xlabel("evaluation of the validation loss (dotted: returned)")
        tidy(ax, "\n".join(filter(None, [self.title, self._verdict()])))
        if other is ax:
            ax.set_ylabel(self.validation_label)
            legend(ax)
            return
        ax.set_ylabel(f"validation: {self.validation_label}", color=BLUE)
        other.set_ylabel(f"held out: {self.held_out_label}", color=RED)
        other.spines["top"].set_visible(False)
        ax.tick_params(axis="y", colors=BLUE)
        other.tick_params(axis="y", colors=RED)
        marks = [line for line in ax.lines if line.get_label() in ("above this axis", "not finite")]
        other.legend(handles=[*self.lines_, *marks], fontsize="small", framealpha=0.8)

    def _verdict(self):
        losses = np.asarray(self.held_out_losses, dtype=float)
        at = list(self.held_out_steps)
        if not np.isfinite(losses).any() or self.found not in at:
            return "Held-out loss: not known of what was returned"
        end, lowest = losses[at.index(self.found)], np.nanmin(losses)
        text = f"Held-out loss as returned: {number(end)}, "
        if end <= lowest:
            return f"{text}the lowest on the way"
        worse = (end - lowest) / abs(lowest) if lowest else np.inf
        if worse <= SAME:
            return f"{text}within {SAME:.0%} of the lowest on the way"
        step = at[int(np.nanargmin(losses))] + 1
        return f"{text}\n{worse:.0%} worse than at evaluation {step}, where it was {number(lowest)}"


def _chosen(steps, n_points):
    """Evaluations to fit: evenly spread, the first and the returned one among them.

    Not those that went too far: the search itself has turned back from losses above the first one.
    """
    known = [step for step, value in enumerate(steps.values) if value is not None]
    finite = [step for step in known if np.isfinite(steps.losses[step])]
    first = steps.losses[finite[0]]
    usable = [step for step in finite if steps.losses[step] <= first or step == steps.found]
    spread = np.linspace(0, len(usable) - 1, min(n_points, len(usable)))
    chosen = [usable[int(place)] for place in np.rint(spread)]
    if steps.found in usable and steps.found not in chosen:
        # The one that is nearest makes room, unless it is the first.
        nearest = min(chosen[1:], key=lambda step: abs(step - steps.found))
        chosen[chosen.index(nearest)] = steps.found
    return sorted(set(chosen))


def _settings(look, X, y):
    """``settings(value)``: parameters of the estimator for a value of ``history_``."""
    asked = look.asked
    keys, vector, layout = {span.leaf: span.key for span in asked.ranges}, asked.vector, None
    if vector is not None and not asked.family.one_split:
        if vector.continuous.per not in AS_THEY_ARE:
            layout = _layout(look, vector, X, y)

    def settings(value):
        found = {}
        for leaf, entry in value.items():
            if layout is not None and leaf == vector.leaf:
                found |= layout.settings(entry)
            else:
                found[keys[leaf]] = asked.family.parameter(leaf, entry)
        return found

    return settings


def _layout(look, span, X, y):
    """How the hyperparameter of a group or of a transformer spreads over the features of X."""
    asked = look.asked
    inputs = FitInputs(X=X, y=y, splits=[], fit_params={}, score_params={}, scorer=None)
    block = whole(asked, inputs)
    layout = LAYOUTS[span.continuous.per]
    return layout(span, asked.family, block.columns, block.y.shape[1])
