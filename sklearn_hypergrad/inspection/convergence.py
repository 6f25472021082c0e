"""The validation loss and its gradient while a search runs."""

import numpy as np

from sklearn_hypergrad.inspection.display import (
    BLUE,
    GREY,
    LIGHT,
    RED,
    Display,
    count_evaluations,
    legend,
    mark_unseen,
    number,
    set_scale,
    show_losses,
    tidy,
)
from sklearn_hypergrad.inspection.fitted import searched

AXES = {
    "step": "evaluation of the validation loss",
    "seconds": "seconds spent on evaluations",
}
# Losses of the search fill at least one part in FAR + 1 of the axis. Chosen by hand.
FAR = 2


class ConvergenceDisplay(Display):
    """Validation loss and length of the hypergradient over the evaluations of a search.

    Build it with :meth:`from_search`. The upper axes show the loss of every evaluation, the lowest
    loss so far, and the evaluation that the search returned; the lower axes show the length of the
    gradient on the scale of the search: for penalties, how much the loss changes while they grow by
    a factor e, all entries of a vector together. A search that has converged ends with a loss that
    no longer falls and a gradient that is orders of magnitude shorter than at its start.

    A search for one value first scans its range, so that losses go up and down before they settle.
    A search for a vector starts at the best value for all.

    Parameters
    ----------
    losses : array-like of shape (n_steps,)
        Validation losses, all on the same splits. Those that are not finite are marked at the top.
    gradient_norms : array-like of shape (n_steps,)
        NaN where there was no gradient.
    seconds : array-like of shape (n_steps,)
        Time that each evaluation took.
    found : int
        The step whose hyperparameters were returned.
    before : float, default=None
        The loss of the estimator's own value, a dashed line; None where it is not known. One that
        would leave the others no room is in the legend only.
    above_lowest : bool, default=False
        Whether to draw how far losses are above the lowest, on a logarithmic axis. So it is where
        one value was searched: its last steps change the loss by less than a line is thick.
    label : str, default="validation loss"
        For the axis of losses.
    gradient_label : str, default="length of the gradient"
        For the axis of gradients.
    title : str, default=""
        Above the picture.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes of shape (2,)
        Loss and gradient.
    figure_ : matplotlib Figure
        The figure.
    lines_ : list of matplotlib Line2D
        The losses, the lowest so far, and the norms of the gradient.

    See Also
    --------
    PathsDisplay : The hyperparameters themselves.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_hypergrad import HypergradSearchCV
    >>> from sklearn_hypergrad.inspection import ConvergenceDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = HypergradSearchCV(Ridge(), {"alpha": [1e-4, 1e4]}).fit(X, y)
    >>> display = ConvergenceDisplay.from_search(search)
    >>> display.ax_[1].get_yscale()
    'log'
    """

    def __init__(  # noqa: PLR0913
        self,
        *,
        losses,
        gradient_norms,
        seconds,
        found,
        before=None,
        above_lowest=False,
        label="validation loss",
        gradient_label="length of the gradient",
        title="",
    ):
        self.losses = losses
        self.gradient_norms = gradient_norms
        self.seconds = seconds
        self.found = found
        self.before = before
        self.above_lowest = above_lowest
        self.label = label
        self.gradient_label = gradient_label
        self.title = title

    @classmethod
    def from_search(cls, search, *, x="step", splits=None, candidate=None, ax=None):
        """Draw how a fitted search has converged.

        Parameters
        ----------
        search : HypergradSearchCV
            Fitted, with a range.
        x : {"step", "seconds"}, default="step"
            The horizontal axis: the number of evaluations, or the time spent on them.
        splits : {"cv", "search_cv"}, default=None
            The splits whose losses are drawn; losses on different splits cannot be compared. None
            is the splits that were descended last: "search_cv" for a vector, whose common value was
            searched on "cv" before.
        candidate : int, default=None
            Number in ``history_`` of the candidate, if settings were enumerated beside the range.
            None is the candidate of the best row.
        ax : matplotlib Axes, or two of them in an array, default=None
            Where to draw; a single one is divided. None makes a new figure.

        Returns
        -------
        display : ConvergenceDisplay
            The plotted display.

        Raises
        ------
        ValueError
            If the search has searched nothing, or has not evaluated these splits or this candidate.
        """
        cls._require_matplotlib("from_search")
        look = searched(search, candidate)
        steps = look.steps(splits)
        display = cls(
            losses=steps.losses,
            gradient_norms=steps.gradient_norms,
            seconds=steps.seconds,
            found=steps.found,
            before=steps.before,
            above_lowest=look.has_one_value,
            label=steps.label,
            gradient_label=look.gradient_label,
            title=look.heading,
        )
        return display.plot(ax, x=x)

    def plot(self, ax=None, *, x="step"):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, or two of them in an array, default=None
            As for :meth:`from_search`: where to draw. None makes a new figure.
        x : {"step", "seconds"}, default="step"
            As for :meth:`from_search`: the horizontal axis.

        Returns
        -------
        self : ConvergenceDisplay
            The plotted display.

        Raises
        ------
        ValueError
            For any other ``x``.
        """
        if x not in AXES:
            raise ValueError(f"x must be one of {tuple(AXES)}, got {x!r}.")
        (above,), (below,) = self._panels(ax, (2, 1), size=(6.4, 5.2), sharex=True)
        losses = np.asarray(self.losses, dtype=float)
        at = np.arange(1, len(losses) + 1) if x == "step" else np.cumsum(self.seconds)
        finite = losses[np.isfinite(losses)]
        excess = self.above_lowest and finite.size > 0 and np.ptp(finite) > 0
        draw = self._draw_excess if excess else self._draw_losses
        self.lines_ = [*draw(above, at, losses), self._draw_norms(below, at)]
        below.set_xlabel(AXES[x])
        if x == "step":
            count_evaluations(below)
        tidy(above, self.title)
        tidy(below)
        return self

    def _draw_losses(self, ax, at, losses):
        finite = np.where(np.isfinite(losses), losses, np.nan)
        lowest = np.fmin.accumulate(finite)
        style = {"color": LIGHT, "markerfacecolor": BLUE, "markeredgecolor": BLUE}
        each = ax.plot(at, finite, "o-", markersize=4, label="each evaluation", **style)
        best = ax.plot(at, lowest, color=BLUE, drawstyle="steps-post", label="lowest so far")
        shown = self.before is not None and _has_room(self.before, lowest)
        show_losses(ax, losses, [losses[self.found], *([self.before] * shown)])
        if self.before is not None:
            label = (
                f"before the search: {number(self.before)}{'' if shown else ', above this axis'}"
            )
            height = self.before if shown else np.nan
            ax.axhline(height, color=GREY, linestyle="--", linewidth=1, label=label)
        mark_unseen(ax, at, losses)
        found = losses[self.found]
        label = f"returned: {number(found)}"
        ax.plot(at[self.found], found, "*", color=RED, markersize=13, label=label)
        ax.set_ylabel(self.label, fontsize="small")
        legend(ax)
        return *each, *best

    def _draw_excess(self, ax, at, losses):
        """Losses minus the lowest on a logarithmic axis, where differences near it are seen."""
        lowest = np.min(losses[np.isfinite(losses)])
        usable = np.isfinite(losses) & (losses > lowest)
        excess = np.where(usable, losses - lowest, np.nan)
        style = {"color": LIGHT, "markerfacecolor": BLUE, "markeredgecolor": BLUE}
        each = ax.plot(at, excess, "o-", markersize=4, label="each evaluation", **style)
        so_far = np.fmin.accumulate(np.where(np.isfinite(losses), losses, np.nan)) - lowest
        so_far = np.where(so_far > 0, so_far, np.nan)
        best = ax.plot(at, so_far, color=BLUE, drawstyle="steps-post", label="lowest so far")
        if self.before is not None and self.before > lowest:
            label = f"before the search: {number(self.before)}"
            style = {"color": GREY, "linestyle": "--", "linewidth": 1}
            ax.axhline(self.before - lowest, label=label, **style)
        set_scale(ax.yaxis, "log")
        mark_unseen(ax, at, np.where(np.isfinite(losses), 0.0, losses))
        found, style = losses[self.found], {"color": RED, "markersize": 13, "clip_on": False}
        label = f"returned: {number(found)}"
        if found > lowest:
            ax.plot(at[self.found], found - lowest, "*", label=label, **style)
        else:
            # Zero has no place on this axis.
            style["transform"] = ax.get_xaxis_transform()
            ax.plot(at[self.found], 0.0, "*", label=f"{label}, the lowest", **style)
        ax.set_ylabel(f"{self.label}\nabove the lowest, {number(lowest)}", fontsize="small")
        legend(ax)
        return *each, *best

    def _draw_norms(self, ax, at):
        norms = np.asarray(self.gradient_norms, dtype=float)
        positive = np.where(norms > 0, norms, np.nan)
        (line,) = ax.plot(at, positive, "o-", color=LIGHT, markersize=4)
        line.set(markerfacecolor=BLUE, markeredgecolor=BLUE)
        ax.plot(at[self.found], positive[self.found], "*", color=RED, markersize=13)
        if np.isfinite(positive).any():
            set_scale(ax.yaxis, "log")
        ax.set_ylabel(self.gradient_label, fontsize="small")
        return line


def _has_room(before, lowest):
    """Whether a loss can be drawn and leaves room for those of the search."""
    seen = lowest[np.isfinite(lowest)]
    if not seen.size or np.ptp(seen) == 0:
        return bool(np.isfinite(before))
    return bool(before <= seen.max() + FAR * np.ptp(seen))
