"""Benchmarks of named cases: their command line, their table, and data that several use."""

import argparse
import tarfile
import warnings
from pathlib import Path

import numpy as np

from benchmarks.speed.clock import blas_threads


def measured_cases(doc, cases, row, *, rounds):
    """Parse the command line, and measure.

    Parameters
    ----------
    doc : str
        Of the program.
    cases : callable
        ``cases(folder)`` returns ``{name: function that makes what is measured}``; folder is that
        of ``--data``, or None.
    row : callable
        ``row(name, make, rounds)`` returns cells, as text.
    rounds : int
        Default of ``--rounds``.

    Returns
    -------
    rows : list of tuple of str
    complete : bool
        Whether it is the whole table of the documentation.
    """
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", default="", help="part of the names of cases")
    parser.add_argument("--rounds", type=int, default=rounds)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    with blas_threads(1):
        for name, make in cases(arguments.data).items():
            if arguments.only in name:
                rows.append(row(name, make, arguments.rounds))
                print(" | ".join(rows[-1]), flush=True)
    return rows, arguments.data is not None and not arguments.only


def list_table(header, rows, widths=None):
    """A table of the documentation."""
    options = ["   :header-rows: 1", *([] if widths is None else [f"   :widths: {widths}"])]
    lines = [".. list-table::", *options, ""]
    for first, *others in (header, *rows):
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return "\n".join(lines) + "\n"


def film_reviews(folder):
    """Texts and labels of the reviews of Pang and Lee, 2004."""
    with tarfile.open(folder / "text" / "review_polarity.tar.gz") as archive:
        members = [m for m in archive.getmembers() if m.isfile() and m.name.endswith(".txt")]
        texts = [archive.extractfile(member).read().decode("latin1") for member in members]
    return texts, np.array([int("/pos/" in member.name) for member in members])
