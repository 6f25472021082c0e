"""Arguments of a search that were given and could not act."""

import numbers

from sklearn_hypergrad.search.results.remark import Remark

NOTHING_TO_SELECT = (
    "selection={!r} has nothing to select from: every value was enumerated, see "
    "hypergradient_. Leave selection='best', or give a range that can be searched."
)


def _searched(result):
    return True


def _vector(result):
    own = result.from_own_values
    return not own and any(each.labels for each in result.searched)


def _judged(result):
    # A guard that could not judge, or was interrupted, has said so.
    return result.guard is not None or "the guard" in result.found.message


def _trained(result):
    return result.trained


def _differentiated(result):
    return not result.closed_form


# What an argument needs to act: whether a searched candidate has it, and its name.
VECTOR = "a vector of penalties, Continuous(per=...)"
RANGE = _searched, "a range that is searched, see hypergradient_"
NEEDS = {
    "guard": (_judged, f"{VECTOR}, whose entries differ"),
    "shrinkage": (_vector, VECTOR),
    "resample": (_trained, "a model that is trained step by step"),
    "hypergradient": (_differentiated, "a model whose predictions have no closed form"),
    "optimizer": RANGE,
    "validation_loss": RANGE,
    "search_cv": RANGE,
    "max_iter": RANGE,
    "tol": RANGE,
    "selection": RANGE,
}
# Arguments that act in every search.
OF_EVERY_SEARCH = {name for name, need in NEEDS.items() if need is RANGE}


def idle_options(given, results):
    """Remarks about arguments that did nothing.

    Parameters
    ----------
    given : dict
        The arguments that differ from their defaults, by name.
    results : list of SearchedResult or EnumeratedResult

    Returns
    -------
    list of Remark
    """
    searched = [result for result in results if result.is_searched]
    if not searched and "selection" in given:
        selection = given["selection"]
        given = {name: value for name, value in given.items() if name != "selection"}
        told = NOTHING_TO_SELECT.format(selection)
        return [Remark(told), *idle_options(given, results)]
    idle = {}
    for name, value in given.items():
        has, need = NEEDS[name] if searched else RANGE
        if not any(map(has, searched)):
            idle.setdefault(need, []).append(_shown(name, value))
    return [Remark(_text(names, need), warns=False) for need, names in idle.items()]


def _text(names, need):
    does, it = ("does", "it needs") if len(names) == 1 else ("do", "they need")
    *first, last = names
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"{listed} {does} nothing here: {it} {need}."


def _shown(name, value):
    return f"{name}={value!r}" if isinstance(value, str | numbers.Number) else name
