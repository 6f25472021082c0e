"""Where hyperparameters were while a search ran."""

import numpy as np

from sklearn_hypergrad.inspection.display import (
    BLUE,
    CYCLE,
    LIGHT,
    RED,
    Display,
    count_evaluations,
    legend,
    number,
    set_scale,
    shortened,
    tidy,
)
from sklearn_hypergrad.inspection.entries import names_of
from sklearn_hypergrad.inspection.fitted import searched
from sklearn_hypergrad.spaces.space import TRANSFORMS


class PathsDisplay(Display):
    """Hyperparameters over the evaluations of a search, a panel for each.

    Build it with :meth:`from_search`. Axes are those of the search: logarithmic for penalties and
    learning rates. Of a vector all entries are thin grey lines, and those that end farthest from
    the middle one have a colour and a name. The dotted line is the evaluation that was returned.

    Parameters
    ----------
    paths : dict of str -> array-like of shape (n_steps, n_entries)
        Values by the name of the hyperparameter.
    steps : array-like of shape (n_steps,)
        Numbers of the evaluations, counted from 1: a search keeps the values of all, or of evenly
        thinned ones if they do not fit into memory.
    found : int
        The number of the evaluation that was returned.
    labels : dict of str -> list of str, default=None
        Names of the entries; None numbers them.
    scales : dict of str -> {"log", "logit", "linear"}, default=None
        The scale of each hyperparameter; None is "log".
    title : str, default=""
        Above the picture.

    Attributes
    ----------
    ax_ : matplotlib Axes or ndarray of them
        One per hyperparameter.
    figure_ : matplotlib Figure
        The figure.
    lines_ : dict of str -> list of matplotlib Line2D
        A line for each entry of each hyperparameter.

    See Also
    --------
    ConvergenceDisplay : The loss at the same evaluations.
    SchedulesDisplay : Learning rates over the steps of a training.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_hypergrad import HypergradSearchCV
    >>> from sklearn_hypergrad.inspection import PathsDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = HypergradSearchCV(Ridge(), {"alpha": [1e-4, 1e4]}).fit(X, y)
    >>> display = PathsDisplay.from_search(search)
    >>> display.ax_.get_ylabel()
    'alpha'
    """

    def __init__(self, *, paths, steps, found, labels=None, scales=None, title=""):
        self.paths = paths
        self.steps = steps
        self.found = found
        self.labels = labels
        self.scales = scales
        self.title = title

    @classmethod
    def from_search(cls, search, *, name=None, splits=None, candidate=None, top=6, ax=None):
        """Draw the paths of the hyperparameters of a fitted search.

        Parameters
        ----------
        search : HypergradSearchCV
            Fitted, with a range.
        name : str, default=None
            One of the hyperparameters that were searched; None draws all.
        splits : {"cv", "search_cv"}, default=None
            Evaluations on which splits; None is what was descended last: "search_cv" for a vector,
            whose common value was sought on "cv" before.
        candidate : int, default=None
            Which candidate, if settings were enumerated beside the range: its number in
            ``history_``. None is that of the best row.
        top : int, default=6
            Largest number of entries of a vector that get a colour.
        ax : matplotlib Axes or array of them, default=None
            Where to draw; a single one is divided if there are several panels. None makes a new
            figure.

        Returns
        -------
        display : PathsDisplay
            The plotted display.

        Raises
        ------
        ValueError
            If the search has searched nothing, or nothing of this name.
        """
        cls._require_matplotlib("from_search")
        look = searched(search, candidate)
        spans = look.asked.ranges if name is None else [look.range_of(name)]
        steps = look.steps(splits)
        kept = [step for step, value in enumerate(steps.values) if value is not None]
        display = cls(
            paths={span.key: _path(span, look, [steps.values[k] for k in kept]) for span in spans},
            steps=np.array(kept) + 1,
            found=steps.found + 1,
            labels={span.key: names_of(look, span)[0] for span in spans},
            scales={span.key: look.scale(span) for span in spans},
            title=look.heading,
        )
        return display.plot(ax, top=top)

    def plot(self, ax=None, *, top=6):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            As for :meth:`from_search`: where to draw. None makes a new figure.
        top : int, default=6
            As for :meth:`from_search`: largest number of entries that get a colour.

        Returns
        -------
        self : PathsDisplay
            The plotted display.
        """
        count = len(self.paths)
        axes = self._panels(ax, (count, 1), size=(6.4, 1.2 + 2.4 * count), sharex=True)[:, 0]
        self.lines_ = {}
        for panel, (name, values) in zip(axes, self.paths.items(), strict=True):
            values = np.asarray(values, dtype=float)
            scale = (self.scales or {}).get(name, "log")
            self.lines_[name] = self._draw(panel, name, values, scale, top)
            set_scale(panel.yaxis, scale)
            panel.axvline(self.found, color=RED, linestyle=":", linewidth=1, zorder=1)
            panel.set_ylabel(shortened(name))
            tidy(panel)
            # A legend on long curves hides them.
            legend(panel, loc="center left", bbox_to_anchor=(1.0, 0.5))
        axes[-1].set_xlabel("evaluation of the validation loss (dotted: returned)")
        count_evaluations(axes[-1])
        tidy(axes[0], self.title)
        return self

    def _draw(self, ax, name, values, scale, top):
        at_end = values[self._end()]
        coloured = _farthest(at_end, TRANSFORMS[scale], top)
        names = (self.labels or {}).get(name) or [str(entry) for entry in range(len(at_end))]
        names = ["returned"] if names == [""] else names
        lines = ax.plot(self.steps, values, color=LIGHT, linewidth=0.7)
        if not coloured:
            # All are the same: one line is that of all.
            label = f"all {len(lines)}: {number(at_end[0])}"
            lines[0].set(label=label, color=BLUE, linewidth=1.8, marker="o", markersize=3)
            return lines
        for rank, entry in enumerate(sorted(coloured)):
            label = f"{shortened(names[entry], 25)}: {number(at_end[entry])}"
            style = {"color": CYCLE[rank % len(CYCLE)], "linewidth": 1.8, "zorder": 3}
            lines[entry].set(label=label, marker="o", markersize=3, **style)
        others = sorted(set(range(len(lines))) - set(coloured))
        if others:
            # A line without points: the legend has it at its end.
            same = np.ptp(at_end[others]) == 0
            value = f", all {number(at_end[others[0]])}" if same and len(others) > 1 else ""
            ax.plot([], [], color=LIGHT, label=f"{len(others)} others{value}")
        return lines

    def _end(self):
        """The row of what was returned, if it was kept, else the last."""
        rows = np.flatnonzero(np.asarray(self.steps) == self.found)
        return rows[0] if len(rows) else -1


def _path(span, look, values):
    """Values of a hyperparameter at all steps; one for all stands for every entry."""
    size = len(look.labels(span))
    return np.array([np.broadcast_to(np.ravel(value[span.leaf]), size) for value in values])


def _farthest(values, transform, top):
    """The entries farthest from the middle one on the scale of the search."""
    if len(values) <= top:
        return list(range(len(values)))
    theta = transform.to_theta(values)
    distance = np.abs(theta - np.median(theta))
    order = np.argsort(-distance, kind="stable")[:top]
    return [entry for entry in order if distance[entry] > 0]
