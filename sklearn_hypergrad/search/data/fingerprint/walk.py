"""The walk through values, and their hash."""

import contextlib
import enum
import hashlib
import pathlib
import types

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.search.data.fingerprint.arrays import add_array, add_frame, add_sparse
from sklearn_hypergrad.search.data.fingerprint.code import add_class, add_function
from sklearn_hypergrad.search.data.fingerprint.objects import add_object

# Bytes of a fingerprint. Chosen by hand: two of 2**32 different ones are equal once in 2**64 times.
SIZE = 16
# Types whose text says everything.
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), range, slice)


def fingerprint(**values):
    """The fingerprint of some values, as hexadecimal digits.

    Parameters
    ----------
    **values : dict
        Values by the names that errors call them.

    Returns
    -------
    str

    Raises
    ------
    NoFingerprint
        If a value is, or contains, a lambda, a local function or class, an open file, a generator,
        or an object that cannot be pickled or whose pickle is not that of its copy.
    """
    walk = Walk()
    for name, value in values.items():
        walk.add(name, name)
        walk.add(value, name)
    return walk.digest


class Walk:
    """A hash to which values are added, with all that they contain.

    Parameters
    ----------
    inside : dict, default=()
        Numbers of the objects that the values are inside of, by their id.
    verifies : bool, default=True
        Whether the pickles of objects are compared with those of their copies.

    Attributes
    ----------
    classes : set
        Classes whose code has been added.
    whole : bool
        Whether estimators are added as they are, and not as clones of them would be.
    """

    def __init__(self, inside=(), *, verifies=True):
        self._hash = hashlib.blake2b(digest_size=SIZE)
        self.inside = dict(inside)
        self.verifies = verifies
        self.classes = set()
        self.whole = False

    @property
    def digest(self):
        """The hash so far, as hexadecimal digits."""
        return self._hash.hexdigest()

    def add(self, value, path):
        """Add a value; ``path`` is where it is found, for errors."""
        if type(value) in PLAIN:
            self.put(type(value).__name__, value if type(value) is bytes else repr(value))
        elif id(value) in self.inside:
            self.put("seen", self.inside[id(value)])
        else:
            self.inside[id(value)] = len(self.inside)
            try:
                _adder(value)(self, value, path)
            finally:
                del self.inside[id(value)]

    def put(self, kind, content=b""):
        """Add bytes or text of some kind."""
        if not isinstance(content, bytes | memoryview):
            content = str(content).encode("utf-8", "surrogatepass")
        self._hash.update(f"{kind} {len(content)} ".encode())
        self._hash.update(content)

    @contextlib.contextmanager
    def of_whole_estimators(self):
        """Within it, estimators are inside of other objects, which clones keep as they are."""
        before, self.whole = self.whole, True
        try:
            yield
        finally:
            self.whole = before

    def apart(self, value, path):
        """The digest of a value by itself, inside of the same objects."""
        walk = Walk(self.inside, verifies=self.verifies)
        walk.whole = self.whole
        walk.add(value, path)
        return walk.digest


def _adder(value):
    """The function that adds a value."""
    if type(value) in CONTAINERS:
        return CONTAINERS[type(value)]
    if issparse(value):
        return add_sparse
    return next(add for types_, add in KINDS if isinstance(value, types_))


def _add_sequence(walk, value, path):
    walk.put(type(value).__name__, len(value))
    for number, part in enumerate(value):
        walk.add(part, f"{path}[{number}]")


def _add_dict(walk, value, path):
    walk.put("dict", len(value))
    for key, part in value.items():
        walk.add(key, f"a key of {path}")
        walk.add(part, f"{path}[{key!r}]")


def _add_set(walk, value, path):
    digests = sorted(walk.apart(part, f"an element of {path}") for part in value)
    walk.put(type(value).__name__, "".join(digests))


def _add_member(walk, value, path):
    walk.add(type(value), path)
    walk.put("member", value.name)


def _add_path(walk, value, path):
    walk.put("path", value)


def _add_other(walk, value, path):
    add_frame(walk, value, path) or add_object(walk, value, path)


CONTAINERS = {
    list: _add_sequence,
    tuple: _add_sequence,
    dict: _add_dict,
    set: _add_set,
    frozenset: _add_set,
}
KINDS = [
    (np.ndarray | np.generic, add_array),
    (type, add_class),
    (types.FunctionType, add_function),
    (enum.Enum, _add_member),
    (pathlib.PurePath, _add_path),
    (object, _add_other),
]
