"""Lasso and ElasticNet against the searches that scikit-learn has for them alone.

``python -m benchmarks.paths [--data DIR] [--rounds N]``. LassoCV and ElasticNetCV compute a path of
100 values of ``alpha`` in each fold, ElasticNetCV one for each of five ratios. Ours get the lists
of ``benchmarks.families``, and the data, forms and measures are those of that program: features are
standardised, or raw and behind a StandardScaler, of which LassoCV and ElasticNetCV see the scales
of all rows. Scores are those of plain fits, with the values that were found, on the same five
folds. With ``--data`` the table ``docs/paths.inc`` is written.
"""

import dataclasses
from pathlib import Path
from typing import Any

from sklearn.base import clone
from sklearn.linear_model import ElasticNetCV, LassoCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.cases import list_table, measured_cases
from benchmarks.families import COLUMNS, FORMS, Outcome, cells, in_turn, parts, searches
from benchmarks.family_cases import CASES, RATIOS, sets

PAGE = Path(__file__).parents[1] / "docs" / "paths.inc"
HEADER = "", "values", "sets", "time, theirs over ours", *COLUMNS[3:]


@dataclasses.dataclass(frozen=True)
class Peer:
    """A search of scikit-learn for one class of estimators.

    Attributes
    ----------
    family : str
        The case of ``benchmarks.families`` that has the same estimator.
    search : estimator
    counts : str
        How many values it tries.
    """

    family: str
    search: Any
    counts: str

    def behind(self, form):
        """The unfitted search, behind a scaler where the form asks for it."""
        search = clone(self.search)
        return search if form == FORMS[0] else make_pipeline(StandardScaler(), search)

    def found(self, fitted, form):
        """The values that it has found."""
        search = fitted if form == FORMS[0] else fitted[-1]
        return {name: getattr(search, f"{name}_") for name in CASES[self.family].grid}


PEERS = {
    "LassoCV": Peer("Lasso", LassoCV(alphas=100, cv=5), "100"),
    "ElasticNetCV": Peer(
        "ElasticNet", ElasticNetCV(alphas=100, l1_ratio=RATIOS, cv=5), f"100 x {len(RATIOS)}"
    ),
}


def score(peer, fitted, form, X, y):
    """The mean score of plain fits with the values that a peer has found."""
    estimator = clone(CASES[peer.family].estimator).set_params(**peer.found(fitted, form))
    if form == FORMS[1]:
        estimator = make_pipeline(StandardScaler(), estimator)
    return float(cross_val_score(estimator, X, y, cv=5).mean())


def compared(name, peer, data, form, X, y, rounds):
    """The Outcome of one data set."""
    case = CASES[peer.family]
    X, X_unseen, y, y_unseen = parts(case, form, X, y)

    def both():
        return {"theirs": peer.behind(form), "ours": searches(case, form)["ours"]}

    seconds, fitted = in_turn(both, X, y, rounds)
    theirs, ours = fitted["theirs"], fitted["ours"]
    their_score = score(peer, theirs, form, X, y)
    return Outcome(
        name,
        data,
        form,
        float(seconds["theirs"] / seconds["ours"]),
        ours.n_iter_,
        their_score,
        ours.best_score_,
        abs(their_score),
        theirs.score(X_unseen, y_unseen),
        ours.score(X_unseen, y_unseen),
    )


def row(name, make, rounds):
    """The row of the table, as text."""
    peer, folder = make()
    outcomes = []
    for data, X, y in sets(CASES[peer.family].kind, folder):
        for form in FORMS:
            outcomes.append(compared(name, peer, data, form, X, y, rounds))
            print(*dataclasses.astuple(outcomes[-1]), sep="\t", flush=True)
    return cells(name, peer.counts, outcomes)


def cases(folder):
    """``{name: function that makes the Peer}``."""
    return {name: lambda peer=peer: (peer, folder) for name, peer in PEERS.items()}


def main():
    rows, complete = measured_cases(__doc__, cases, row, rounds=3)
    if complete:
        PAGE.write_text(list_table(HEADER, rows, widths="22 10 6 16 16 15 15"), encoding="utf-8")


if __name__ == "__main__":
    main()
