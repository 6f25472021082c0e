"""Objects in a fingerprint: parameters of estimators, and of others the parts of their pickles."""

import copy
import copyreg
import inspect
import types

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_hypergrad.search.data.fingerprint.code import KNOWN, NoFingerprint, package_of

# What scikit-learn's clone copies besides parameters: containers of outputs, routing of metadata.
COPIED = "_sklearn_output_config", "_metadata_request"
USUAL_CLONE = inspect.getattr_static(BaseEstimator, "__sklearn_clone__")
# The newest protocol of pickle that all versions of Python have.
PROTOCOL = 4


def add_object(walk, value, path):
    """Add an object of any class."""
    if hasattr(value, "get_params") and not (walk.whole or _cloned_in_its_own_way(value)):
        _add_estimator(walk, value, path)
    elif value is np.random.mtrand._rand:
        # The generator of all who have no seed: its state is that of the process.
        walk.put("unseeded")
    elif isinstance(value, types.MethodType):
        walk.put("method")
        with walk.of_whole_estimators():
            walk.add((value.__func__, value.__self__), path)
    else:
        if walk.verifies and package_of(type(value)) not in KNOWN:
            _verify(walk, value, path)
        _add_parts(walk, value, path)


def _add_estimator(walk, value, path):
    """Add what a clone has."""
    walk.add(type(value), path)
    for name, part in sorted(value.get_params(deep=False).items()):
        walk.add(name, path)
        walk.add(part, f"{path}.{name}")
    walk.add([vars(value).get(name) for name in COPIED], path)


def _cloned_in_its_own_way(estimator):
    own = inspect.getattr_static(type(estimator), "__sklearn_clone__", None)
    return own not in (None, USUAL_CLONE)


def _add_parts(walk, value, path):
    """Add what pickle stores of an object."""
    reduced = _possible(_reduced, value, path)
    walk.add(type(value), path)
    if isinstance(reduced, str):
        walk.put("global", f"{getattr(value, '__module__', '')}.{reduced}")
        return
    for number, part in enumerate(reduced):
        # Items of subclasses of list and dict, parts 3 and 4, are iterators.
        with walk.of_whole_estimators():
            walk.add(list(part) if number > 2 and part is not None else part, path)


def _verify(walk, value, path):
    """Raise NoFingerprint if the pickle of an object depends on more than its content."""
    digests = []
    for each in (value, _possible(copy.deepcopy, value, path)):
        apart = type(walk)(verifies=False)
        _add_parts(apart, each, path)
        digests.append(apart.digest)
    if digests[0] != digests[1]:
        raise NoFingerprint(
            f"{path} is {_shown(value)}, whose pickle is not the same as that of its copy, and "
            f"need not be the same in another process. Give its __getstate__ plain values only."
        )


def _reduced(value):
    reduce = copyreg.dispatch_table.get(type(value))
    return value.__reduce_ex__(PROTOCOL) if reduce is None else reduce(value)


def _possible(function, value, path):
    """``function(value)``; NoFingerprint if it is not possible."""
    try:
        return function(value)
    except Exception as error:
        raise NoFingerprint(
            f"{path} is {_shown(value)}, which cannot be given to another process: {error}. Use an "
            f"object that can be pickled, such as a list in place of a generator."
        ) from error


def _shown(value):
    return f"an object of {type(value).__module__}.{type(value).__qualname__}"
