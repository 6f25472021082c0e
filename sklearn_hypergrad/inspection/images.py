"""Penalties of pixels as images."""

import numpy as np

from sklearn_hypergrad.inspection.display import number, set_scale, shortened

# Entries that are as far from the pool as they go.
MARKS = {"dropped": "x", "unpenalised": "."}
# The range of colours if all penalties are the same.
LEAST = 1.1


def check_images(image_shape, n_entries, n_images):
    """Raise ValueError unless the entries fill images of this shape."""
    each = n_entries // n_images
    if len(image_shape) != 2 or np.prod(image_shape, dtype=int) != each:
        raise ValueError(
            f"image_shape={image_shape!r} does not have {each} pixels, one for each penalty. It "
            f"must be the height and the width of pictures whose pixels are the features of the "
            f"final step, all of them."
        )


def draw_images(axes, images, kinds, titles, pool):
    """Draw images, one on each axes, with the same colours: white is the pool.

    Parameters
    ----------
    axes : list of matplotlib Axes
    images : ndarray of shape (n_images, height, width)
        Strengths.
    kinds : ndarray of str of the same shape
    titles : list of str
    pool : float or None

    Returns
    -------
    drawn : list of matplotlib AxesImage
    """
    style, drawn = _colours(images, pool), []
    for ax, image, kind, title in zip(axes, images, kinds, titles, strict=True):
        drawn.append(ax.imshow(image, interpolation="nearest", **style))
        for name, marker in MARKS.items():
            y, x = np.nonzero(kind == name)
            if len(x):
                ax.plot(x, y, marker, color="black", markersize=4, linestyle="none")
        ax.set(xticks=[], yticks=[])
        ax.set_title(shortened(title, 20), fontsize="medium")
    return drawn


def colour_bar(figure, axes, drawn, label, pool):
    """A bar that says which strength is which colour."""
    bar = figure.colorbar(drawn[0], ax=list(axes), shrink=0.9)
    if pool is not None:
        label = f"{label}\nwhite: the pool at {number(pool)}"
    bar.set_label(label, fontsize="small")
    bar.ax.tick_params(labelsize="small")
    set_scale(bar.ax.yaxis, "log")
    return bar


def _colours(images, pool):
    from matplotlib.colors import LogNorm

    # Pixels whose penalty is fixed have no colour.
    low, high = np.nanmin(images), np.nanmax(images)
    if pool is None:
        return {"norm": LogNorm(low, max(high, LEAST * low)), "cmap": "cividis"}
    reach = max(high / pool, pool / low, LEAST)
    return {"norm": LogNorm(pool / reach, pool * reach), "cmap": "RdBu_r"}
