"""The penalties that a search has found for features, groups or coefficients."""

import numpy as np

from sklearn_hypergrad.inspection.display import (
    BLUE,
    GREY,
    LIGHT,
    RED,
    Display,
    legend,
    number,
    set_scale,
    shortened,
    tidy,
)
from sklearn_hypergrad.inspection.entries import kind_of, names_of, pool_of, vector_of
from sklearn_hypergrad.inspection.fitted import searched
from sklearn_hypergrad.inspection.images import check_images, colour_bar, draw_images

# Margin on each side of the drawing, as a share of it; ratio of the axis to each side of a single
# value. Chosen by hand.
MARGIN, ALONE = 0.06, 3.0
# How each kind of entry is marked, and what it is called.
KINDS = {
    "below": ("weaker than the pool", {"marker": "o", "color": BLUE}),
    "unpenalised": (
        "as good as unpenalised",
        {"marker": "D", "color": BLUE, "markerfacecolor": "white", "markeredgewidth": 1.5},
    ),
    "pooled": ("in the pool", {"marker": "o", "color": GREY, "markersize": 5}),
    "above": ("stronger than the pool", {"marker": "s", "color": RED}),
    "dropped": ("as good as dropped", {"marker": "X", "color": RED, "markersize": 9}),
    # At an end of the axis, which has none: they are counted, and not drawn.
    "fixed": (None, {}),
    "own": (None, {"marker": "o", "color": BLUE}),
}


