"""Results of a group, with each contender at its best, and the ratios that they make."""

import numpy as np
import pandas as pd

OURS = ("whole fit", "search", "fits", "bookkeeping")
STANDARD = ("one fit", "K+1 fits", "GridSearchCV, 1 value")


class Results:
    """Rows of :func:`benchmarks.speed.comparison.compare`, one per contender of every task.

    Parameters
    ----------
    rows : data frame
    """

    def __init__(self, rows):
        self._rows = rows.fillna({"note": "", "variant": ""})
        measured = self._rows.dropna(subset="seconds")
        fastest = measured.groupby(["task", "contender"], sort=False)["seconds"].idxmin()
        self._best = measured.loc[fastest].set_index(["task", "contender"])
        self.tasks = list(dict.fromkeys(self._rows["task"]))

    def best(self, task, contender):
        """The fastest variant and number of threads."""
        return self._best.loc[task, contender]

    def has(self, task, contender):
        return (task, contender) in self._best.index

    def seconds(self, task, contender):
        return self.best(task, contender)["seconds"]

    def ratio(self, task, contender, other):
        return self.seconds(task, contender) / self.seconds(task, other)

    def part(self, task, name):
        """Seconds of a part of our whole fit, with the number of threads at which that is best."""
        threads = self.best(task, "whole fit")["threads"]
        same = self._rows[(self._rows["task"] == task) & (self._rows["threads"] == threads)]
        return same.set_index("contender")["seconds"][name]

    def peers(self, task):
        """Names of the searches of others that were measured."""
        own = self._best.loc[task].index
        return [name for name in own if name not in (*OURS, *STANDARD)]

    def missing(self):
        """``(task, contender, note)`` of what could not run."""
        rows = self._rows[self._rows["seconds"].isna()]
        return list(rows[["task", "contender", "note"]].itertuples(index=False, name=None))


def growth_exponent(sizes, seconds):
    """The slope of a line in logarithms, fitted to the upper half of the sizes."""
    sizes, seconds = np.asarray(sizes, float), np.asarray(seconds, float)
    upper = sizes >= np.median(sizes)
    return np.polyfit(np.log(sizes[upper]), np.log(seconds[upper]), 1)[0]


def exponents(rows):
    """``{(model, against): exponent}``."""
    return {
        key: growth_exponent(group["size"], group["seconds"])
        for key, group in rows.groupby(["model", "against"], sort=False)
    }


def memory_ratios(rows):
    """One line per task, one column per contender, in units of the data."""
    ratios = rows.assign(ratio=pd.to_numeric(rows.get("bytes")) / rows["data_bytes"])
    table = ratios.pivot(index="task", columns="contender", values="ratio")
    return table.loc[list(dict.fromkeys(rows["task"])), list(dict.fromkeys(rows["contender"]))]
