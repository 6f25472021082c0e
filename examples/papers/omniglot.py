"""Omniglot: characters of several alphabets, each drawn once by every one of 20 people.

Lake, Salakhutdinov, Tenenbaum, "Human-level concept learning through probabilistic program
induction", Science 2015; the archive is one of https://github.com/brendenlake/omniglot.
"""

import io
import zipfile

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

ARCHIVE = "images_background_small1.zip"


def alphabets(options, side=28):
    """Ink from 0 to 1 of every alphabet: arrays of shape (n_characters, n_people, side, side).

    Without the archive, digits have to do: 0 to 4 are one alphabet, 5 to 9 the other.
    """
    return of_digits() if options.quick else of_archive(archive(options), side)


def archive(options):
    """The archive in the folder that was given."""
    folders = [] if options.data is None else [options.data, options.data / "omniglot"]
    for folder in folders:
        if (folder / ARCHIVE).exists():
            return folder / ARCHIVE
    raise SystemExit(f"Give --data DIR, the folder of Omniglot with {ARCHIVE}, or --quick.")


def of_archive(path, side):
    """Images are averaged over boxes to the size that is wanted."""
    found = {}
    with zipfile.ZipFile(path) as files:
        for name in sorted(files.namelist()):
            if name.endswith(".png"):
                _, alphabet, character, _ = name.split("/")
                image = Image.open(io.BytesIO(files.read(name))).convert("L")
                image = np.asarray(image.resize((side, side), Image.Resampling.BOX))
                found.setdefault(alphabet, {}).setdefault(character, []).append(1 - image / 255)
    return [np.array(list(characters.values())) for characters in found.values()]


def of_digits():
    """Two alphabets of five characters, 8x8 pixels, of as many drawings as there are of each."""
    digits = load_digits()
    n_drawings = np.bincount(digits.target).min()
    drawings = [digits.images[digits.target == label][:n_drawings] / 16 for label in range(10)]
    return [np.array(drawings[:5]), np.array(drawings[5:])]
