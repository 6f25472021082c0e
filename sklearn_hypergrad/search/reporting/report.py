"""The report of a search: what was tuned, gained and spent, and reasons to distrust the result."""

import dataclasses
import html

import numpy as np

from sklearn_hypergrad.search.reporting.attributes import metric_name
from sklearn_hypergrad.search.reporting.progress import duration
from sklearn_hypergrad.search.reporting.summary import Costs, in_words, n_grid_fits

# Largest number of ranges that are listed one by one. Chosen by hand, to fit on a screen.
MOST = 5
# Number of tuned values above which the report says that best_score_ is optimistic. Chosen by hand:
# a few values hardly overfit the splits that they are tuned on, a vector does.
MANY = 5
TRUSTED = "none found"
# Notebooks align cells of tables to the right, and captions to the middle of their longest line.
CAPTION = "caption-side:top;text-align:left;font-weight:bold"
HEADING = "text-align:left;vertical-align:top;white-space:nowrap;padding-right:1em"
USUAL_GUARD = (
    "a vector that is no penalty has a guard if rows are few; with guard=False the search takes {} "
    "evaluations"
)


@dataclasses.dataclass(frozen=True)
class Report:
    """The report of a search: printed as text, shown as a table in notebooks.

    Attributes
    ----------
    title : str
    sections : list of (str, list of str)
        Headings and their lines.
    """

    title: str
    sections: list

    def __str__(self):
        width = max(len(heading) for heading, _ in self.sections) + 2
        lines = [self.title, "=" * len(self.title)]
        for heading, entries in self.sections:
            for number, entry in enumerate(entries):
                lines.append(f"{'' if number else heading:{width}}{entry}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        rows = "".join(
            f"<tr><th style='{HEADING}'>{html.escape(heading)}</th>"
            f"<td style='text-align:left'>{'<br>'.join(map(html.escape, entries))}</td></tr>"
            for heading, entries in self.sections
        )
        caption = f"<caption style='{CAPTION}'>{html.escape(self.title)}</caption>"
        return f"<table>{caption}{rows}</table>"


def report_of(search):
    """The Report of a fitted search."""
    sections = [
        ("Nested score", nested_scores(search)),
        *_searched(search),
        ("Score", _scores(search)),
        ("How", search.hypergradient_.splitlines()),
        ("Cost", [costs(search)]),
        ("Caveats", distrusted(search) or [TRUSTED]),
    ]
    title = f"{type(search).__name__} of {type(search.estimator).__name__}"
    return Report(title, [(heading, entries) for heading, entries in sections if entries])


def _searched(search):
    """Sections about ranges: the range that led to the best row first, then some others."""
    summaries, best = search._summaries, getattr(search, "best_index_", 0)
    shown = sorted(summaries, key=lambda summary: best not in summary.rows)[:MOST]
    tuned = [_prefixed(a, f"{each}{_beaten(a, best)}") for a in shown for each in a.tuned]
    if len(summaries) > MOST:
        tuned.append(f"and {len(summaries) - MOST} more ranges: see hyperparameters_")
    return [
        ("Tuned", tuned),
        ("Gained", [_prefixed(summary, gain) for summary in shown for gain in summary.gains]),
        ("Guard", [_prefixed(a, line) for a in shown for line in _guarded(a, search)]),
        ("Stopped", list(dict.fromkeys(summary.stopped for summary in summaries))),
        ("Result", _result(search) if summaries else []),
    ]


def nested_scores(search):
    """Lines about scores of what a guard has kept, on rows that it was not tuned on; or none."""
    scored = [a for a in search._summaries if a.guard and a.guard.nested_score is not None]
    return [
        _prefixed(
            summary,
            f"{summary.guard.nested_score:.6g} +/- {summary.guard.nested_score_std_error:.2g} (one "
            f"standard error): {_shown_score(search)} of {summary.guard.chosen}, tuned without "
            f"the rows that it is scored on, mean of {search.n_splits_} splits",
        )
        for summary in scored
    ]


def _guarded(summary, search):
    """Lines about the guard of a vector: its verdict and its price; none without one."""
    guard, spent = summary.guard, search._costs.n_evaluations
    if guard is None:
        return []
    sparse = "" if guard.sparse_loss is None else f", of the sparse vector {guard.sparse_loss:.6g}"
    lines = [
        f"kept {guard.chosen}: on rows outside of {search.n_splits_} more searches {guard.reason}",
        f"mean loss there of one value for all {guard.common_loss:.6g}, of the vector "
        f"{guard.vector_loss:.6g}{sparse}",
        f"its searches took {guard.n_evaluations} of all {spent} evaluations",
    ]
    if search.guard == "auto":
        lines.append(USUAL_GUARD.format(spent - guard.n_evaluations))
    return lines


