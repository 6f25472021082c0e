"""Nested structures of arrays as one flat array, and back."""

import itertools

import numpy as np


class Nested:
    """The structure of weights: dicts, lists and tuples of arrays and floats, nested to any depth.

    The flat array has the leaves one after the other, those of a dict in the order of its sorted
    keys, as in ``autograd.misc.flatten``.

    Parameters
    ----------
    example : nested structure
        An example of the structure; integers count as floats.
    dtype : dtype, default=float64
        Of flat arrays.

    Attributes
    ----------
    shapes : list of tuple of int
        Shapes of the leaves.
    size : int
        Length of the flat array.
    group_sizes : tuple of int
        Sizes of the top-level parts, without empty ones; a single array is one part.

    Raises
    ------
    TypeError
        If a leaf is not an array of numbers.
    """

    def __init__(self, example, dtype=np.float64):
        self.dtype = np.dtype(dtype)
        self._container = _container(example)
        self._keys = _keys(example)
        self._parts = [Nested(example[key]) for key in self._keys] if self._container else []
        if self._container is None:
            self.shapes = [_leaf(example).shape]
        else:
            self.shapes = [shape for part in self._parts for shape in part.shapes]
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        ends = [int(end) for end in np.cumsum([0, *sizes])]
        self._slices = [slice(*pair) for pair in itertools.pairwise(ends)]
        self.size = ends[-1]
        groups = [part.size for part in self._parts] if self._container else [self.size]
        self.group_sizes = tuple(filter(None, groups))

    def leaves(self, nested):
        """The leaves of a structure as a list of arrays."""
        if self._container is None:
            return [_leaf(nested)]
        if _container(nested) is not self._container or _keys(nested) != self._keys:
            raise ValueError(f"{_described(nested)} takes the place of {self!r}.")
        pairs = zip(self._parts, self._keys, strict=True)
        return [leaf for part, key in pairs for leaf in part.leaves(nested[key])]

    def flatten(self, nested):
        """A structure as a new flat array."""
        return self.join(self.leaves(nested))

    def join(self, leaves):
        """Leaves as a new flat array.

        Raises
        ------
        ValueError
            If a leaf has another shape than in the example.
        """
        shapes = [np.shape(leaf) for leaf in leaves]
        if shapes != self.shapes:
            raise ValueError(f"Arrays of the shapes {shapes} take the place of {self.shapes}.")
        flat = np.empty(self.size, self.dtype)
        for part, leaf in zip(self._slices, leaves, strict=True):
            flat[part] = np.ravel(leaf)
        return flat

    def split(self, flat):
        """The leaves of a flat array: views of it, and numbers."""
        parts = zip(self._slices, self.shapes, strict=True)
        return [flat[part].reshape(shape)[()] for part, shape in parts]

    def nest(self, leaves):
        """The nested structure with these leaves."""
        return self._build(iter(leaves))

    def unflatten(self, flat):
        """The nested structure of a flat array, without a copy; autograd differentiates it."""
        return self.nest(self.split(flat))

    @property
    def signature(self):
        """What two structures have in common that are the same, as a tuple."""
        if self._container is None:
            return self.shapes[0]
        parts = tuple(part.signature for part in self._parts)
        return self._container.__name__, tuple(self._keys), parts

    def __repr__(self):
        if self._container is None:
            return f"an array of shape {self.shapes[0]}"
        return f"a {self._container.__name__} of {', '.join(map(repr, self._keys)) or 'nothing'}"

    def _build(self, leaves):
        if self._container is None:
            return next(leaves)
        built = [part._build(leaves) for part in self._parts]
        if self._container is dict:
            return dict(zip(self._keys, built, strict=True))
        return self._container(built)


def n_parts(w):
    """Number of the parts of the outermost dict, list or tuple, which are its layers."""
    return len(w) if isinstance(w, dict | list | tuple) else 1


def _container(nested):
    return type(nested) if type(nested) in (dict, list, tuple) else None


def _keys(nested):
    """Keys or indices of the parts of a container, in order."""
    if type(nested) is dict:
        return sorted(nested)
    return list(range(len(nested))) if _container(nested) else []


def _leaf(value):
    if isinstance(value, dict | list | tuple):
        raise TypeError(
            f"Weights are dicts, lists and tuples of arrays, got a {type(value).__name__}."
        )
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"Weights are arrays of real numbers, got {value!r}.")
    return array.astype(np.float64, copy=False)


def _described(nested):
    container = _container(nested)
    if container is None:
        return f"An array of shape {np.shape(nested)}"
    return f"A {container.__name__} of {', '.join(map(repr, _keys(nested))) or 'nothing'}"
