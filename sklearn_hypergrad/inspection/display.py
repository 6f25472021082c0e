"""What all displays share: axes, colours, how numbers are written."""

import numpy as np

from sklearn_hypergrad._sklearn import check_matplotlib_support

# Colours that people with any kind of colour vision tell apart (Okabe, Ito 2008).
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
)
CYCLE = BLUE, ORANGE, GREEN, PURPLE, SKY, RED
GREY, LIGHT = "0.45", "0.75"
# Ratio of losses above which their axis is logarithmic. Chosen by hand.
WIDE = 30
# Margin on each side of the drawing, as a share of it. Chosen by hand.
MARGIN = 0.08
# Number of decades below which axes have ticks at plain numbers, not only at powers of ten. Chosen
# by hand.
DECADES = 2.5
LOGIT_TICKS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)


class Display:
    """A picture of a fitted search.

    The constructor stores data only, so a display can be built by hand and pickled before it is
    plotted. After ``plot``, ``ax_`` is the axes (an array of them if there are several panels) and
    ``figure_`` the figure.
    """

    @classmethod
    def _require_matplotlib(cls, method):
        check_matplotlib_support(f"{cls.__name__}.{method}")

    def _panels(self, ax, shape=(1, 1), *, size, sharex=False):
        """Axes to draw on, as an array of this shape; new ones, or those that were given.

        One axes that is to hold several panels is divided among them.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            If there are too many or too few axes.
        """
        self._require_matplotlib("plot")
        import matplotlib.pyplot as plt

        if ax is None:
            options = {"figsize": size, "layout": "constrained", "squeeze": False}
            _, axes = plt.subplots(*shape, sharex=sharex, **options)
        else:
            axes = self._given(ax, shape, sharex)
        self.ax_ = axes[0, 0] if axes.size == 1 else axes.ravel()
        self.figure_ = axes[0, 0].figure
        return axes

    def _given(self, ax, shape, sharex):
        axes, count = np.ravel(np.asarray(ax, dtype=object)), shape[0] * shape[1]
        if len(axes) == count:
            return axes.reshape(shape)
        spec = axes[0].get_subplotspec() if len(axes) == 1 else None
        if spec is None:
            raise ValueError(
                f"{type(self).__name__} has {count} panels here, and ax={ax!r} is "
                f"{len(axes)} axes. Pass an array of {count} axes, one axes of plt.subplots(), "
                f"which is then divided, or None."
            )
        axes[0].set_axis_off()
        return spec.subgridspec(*shape).subplots(sharex=sharex, squeeze=False)


def number(value):
    """A number as it is written in pictures."""
    return f"{value:.4g}"


def shortened(text, length=40):
    """A text that leaves room for the picture."""
    text = str(text)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def tidy(ax, title=None):
    """Take away what says nothing, and add a title."""
    ax.spines[["top", "right"]].set_visible(False)
    if title:
        ax.set_title(title, loc="left", fontsize="medium")


def set_scale(axis, scale):
    """The scale of a search for an axis, with ticks that are written as plain numbers.

    Parameters
    ----------
    axis : matplotlib Axis
        ``ax.xaxis`` or ``ax.yaxis``; what is drawn must be there.
    scale : {"log", "logit", "linear"}
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

    getattr(axis.axes, f"set_{axis.axis_name}scale")(scale)
    if scale == "linear":
        return
    low, high = sorted(axis.get_view_interval())
    decades = np.log10(high / low) if low > 0 else np.inf
    axis.set_minor_locator(NullLocator())
    if scale == "logit":
        axis.set_major_locator(FixedLocator(LOGIT_TICKS))
    elif decades < 1:
        axis.set_major_locator(MaxNLocator(5))
    elif decades < DECADES:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    if scale == "logit" or decades < DECADES:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def count_evaluations(ax):
    """Whole numbers on the horizontal axis."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def is_wide(values):
    """Whether values span orders of magnitude."""
    return bool(np.min(values) > 0 and np.max(values) > WIDE * np.min(values))


def show_losses(ax, losses, others=()):
    """Let the axis end above the lowest losses so far, and log it if they span orders.

    One step too far can have a loss that leaves no room for all others: it is marked at the top.

    Parameters
    ----------
    ax : matplotlib Axes
    losses : ndarray of shape (n_steps,)
        In their order; not finite where there is none.
    others : array-like
        More losses that must be seen.
    """
    finite = np.where(np.isfinite(losses), losses, np.nan)
    seen = np.concatenate([np.fmin.accumulate(finite), np.asarray(others, dtype=float)])
    seen = seen[np.isfinite(seen)]
    if not seen.size:
        return
    low, high = seen.min(), seen.max()
    if is_wide(seen):
        set_scale(ax.yaxis, "log")
        ax.set_ylim(low / (high / low) ** MARGIN, high * (high / low) ** MARGIN)
        return
    margin = MARGIN * (high - low) or abs(high) * MARGIN or MARGIN
    ax.set_ylim(low - margin, high + margin)


def mark_unseen(ax, at, losses):
    """Mark losses that are above the axes, or not finite, at their top.

    Parameters
    ----------
    ax : matplotlib Axes
        With its final limits.
    at : ndarray of shape (n_steps,)
        Horizontal coordinates.
    losses : ndarray of shape (n_steps,)
    """
    finite = np.isfinite(losses)
    for mark, label, rows in (
        ("^", "above this axis", finite & (losses > ax.get_ylim()[1])),
        ("x", "not finite", ~finite),
    ):
        if rows.any():
            style = {"linestyle": "none", "marker": mark, "color": RED, "markersize": 6}
            # The vertical coordinate is the height of the axes.
            place = {"transform": ax.get_xaxis_transform(), "clip_on": False}
            ax.plot(at[rows], np.ones(rows.sum()), label=label, **style, **place)


def legend(ax, **options):
    """A legend, if anything has a label."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(fontsize="small", framealpha=0.8, **options)
