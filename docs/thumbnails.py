"""Thumbnails of the gallery: one panel of the first figure of an example, on a square.

Whole figures have panels side by side, whose text cannot be read when they are shrunk. The first
image of an example is its thumbnail, so the square is saved before the figures.
"""

import contextlib
import io
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image
from sphinx_gallery.scrapers import matplotlib_scraper

# The panel that is shown, where it is not the first of its figure; None is the whole figure.
PANELS = {"plot_own_factorisation": None, "plot_validation_loss": 1}
# Pixels of a side: twice those on the page, for screens with two pixels for one.
SIDE = 440
# Inches of a side: text of ten points then has ten pixels on the page.
INCHES = 3.0
# Inches around a panel. Chosen by hand.
MARGIN = 0.08
# Characters of a label that fit below a panel.
LONGEST = 40


def figures(block, block_vars, gallery_conf):
    """Save figures as usual; before the first one, a square with a panel of it."""
    images = block_vars["image_path_iterator"]
    if plt.get_fignums() and not len(images):
        panel = PANELS.get(Path(block_vars["src_file"]).stem, 0)
        square_of(plt.figure(plt.get_fignums()[0]), panel).save(next(images))
    return matplotlib_scraper(block, block_vars, gallery_conf)


def square_of(figure, panel):
    """An image of a panel of a figure, with all axes that share its place."""
    shown, size = figure.axes, figure.get_size_inches()
    if panel is not None:
        place = shown[panel].get_position().bounds
        shown = [ax for ax in shown if ax.get_position().bounds == place]
        with alone(figure, shown):
            # Labels keep their size, so that once is not enough.
            for _ in range(3):
                box = box_of(figure, shown)
                figure.set_size_inches(figure.get_size_inches() * INCHES / box.size)
            image = image_of(figure, box_of(figure, shown))
    else:
        image = image_of(figure, box_of(figure, shown))
    figure.set_size_inches(size)
    square = Image.new("RGB", (SIDE, SIDE), "white")
    square.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    return square


@contextlib.contextmanager
def alone(figure, shown):
    """Hide for a while what belongs to other axes than those shown, and long texts of these."""
    others = [ax for ax in figure.axes if ax not in shown]
    titles = [
        text
        for ax in shown
        for text in ax.get_children()
        if isinstance(text, Text) and text not in ax.texts
    ]
    legends = [ax.get_legend() for ax in shown if ax.get_legend()]
    labels = [ax.xaxis.label for ax in shown if len(ax.get_xlabel()) > LONGEST]
    hidden = [*others, *titles, *legends, *figure.legends, *labels]
    for artist in hidden:
        artist.set_visible(False)
    yield
    for artist in hidden:
        artist.set_visible(True)


def box_of(figure, axes):
    """The place of some axes with their labels, in inches."""
    figure.canvas.draw()
    box = Bbox.union([ax.get_tightbbox() for ax in axes])
    return box.transformed(figure.dpi_scale_trans.inverted()).padded(MARGIN)


def image_of(figure, box):
    """An image of a part of a figure, whose longer side is that of a thumbnail."""
    data = io.BytesIO()
    figure.savefig(data, bbox_inches=box, dpi=SIDE / max(box.size))
    return Image.open(data).convert("RGB")
