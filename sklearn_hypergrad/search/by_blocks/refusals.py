"""What rows in parts are not searched with, each in one sentence with the remedy."""

SAMPLE = "Take a sample of the rows that fits into memory, and pass it as X and y"
# Arguments of a search with another value than these are refused, and why.
ONLY = {
    "judge": ("warm", "rows of cv_results_ are the solutions of the search itself"),
    "rows": ("found", "every listed value would take passes of its own"),
    "resample": ("fixed", "nothing is drawn"),
    "return_train_score": (False, "training rows are not scored"),
    "selection": ("best", "other points would be solved for it"),
}


def refused(what, why, remedy=SAMPLE):
    """The ValueError for something that rows in parts are not searched with."""
    return ValueError(f"Rows in parts are not searched with {what}: {why}. {remedy}.")


def check_arguments(search):
    """Raise ValueError if an argument of a search does not apply to rows in parts."""
    for name, (allowed, why) in ONLY.items():
        value = getattr(search, name)
        if value != allowed:
            raise refused(f"{name}={value!r}", why, f"Leave {name}={allowed!r}")
    if search.guard not in (False, "auto"):
        why = "it repeats the search for every split, with passes of its own"
        raise refused(f"guard={search.guard!r}", why, "Leave guard='auto'")
    known = isinstance(search.search_cv, str) and search.search_cv != "loo"
    if not known:
        raise refused(
            f"search_cv={search.search_cv!r}",
            "splits are unions of buckets of rows",
            "Leave search_cv='auto', or take 'cv', 'halves' or 'evidence'",
        )
    if callable(search.validation_loss):
        why = "its values are not sums over rows that are known to this package"
        raise refused("a validation_loss of your own", why, "Leave validation_loss='auto'")
    if callable(search.refit):
        why = "there are few rows to choose from"
        raise refused("a callable refit", why, "Give refit=True, False or the name of a score")


def check_params(params, rows_are_given):
    """Raise ValueError for metadata of ``fit``; of dask collections, weights and groups are known.

    Parameters
    ----------
    params : dict
    rows_are_given : bool
        Whether X is a Rows, which has its weights and groups.
    """
    for name in params:
        inside = name.rpartition("__")[2]
        if rows_are_given and inside in ("sample_weight", "groups"):
            raise refused(
                f"fit(..., {name}=...)", "rows have their own", f"Pass {inside} to the rows"
            )
        if inside not in ("sample_weight", "groups"):
            raise refused(f"fit(..., {name}=...)", "parts have rows, targets, weights and groups")
