"""The cross-validation loss as a function of one hyperparameter."""

import numpy as np

from sklearn_hypergrad.hypergradients import OnlineHypergradient
from sklearn_hypergrad.inspection.curve_fits import filled
from sklearn_hypergrad.inspection.display import (
    BLUE,
    GREEN,
    LIGHT,
    MARGIN,
    ORANGE,
    RED,
    Display,
    is_wide,
    legend,
    number,
    set_scale,
    shortened,
    tidy,
)
from sklearn_hypergrad.inspection.fitted import searched
from sklearn_hypergrad.inspection.interval import fine_curve
from sklearn_hypergrad.inspection.measures import measure_for
from sklearn_hypergrad.spaces.space import TRANSFORMS

# Inner tolerance above which evaluations are not drawn: they only showed that a value is far from
# the best. Chosen by hand, between the rough and the coarse tolerance of a scan.
ROUGH = 1e-2
# Distance in theta up to which two values count as the same. Chosen by hand, far below any ``tol``.
SAME = 1e-6
OF_A_VECTOR = "one value for all; the search went on to a vector"
# Distance in theta from the optimum above which the chosen value has its own mark. Chosen by hand:
# one per cent, which a reader can hardly see.
APART = 0.01
MOVING = "online", "real_time"
# Decades to either side of the interval that are drawn; the whole range is in an inset.
SHOWN_DECADES = 2
# Width and height of the inset and its distance from the sides, which leaves room for its ticks and
# its title, as shares of the axes. Chosen by hand.
INSET = 0.32, 0.28, 0.09


