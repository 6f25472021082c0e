"""Texts as numbers of characters, and windows of these.

The texts are movie reviews: Pang, Lee, "A Sentimental Education", ACL 2004, polarity dataset 2.0
(https://www.cs.cornell.edu/people/pabo/movie-review-data).
"""

import itertools
import tarfile

import numpy as np
from sklearn import datasets

ARCHIVE = "review_polarity.tar.gz"
# Enough for all that is used; a review has about 3,600 characters.
N_REVIEWS = 100
DESCRIBED = "iris", "digits", "wine", "breast_cancer", "diabetes"
# Characters of a description that go to one part, and the number of parts.
N_PIECE, N_PARTS = 250, 3


def text(options):
    """Movie reviews; descriptions of the data sets in scikit-learn if it is to be quick."""
    return descriptions() if options.quick else reviews(options)


def reviews(options):
    """The first reviews of the archive, in its order."""
    folders = [] if options.data is None else [options.data, options.data / "text"]
    for folder in folders:
        if (folder / ARCHIVE).exists():
            with tarfile.open(folder / ARCHIVE) as archive:
                files = (member for member in archive if member.name.endswith(".txt"))
                parts = [archive.extractfile(f).read() for f in itertools.islice(files, N_REVIEWS)]
            return b"".join(parts).decode("latin-1")
    raise SystemExit(f"Give --data DIR, the folder of movie reviews with {ARCHIVE}, or --quick.")


def descriptions():
    """Pieces of all descriptions for training, then for validation, then for test."""
    found = [getattr(datasets, f"load_{name}")().DESCR for name in DESCRIBED]
    joined = " ".join(" ".join(found).lower().split())
    pieces = [joined[i : i + N_PIECE] for i in range(0, len(joined), N_PIECE)]
    return "".join(piece for i in range(N_PARTS) for piece in pieces[i::N_PARTS])


class Characters:
    """Consecutive parts of a text, as numbers of characters.

    Characters that do not occur in training become spaces.

    Parameters
    ----------
    text : str
    n_characters : dict of str -> int
        Length of each part; the first is that of training.
    length : int
        Number of characters that are predicted in a window, which has one more.

    Attributes
    ----------
    n_different : int
        Number of different characters.
    """

    def __init__(self, text, n_characters, length):
        lengths = list(n_characters.values())
        known = {c: i for i, c in enumerate(sorted(set(text[: lengths[0]]) | {" "}))}
        codes = np.array([known.get(c, known[" "]) for c in text[: sum(lengths)]])
        parts = np.split(codes, np.cumsum(lengths)[:-1])
        self._parts, self._length = dict(zip(n_characters, parts, strict=True)), length
        self.n_different = len(known)

    def windows(self, part):
        """All windows of a part, one after the other; each begins with the last one's end."""
        starts = np.arange(0, len(self._parts[part]) - self._length, self._length)
        return self._at(part, starts)

    def drawn(self, part, n, rng):
        """Windows from anywhere in a part."""
        return self._at(part, rng.integers(0, len(self._parts[part]) - self._length, n))

    def _at(self, part, starts):
        return self._parts[part][starts[:, None] + np.arange(self._length + 1)]
