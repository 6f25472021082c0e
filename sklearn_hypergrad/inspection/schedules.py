"""Learning rates, momenta and penalties over the steps of a training."""

import numpy as np

from sklearn_hypergrad.inspection.display import (
    CYCLE,
    GREY,
    Display,
    legend,
    number,
    set_scale,
    shortened,
    tidy,
)
from sklearn_hypergrad.inspection.fitted import searched


class SchedulesDisplay(Display):
    """Schedules of a training before and after the search, a panel for each hyperparameter.

    Build it with :meth:`from_search`. The horizontal axis is the training itself, from its first
    update to the last, not the search. Thick lines are what was found, one for each layer if these
    differ; thin ones are what the estimator had before.

    Parameters
    ----------
    schedules : dict of str -> array-like of shape (n_steps, n_layers)
        Values that were found, by the name of the hyperparameter; one column if the layers share
        them.
    before : dict of str -> array-like of shape (n_steps, n_layers)
        Values before the search; nan where there was none.
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
        The thick line of each layer.

    See Also
    --------
    PathsDisplay : Hyperparameters over the evaluations of the search.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_hypergrad import Continuous, HypergradSearchCV
    >>> from sklearn_hypergrad.inspection import SchedulesDisplay
    >>> from sklearn_hypergrad.neural_network import MLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> network = MLPClassifier((10,), n_steps=30, random_state=0)
    >>> schedule = {"learning_rate_init": Continuous(per=("step", "layer"))}
    >>> search = HypergradSearchCV(network, schedule, cv=2, max_iter=5).fit(X[:200] / 16, y[:200])
    >>> display = SchedulesDisplay.from_search(search)
    >>> [line.get_label() for line in display.lines_["learning_rate_init"]]
    ['layer 0', 'layer 1']
    """

    def __init__(self, *, schedules, before, scales=None, title=""):
        self.schedules = schedules
        self.before = before
        self.scales = scales
        self.title = title

    @classmethod
    def from_search(cls, search, *, name=None, candidate=None, ax=None):
        """Draw the schedules that a fitted search has found.

        Parameters
        ----------
        search : HypergradSearchCV
            Fitted, with ``Continuous(per="step")`` or ``per=("step", "layer")`` in its grid.
        name : str, default=None
            One of these hyperparameters; None draws all.
        candidate : int, default=None
            Which candidate, if settings were enumerated beside the ranges: its number in
            ``history_``. None is that of the best row.
        ax : matplotlib Axes or array of them, default=None
            Where to draw; a single one is divided if there are several panels. None makes a new
            figure.

        Returns
        -------
        display : SchedulesDisplay
            The plotted display.

        Raises
        ------
        ValueError
            If no schedule was searched, or none of this name.
        """
        cls._require_matplotlib("from_search")
        look = searched(search, candidate)
        spans = [span for span in look.asked.ranges if "step" in _axes_of(span)]
        if name is not None:
            spans = [span for span in [look.range_of(name)] if "step" in _axes_of(span)]
        if not spans:
            what = ", ".join(look.names) if name is None else name
            raise ValueError(
                f"There is no schedule to draw: {what} has no value per step. Search one with "
                f"Continuous(per='step') or Continuous(per=('step', 'layer')), or draw "
                f"PathsDisplay."
            )
        found = {span.key: _by_step(look.value(span)) for span in spans}
        display = cls(
            schedules=found,
            before={span.key: _before(look, span).reshape(found[span.key].shape) for span in spans},
            scales={span.key: look.scale(span) for span in spans},
            title=look.heading,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            As for :meth:`from_search`: where to draw. None makes a new figure.

        Returns
        -------
        self : SchedulesDisplay
            The plotted display.
        """
        count = len(self.schedules)
        axes = self._panels(ax, (count, 1), size=(6.4, 1.2 + 2.6 * count), sharex=True)[:, 0]
        self.lines_ = {}
        for panel, (name, found) in zip(axes, self.schedules.items(), strict=True):
            found, before = np.asarray(found), np.asarray(self.before[name])
            self.lines_[name] = _draw(panel, found, before)
            set_scale(panel.yaxis, (self.scales or {}).get(name, "log"))
            panel.set_ylabel(shortened(name))
            legend(panel, loc="center left", bbox_to_anchor=(1.0, 0.5))
            tidy(panel)
        axes[-1].set_xlabel("step of the training")
        tidy(axes[0], self.title)
        return self


def _draw(ax, found, before):
    """The thick lines; where all layers began with the same values, one thin line is theirs."""
    colours = _colours(found.shape[1])
    common = bool(np.all(before == before[:, :1]))
    for layer, column in enumerate(before[:, :1].T if common else before.T):
        style = {"color": GREY if common else colours[layer], "linestyle": "--", "linewidth": 1}
        constant = common and np.ptp(column) == 0
        label = f"before: {number(column[0])}" if constant else "before"
        ax.plot(column, label=None if layer else label, **style)
    lines = []
    for layer, column in enumerate(found.T):
        label = f"layer {layer}" if found.shape[1] > 1 else "found"
        lines += ax.plot(column, color=colours[layer], linewidth=2, label=label)
    ax.margins(x=0.02)
    return lines


def _colours(count):
    """Colours that are told apart, or that show an order where there are many."""
    if count <= len(CYCLE):
        return CYCLE[:count]
    import matplotlib

    return list(matplotlib.colormaps["cividis"](np.linspace(0, 1, count)))


def _axes_of(span):
    """What there is a value per, as a tuple."""
    per = span.continuous.per
    return per if isinstance(per, tuple) else (per,)


def _by_step(value):
    """A schedule in the shape (n_steps, n_layers)."""
    return value.reshape(len(value), -1)


def _before(look, span):
    """What the estimator had, else where the search started."""
    start = np.array(look.column(span, "start"), dtype=float)
    if "before" not in look.entries:
        return start
    before = np.array(look.column(span, "before"), dtype=float)
    return np.where(np.isfinite(before), before, start)