class CurveDisplay(Display):
    """The cross-validation loss over one hyperparameter, its optimum, and how sure that is.

    Build it with :meth:`from_search`. The search has evaluated the loss and its derivative at a few
    values. Between them the mean is the piecewise cubic with these values and these derivatives,
    of which the search keeps absolute values; their signs are those that explain the values best.

    Two things are drawn about the uncertainty, and they answer different questions. The blue band
    is one standard error of the mean over splits: how well the *loss* is known. Splits differ in
    how hard they are, at all values alike, so that it is wide even where the best value is certain.
    The green interval is about the *value*: it ends where the loss has grown, from that at the
    optimum, by one standard error of that very difference, split by split::

        mean_k d_k(h) <= std_k d_k(h) / sqrt(n_splits)   with   d_k(h) = loss_k(h) - loss_k(optimum)

    What splits have in common cancels in these differences. Values inside cannot be told from the
    optimum with these data. Where rows are held out more than once, as by repeated folds, splits
    are no new data: then ``1 / n_splits`` becomes ``1 / n_splits + n_test / n_train`` (Nadeau,
    Bengio, "Inference for the generalization error", 2003). Those of k folds are not corrected;
    their training parts overlap, so that they are too small rather than too large.

    From the evaluations of the search alone the ends of the interval are rough, and the legend says
    "about": a search evaluates a value per decade and a few close to the optimum, and keeps the
    derivative of the mean, not those of the splits. Between these values it is not known how splits
    differ. With X and y there are real fits at the ends themselves, and they are accurate.

    Parameters
    ----------
    values : array-like of shape (n_points,)
        Values of the hyperparameter, in increasing order.
    split_losses : array-like of shape (n_points, n_splits)
        Losses of the splits. Their mean is the curve.
    slopes : array-like of shape (n_points,), default=None
        Absolute derivatives of the mean loss on the scale of the search, nan where unknown. None is
        nan for all.
    name : str, default="value"
        Name of the hyperparameter.
    scale : {"log", "logit", "linear"}, default="log"
        Scale of the search.
    chosen : float, default=None
        The value of the best row of ``cv_results_``, which is marked if it is not the optimum: the
        asked score or ``selection="one_se"`` may have chosen another one.
    chosen_by : str, default=""
        What has chosen it, such as "accuracy", for the legend.
    fitted : array-like of bool of shape (n_points,), default=None
        Which losses are those of scikit-learn's fits, and not of the search. None means that none
        is.
    label : str, default="validation loss"
        Label of the axis of losses.
    title : str, default=""
        Title of the figure.
    overlap : float, default=0.0
        Mean ratio of held-out to training rows, if rows are held out more than once; else zero.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    optimum_ : float
        Where the curve is lowest.
    inset_ : matplotlib Axes or None
        The whole range, where it is more than two decades longer than the interval at an end.
    interval_ : tuple of two float or None
        The values within one standard error of the optimum, as far as values were evaluated; None
        with one split. Rough without real fits.
    line_ : matplotlib Line2D
        The mean.
    band_ : matplotlib PolyCollection or None
        One standard error about it; None with one split.

    See Also
    --------
    ConvergenceDisplay : The same evaluations in the order in which they were made.

    Notes
    -----
    For the paired differences see Breiman, Friedman, Olshen, Stone, "Classification and Regression
    Trees", 1984, section 3.4.3; their rule takes the standard error of the loss itself, and so does
    ``selection="one_se"``, which therefore goes farther than this interval.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_hypergrad import HypergradSearchCV
    >>> from sklearn_hypergrad.inspection import CurveDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = HypergradSearchCV(Ridge(), {"alpha": [1e-4, 1e4]}).fit(X, y)
    >>> display = CurveDisplay.from_search(search)
    >>> low, high = display.interval_
    >>> bool(low < search.best_params_["alpha"] < high)
    True
    """

    def __init__(  # noqa: PLR0913
        self,
        *,
        values,
        split_losses,
        slopes=None,
        name="value",
        scale="log",
        chosen=None,
        chosen_by="",
        fitted=None,
        label="validation loss",
        title="",
        overlap=0.0,
    ):
        self.values = values
        self.split_losses = split_losses
        self.slopes = slopes
        self.name = name
        self.scale = scale
        self.chosen = chosen
        self.chosen_by = chosen_by
        self.fitted = fitted
        self.label = label
        self.title = title
        self.overlap = overlap

    @classmethod
    def from_search(cls, search, X=None, y=None, *, n_points=25, candidate=None, ax=None):
        """Draw the curve from the evaluations of a fitted search, and from more fits if asked.

        Parameters
        ----------
        search : HypergradSearchCV
            Fitted, with a range for one value. Of a vector, the curve is that of one value for all.
        X, y : array-like, default=None
            What the search was fitted on. If given, gaps between the evaluations are filled with
            real fits, scored by ``cross_val_score`` on ``search.cv``, which must make the same
            splits again, without metadata; more of them find the ends of the interval, to a
            thousandth of the range. Where the score is not the loss that was followed (accuracy
            has no gradient), or the fits of the estimator are not converged, all points are fits
            and the curve is that of the score.
        n_points : int, default=25
            With X and y, into how many parts the evaluated range is divided at least.
        candidate : int, default=None
            Which candidate, if settings were enumerated beside the range: its number in
            ``history_``. None is that of the best row.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : CurveDisplay
            The plotted display.

        Raises
        ------
        ValueError
            If the search has searched nothing, or several hyperparameters together, or its losses
            are noisy or those of a training that goes on, so that they make no curve. With X and
            y, if its fits cannot be repeated: ``cv`` shuffles without a seed, the search had
            ``sample_weight``, or these are other data.
        """
        cls._require_matplotlib("from_search")
        look = searched(search, candidate)
        span = _only(look)
        steps = look.steps("cv" if "cv" in look.history["splits"] else None, compared=True)
        values, rows = _distinct(span, steps, TRANSFORMS[look.scale(span)])
        data = {
            "values": values,
            "split_losses": steps.split_losses[rows],
            "slopes": steps.gradient_norms[rows],
            "fitted": np.zeros(len(rows), dtype=bool),
            "label": f"validation loss: {steps.loss_label}",
        }
        if X is not None:
            data = filled(look, span, steps, data, (X, y, n_points))
        # Another row of this candidate is a point of the curve, and marked there.
        title = look.title if look.best_row else look.heading
        if look.labels(span) != [""]:
            title = f"{title}\n{OF_A_VECTOR}".strip()
        return cls(
            **data,
            name=span.key,
            scale=look.scale(span),
            chosen=_chosen(look, span),
            # Where all points are fits, the curve is that of the score.
            chosen_by="" if data["fitted"].all() else _chosen_by(look, steps.loss),
            title=title,
            overlap=look.overlap("cv" if X is not None else steps.shown),
        ).plot(ax)

    def plot(self, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            As for :meth:`from_search`: where to draw. None makes a new figure.

        Returns
        -------
        self : CurveDisplay
            The plotted display.
        """
        ax = self._panels(ax, size=(6.4, 5.2))[0, 0]
        transform = TRANSFORMS[self.scale]
        theta = transform.to_theta(self.values)
        losses = np.asarray(self.split_losses, dtype=float)
        slopes = np.full(len(theta), np.nan) if self.slopes is None else np.asarray(self.slopes)
        fine = fine_curve(theta, losses, slopes, self.overlap)
        self.optimum_ = float(transform.to_constrained(fine.theta[fine.best]))
        self.interval_ = None
        self._draw_mean(ax, transform, fine)
        if losses.shape[1] > 1:
            self.interval_ = tuple(transform.to_constrained(fine.ends).tolist())
            self._draw_interval(ax)
        self._draw_points(ax, losses.mean(axis=1))
        self._draw_optimum(ax, transform, fine)
        set_scale(ax.xaxis, self.scale)
        ax.set_xlabel(shortened(self.name, 70))
        ax.set_ylabel(self.label)
        tidy(ax, self.title)
        # Inside it would hide the curve.
        legend(ax, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2)
        self._zoom(ax, transform, fine)
        return self

    def _zoom(self, ax, transform, fine):
        """Leave the main axes two decades around the interval; the whole range is in an inset."""
        self.inset_ = None
        around = transform.to_theta(np.array(self.interval_ or [self.optimum_]))
        reach = SHOWN_DECADES * np.log(10)
        low = max(fine.theta[0], around.min() - reach)
        high = min(fine.theta[-1], around.max() + reach)
        if self.scale != "log" or (low, high) == (fine.theta[0], fine.theta[-1]):
            return
        seen = (fine.theta >= low) & (fine.theta <= high)
        error = fine.errors if fine.deviations.shape[1] > 1 else np.zeros(len(fine.mean))
        least, most = (fine.mean - error)[seen].min(), (fine.mean + error)[seen].max()
        margin = MARGIN * (most - least) or MARGIN
        ax.set_xlim(*transform.to_constrained(np.array([low, high])))
        set_scale(ax.xaxis, self.scale)
        if ax.get_yscale() == "linear":
            ax.set_ylim(least - margin, most + margin)
        height = (fine.mean + error - least) / (most - least or 1)
        self._draw_inset(ax, transform, fine, _free(fine.theta, height, low, high))

    def _draw_inset(self, ax, transform, fine, left):
        """The whole curve in a small axes, with what the main axes show in green."""
        width, height, margin = INSET
        inset = self.inset_ = ax.inset_axes([left, 1 - height - margin, width, height])
        inset.plot(transform.to_constrained(fine.theta), fine.mean, color=BLUE, linewidth=1)
        inset.axvspan(*ax.get_xlim(), color=LIGHT, alpha=0.6, linewidth=0, zorder=0)
        set_scale(inset.xaxis, self.scale)
        if is_wide(fine.mean):
            set_scale(inset.yaxis, "log")
        inset.tick_params(labelsize=7)
        inset.set_title("whole range (grey: shown)", fontsize=7)

    def _draw_mean(self, ax, transform, fine):
        n_splits, self.band_ = fine.deviations.shape[1], None
        values, mean = transform.to_constrained(fine.theta), fine.mean
        label = f"mean over {n_splits} splits" if n_splits > 1 else "validation loss"
        (self.line_,) = ax.plot(values, mean, color=BLUE, label=label)
        if is_wide(mean):
            set_scale(ax.yaxis, "log")
        if n_splits > 1:
            error = fine.errors
            style = {"color": BLUE, "alpha": 0.18, "linewidth": 0}
            label = "± one standard error of the mean"
            self.band_ = ax.fill_between(values, mean - error, mean + error, label=label, **style)

    def _draw_interval(self, ax):
        low, high = self.interval_
        ends = min(self.values), max(self.values)
        open_ended = np.isclose((low, high), ends, rtol=1e-9)
        about = "" if np.any(self._fitted()) else "about "
        text = (
            f"{number(low)} alone, the end of the range"
            if low == high
            else {
                (False, False): f"{about}{number(low)} to {number(high)}",
                (True, False): f"up to {about}{number(high)}",
                (False, True): f"from {about}{number(low)} on",
                (True, True): "all values",
            }[tuple(map(bool, open_ended))]
        )
        label = f"within one standard error of the optimum:\n{text}"
        ax.axvspan(low, high, color=GREEN, alpha=0.18, linewidth=0, label=label, zorder=0)

    def _fitted(self):
        return np.zeros(len(self.values), bool) if self.fitted is None else np.asarray(self.fitted)

    def _draw_points(self, ax, mean):
        fitted, values = self._fitted(), np.asarray(self.values)
        for mask, colour, label in (
            (~fitted, BLUE, "evaluated by the search"),
            (fitted, ORANGE, "real fits"),
        ):
            if mask.any():
                style = {"markersize": 4, "linestyle": "none", "marker": "o"}
                ax.plot(values[mask], mean[mask], color=colour, label=label, **style)

    def _draw_optimum(self, ax, transform, fine):
        at, mean, best = fine.theta, fine.mean, fine.best
        style = {"color": RED, "linestyle": "none", "markersize": 13}
        label = f"optimum{' of this loss' * bool(self.chosen_by)}: {number(self.optimum_)}"
        ax.plot(self.optimum_, mean[best], marker="*", label=label, **style)
        if self.chosen is None:
            return
        theta = float(transform.to_theta(self.chosen))
        if abs(theta - at[best]) > APART and at[0] <= theta <= at[-1]:
            style |= {"markersize": 8, "markerfacecolor": "none", "markeredgewidth": 2}
            by = f" by {self.chosen_by}" if self.chosen_by else ""
            label = f"chosen{by}: {number(self.chosen)}"
            ax.plot(self.chosen, np.interp(theta, at, mean), marker="D", label=label, **style)


def _only(look):
    """The one range of a candidate whose loss is a function of it."""
    if len(look.asked.ranges) > 1:
        raise ValueError(
            f"{', '.join(look.names)} were searched together: there is no curve over one of them. "
            f"Draw PathsDisplay."
        )
    method = look.search.hypergradient
    if isinstance(method, OnlineHypergradient) or method in MOVING:
        raise ValueError(
            f"hypergradient={method!r} moves hyperparameters while training runs, so that no loss "
            f"is a function of them. Draw PathsDisplay."
        )
    if look.search.resample == "fresh" and look.asked.family.trained:
        raise ValueError(
            "resample='fresh' makes every loss one of other random numbers, and they make no "
            "curve. Draw PathsDisplay."
        )
    return look.asked.range


def _distinct(span, steps, transform):
    """Values in increasing order, and for each the step that has evaluated it best."""
    best = {}
    for step in np.argsort(-steps.tols, kind="stable"):
        value = steps.values[step]
        usable = np.isfinite(steps.losses[step]) and steps.tols[step] <= ROUGH
        if value is None or value[span.leaf].ndim or not usable:
            continue
        best[round(float(transform.to_theta(value[span.leaf])) / SAME)] = step
    if not best:
        raise ValueError(
            f"There is no curve to draw: {span.key} was searched as a vector, and no finite loss "
            f"is known of one value for all. Draw PenaltiesDisplay."
        )
    rows = [best[key] for key in sorted(best)]
    return np.array([float(steps.values[row][span.leaf]) for row in rows]), rows


def _free(theta, height, low, high):
    """Where the inset hides least of the curve: its left end, as a share of the axes."""
    width, _, margin = INSET
    lefts = margin, 0.5 - width / 2, 1 - width - margin
    at = (theta - low) / (high - low)
    return min(lefts, key=lambda left: height[(at >= left) & (at <= left + width)].max())


def _chosen_by(look, loss):
    """What has chosen another value than the optimum of the loss; "" if that is the score."""
    if look.search.selection != "best":
        return f"selection={look.search.selection!r}"
    measure = measure_for(look.search, look.asked.final, followed=loss)
    return "" if measure.name == loss else measure.label.removeprefix("1 - ").removeprefix("minus ")


def _chosen(look, span):
    """The value of the best row, if that is one of this candidate and one value."""
    row = look.best_row
    if row is None or not _weighs_alike(look, row):
        return None
    value = row[span.key]
    # Of groups of named features it is a dict.
    values = list(value.values()) if isinstance(value, dict) else value
    values = np.unique(np.asarray(values, dtype=float))
    return float(values[0]) if len(values) == 1 else None


def _weighs_alike(look, row):
    """Whether a row leaves the transformers the weights they had: these, too, are penalties."""
    asked = look.asked
    own = asked.estimator.get_params()
    keys = row.keys() - asked.settings.keys() - {span.key for span in asked.ranges}
    return all(
        weight == (own[key] or {}).get(name, 1.0)
        for key in keys
        for name, weight in row[key].items()
    )