class PenaltiesDisplay(Display):
    """Penalty strengths of features, groups, coefficients or layers, the weakest first.

    Build it with :meth:`from_search`. Strengths are on a logarithmic axis, and larger means more
    regularised: for ``C`` they are ``1 / C``. The grey line is the *pool*, the level that all
    entries share for which the data do not speak. Entries weaker than it (blue circles) belong to
    features that the model may use more freely; an open diamond has left the pool as far as
    entries go, and is as good as unpenalised. Entries above it (red squares) are held back, and a
    cross has as good as dropped its feature.

    With ``image_shape`` the penalties of pixels are drawn as an image, white at the pool, blue
    below and red above it.

    Parameters
    ----------
    strengths : array-like of shape (n_entries,)
        Strengths of the penalties; larger is more regularised. 0 and infinity are fixed.
    names : list of str
        Names of the entries.
    pool : float, default=None
        The strength that the pool shares; None if there is no pool.
    label : str, default="penalty"
        Label of the axis of strengths.
    outputs : list of str, default=("",)
        Names of the classes or targets that have entries of their own, in equal parts and in
        order; each is an image of its own.
    title : str, default=""
        Title of the figure.

    Attributes
    ----------
    ax_ : matplotlib Axes or ndarray of them
        The axes; of images one per output.
    figure_ : matplotlib Figure
        The figure.
    shown_ : ndarray of int
        The entries that are drawn, from top to bottom, in their order in ``strengths``; all of
        them in an image.
    kinds_ : list of str
        "below", "unpenalised", "pooled", "above" or "dropped" for every entry, or "own" where there
        is no pool. Entries that are "fixed" at 0 or infinity are counted, and not drawn.
    images_ : list of matplotlib AxesImage
        Only of images.

    See Also
    --------
    PathsDisplay : The values of the penalties during the search.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from sklearn_hypergrad import Continuous, HypergradSearchCV
    >>> from sklearn_hypergrad.inspection import PenaltiesDisplay
    >>> from sklearn_hypergrad.linear_model import Ridge
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X = scale(np.column_stack([X, np.random.default_rng(0).normal(size=(len(X), 20))]))
    >>> search = HypergradSearchCV(Ridge(), {"alpha": Continuous(per="feature")}).fit(X, y)
    >>> display = PenaltiesDisplay.from_search(search)
    >>> len(display.shown_) < 30 and "pooled" in display.kinds_
    True
    """

    def __init__(self, *, strengths, names, pool=None, label="penalty", outputs=("",), title=""):
        self.strengths = strengths
        self.names = names
        self.pool = pool
        self.label = label
        self.outputs = outputs
        self.title = title

    @classmethod
    def from_search(
        cls,
        search,
        *,
        top=20,
        feature_names=None,
        image_shape=None,
        name=None,
        candidate=None,
        ax=None,
    ):
        """Draw the penalties that a fitted search has found.

        Parameters
        ----------
        search : HypergradSearchCV
            Fitted, with ``Continuous(per=...)`` in its grid.
        top : int, default=20
            Largest number of entries that are drawn: those that differ most from the pool or,
            without a pool, from the middle entry.
        feature_names : list of str, default=None
            One for each feature that enters the final step; None takes the names in
            ``hyperparameters_``.
        image_shape : tuple of int, default=None
            Height and width of the pictures whose pixels are the features: draws an image, for
            ``per="coefficient"`` one per class or target.
        name : str, default=None
            Name of the hyperparameter, if several have more than one value; None is the first
            penalty.
        candidate : int, default=None
            Which candidate, if settings were enumerated beside the range: its number in
            ``history_``. None is that of the best row.
        ax : matplotlib Axes or array of them, default=None
            Where to draw; a single one is divided if there are several images. None makes a new
            figure.

        Returns
        -------
        display : PenaltiesDisplay
            The plotted display.

        Raises
        ------
        ValueError
            If there is no vector of penalties, or names or ``image_shape`` do not fit it.
        """
        cls._require_matplotlib("from_search")
        look = searched(search, candidate)
        span = vector_of(look, name)
        sign = look.hyperparameter(span).regularizes
        with np.errstate(divide="ignore"):
            strengths = np.array(look.column(span, "value")) ** (-1.0 if sign < 0 else 1.0)
        names, outputs = names_of(look, span, feature_names)
        label = f"1 / {span.key}" if sign < 0 else span.key
        display = cls(
            strengths=strengths,
            names=names,
            pool=pool_of(strengths, look, span),
            label=f"{label}\n(larger: more regularised)" if sign else label,
            outputs=outputs,
            title=look.heading,
        )
        return display.plot(ax, top=top, image_shape=image_shape)

    def plot(self, ax=None, *, top=20, image_shape=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            As for :meth:`from_search`: where to draw. None makes a new figure.
        top : int, default=20
            As for :meth:`from_search`: largest number of entries that are drawn.
        image_shape : tuple of int, default=None
            As for :meth:`from_search`: height and width, to draw an image.

        Returns
        -------
        self : PenaltiesDisplay
            The plotted display.

        Raises
        ------
        ValueError
            If ``image_shape`` does not fit the number of entries.
        """
        strengths = np.asarray(self.strengths, dtype=float)
        fixed = (strengths == 0) | np.isinf(strengths)
        strengths = np.where(fixed, np.nan, strengths)
        ratios = np.log(strengths / (self.pool or np.exp(np.nanmedian(np.log(strengths)))))
        kinds = ["own"] * len(ratios) if self.pool is None else [kind_of(r) for r in ratios]
        self.kinds_ = ["fixed" if at else kind for at, kind in zip(fixed, kinds, strict=True)]
        if image_shape is not None:
            self._draw_images(ax, strengths, tuple(image_shape))
            return self
        order = np.argsort(-np.abs(ratios), kind="stable")[: np.count_nonzero(~fixed)]
        # Pooled entries are all the same: a line for each says nothing where there are many.
        if len(order) > top and self.pool is not None:
            order = [entry for entry in order if self.kinds_[entry] != "pooled"]
        self.shown_ = np.array(sorted(order[:top], key=lambda entry: strengths[entry]), dtype=int)
        self._draw_list(ax, strengths)
        return self

    def _draw_list(self, ax, strengths):
        shown = self.shown_
        ax = self._panels(ax, size=(6.4, max(2.4, 1.6 + 0.26 * len(shown))))[0, 0]
        rows = np.arange(len(shown))
        if self.pool is not None:
            ax.hlines(rows, self.pool, strengths[shown], color=LIGHT, linewidth=1, zorder=1)
            ax.axvline(self.pool, color=GREY, linewidth=1.5, zorder=2)
        for kind, (label, style) in KINDS.items():
            mine = [row for row in rows if self.kinds_[shown[row]] == kind]
            if mine:
                style = {"linestyle": "none", "markersize": 7, "label": label, **style}
                ax.plot(strengths[shown[mine]], mine, zorder=3, **style)
        ax.set_xlim(_limits([*strengths[shown], self.pool or strengths[shown[0]]]))
        set_scale(ax.xaxis, "log")
        if set(self.kinds_) == {"pooled"}:
            near = [self.pool / 2, self.pool, 2 * self.pool]
            ax.set_xticks(near, [number(strength) for strength in near])
        ax.set_yticks(rows, [shortened(self.names[entry], 30) for entry in shown])
        # The last row is left to the legend.
        ax.set_ylim(len(shown) + 0.6 * (self.pool is not None), -0.6)
        ax.grid(axis="y", color="0.93")
        ax.set_axisbelow(True)
        ax.set_xlabel(self.label)
        tidy(ax, "\n".join(filter(None, [self.title, self._summary()])))
        legend(ax, loc="lower center", ncols=3)

    def _summary(self):
        """What is in the pool, and what is not drawn."""
        fixed = self.kinds_.count("fixed")
        total, drawn = len(self.kinds_) - fixed, len(self.shown_)
        beside = f"{fixed} more are fixed" if fixed else ""
        pooled = self.kinds_.count("pooled")
        if self.pool is None:
            text = f"{drawn} of {total}: the farthest from the middle" if drawn < total else ""
            return "; ".join(filter(None, [text, beside]))
        text = f"grey line: the pool at {number(self.pool)}, shared by {pooled} of {total}"
        text = "; ".join(filter(None, [text, beside]))
        left = total - pooled
        hidden = left - sum(self.kinds_[entry] != "pooled" for entry in self.shown_)
        return (
            f"{text}\n{left - hidden} of the {left} others, the farthest from it"
            if hidden
            else text
        )

    def _draw_images(self, ax, strengths, image_shape):
        count = len(self.outputs)
        check_images(image_shape, len(strengths), count)
        self.shown_ = np.arange(len(strengths))
        size = (1.8 + 2.4 * count, 3.6 if count == 1 else 3.0)
        axes = self._panels(ax, (1, count), size=size)[0]
        images = strengths.reshape(count, *image_shape)
        kinds = np.array(self.kinds_).reshape(images.shape)
        titles = [self.title, *[""] * (count - 1)] if count == 1 else self.outputs
        self.images_ = draw_images(axes, images, kinds, titles, self.pool)
        colour_bar(self.figure_, axes, self.images_, self.label, self.pool)


def _limits(strengths):
    """Ends of a logarithmic axis; where all entries are in the pool there is no span."""
    low, high = min(strengths), max(strengths)
    reach = (high / low) ** MARGIN if high > low else ALONE
    return low / reach, high * reach
