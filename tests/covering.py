"""Which cases of a test with many parameters are run by default: a pairwise covering of them.

Most mistakes show with one value of one parameter or with two values of two. Cases in which every
pair of values occurs find these as well as the full product does, in a small part of its time.
"""

import itertools

MIN_PARAMETERS = 3


def covering(rows):
    """Positions of rows in which every pair of values occurs that occurs in any of the rows.

    Rows are tuples of the same length of values that can be hashed. Greedy and deterministic: the
    row with the most new pairs comes next, the first of several. Equal rows are covered by one.
    """
    pairs = [set(itertools.combinations(enumerate(row), 2)) for row in rows]
    missing = set().union(*pairs)
    chosen = []
    while missing:
        gains = [len(own & missing) for own in pairs]
        best = gains.index(max(gains))
        chosen.append(best)
        missing -= pairs[best]
    return sorted(chosen)


def key(value):
    """What tells values apart: True is not 1, and a list is only itself."""
    try:
        hash(value)
    except TypeError:
        return None, id(value)
    return type(value), value


def parameters(item):
    """Values of a case, one for each parameter.

    Each decorator is one parameter, however many arguments it has: its rows may have been chosen
    one by one. The rows of a test marked ``product`` are a product by themselves: there each
    argument is a parameter, and so is each entry of the tuples that a fixture is given.
    """
    fixtures = {name: key(value) for name, value in item.callspec.params.items()}
    arguments = []
    for mark in item.iter_markers("parametrize"):
        names = mark.args[0]
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
        arguments.append(tuple(fixtures.pop(name) for name in names))
    if item.get_closest_marker("product") is None:
        return (*arguments, *fixtures.values())
    values = list(itertools.chain(*arguments))
    for kind, value in fixtures.values():
        values += map(key, value) if kind is tuple else [(kind, value)]
    return tuple(values)


def beyond_covering(items):
    """The cases that a pairwise covering of each test's cases leaves out."""
    tests = {}
    for item in items:
        if hasattr(item, "callspec"):
            tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for cases in tests.values():
        rows = [parameters(item) for item in cases]
        if len(rows[0]) >= MIN_PARAMETERS:
            kept = set(covering(rows))
            yield from (item for i, item in enumerate(cases) if i not in kept)