def _result(search):
    """The hyperparameters of the best row, and its number."""
    if not hasattr(search, "best_params_"):
        return []
    values = [f"{key}={in_words(value)}" for key, value in search.best_params_.items()]
    return [
        f"{', '.join(values)} (row {search.best_index_} of {len(search.cv_results_['params'])})"
    ]


def final_lines(search):
    """Three lines that a verbose search prints at its end: why it ended, its cost, a caveat."""
    distrust = distrusted(search)
    look = distrust[0] if distrust else "no caveats found; report() has more"
    if len(distrust) > 1:
        look += f" (and {len(distrust) - 1} more, see report())"
    return "\n".join(
        [
            f"Stopped: {search.stopping_reason_}",
            f"Cost: {costs(search)}",
            f"Look at: {look}",
        ]
    )


def costs(search):
    """Text: evaluations and fits of the search, and the fits of a grid search in its place."""
    spent = search._costs if search._summaries else Costs()
    # Rows that an interrupted search did not fit have no times.
    n_fits = int(np.isfinite(search.cv_results_["mean_fit_time"]).sum()) - spent.n_solved
    fits = f"{spent.n_solved} row{'s' * (spent.n_solved > 1)} from solutions"
    fits = [fits] * (spent.n_solved > 0)
    fits += [f"{n_fits * search.n_splits_} fits of scikit-learn"] * (n_fits > 0 or not fits)
    fits = ", ".join(fits) + " and a refit" * hasattr(search, "best_estimator_")
    if not search._summaries:
        return fits
    return (
        f"{spent.n_evaluations} evaluations with {spent.n_inner_fits} inner fits in "
        f"{duration(spent.seconds)}, {fits}; {n_grid_fits(search._summaries, search.n_splits_)}"
    )


def distrusted(search):
    """Reasons to be careful with the result: remarks to act on, doubts, other remarks."""
    best = getattr(search, "best_index_", None)
    remarks, n_warned = search.remarks_, search._n_warned
    warned, quiet = (
        [line for remark in part for line in remark.splitlines()]
        for part in (remarks[:n_warned], remarks[n_warned:])
    )
    doubts = [
        doubt
        for summary in search._summaries
        if best in summary.rows
        for doubt in _doubts(summary, best, search.selection)
    ]
    return warned + doubts + quiet


def _doubts(summary, best, selection):
    """Reasons to be careful that come from the search of the best row."""
    doubts = []
    for gain in summary.gains if selection == "best" else ():
        if gain.is_loss:
            doubts.append(
                f"Worse than before: {gain.what}. The better value is outside of the range, or "
                f"max_iter ended the search too early: widen the range, or raise max_iter."
            )
        elif gain.doubtful:
            doubts.append(
                f"The gain of {gain.what} is within its standard error over splits: these data do "
                f"not tell the two apart."
            )
    # Of a model that is solved there is a remark; training runs end with their budget.
    if summary.n_unfinished and summary.trained:
        one = summary.n_unfinished == 1
        changing = "1 value was" if one else f"{summary.n_unfinished} values were"
        doubts.append(
            f"{changing} still changing when the search stopped ({summary.stopped}): raise "
            f"max_iter, or let it run to its end."
        )
    if best != summary.rows[0]:
        doubts.append(
            f"Row {best} of cv_results_ scored better than the point found, row "
            f"{summary.rows[0]}, and is the result."
        )
    elif summary.n_values > MANY:
        doubts.append(
            "Many values were tuned on the splits that judge them: best_score_ flatters them. "
            "Compare on data outside the search, as nested_score does."
        )
    return doubts


def _beaten(summary, best):
    beaten = best in summary.rows and best != summary.rows[0]
    return f" (row {summary.rows[0]}; not the result)" if beaten else ""


def _prefixed(summary, words):
    return f"{summary.place}: {words}" if summary.place else str(words)


def _scores(search):
    if not hasattr(search, "best_score_"):
        return []
    spread = search.cv_results_[f"std_test_{metric_name(search)}"][search.best_index_]
    return [
        f"best_score_ {search.best_score_:.6g} ({_shown_score(search)}, mean of {search.n_splits_} "
        f"splits, whose standard deviation is {spread:.2g})"
    ]


def _shown_score(search):
    """The asked score in words."""
    if search.scoring is None:
        return "score of the estimator"
    return search.scoring if isinstance(search.scoring, str) else metric_name(search)
