"""First and second derivatives of a loss of nested weights and of hyperparameters, by JAX."""

import collections
import functools
import threading
import warnings

import numpy as np

from sklearn_hypergrad import _jax
from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.problems.autograd.derivatives import numbers
from sklearn_hypergrad.problems.autograd.identity import identity_of
from sklearn_hypergrad.problems.autograd.jax_tracing import explained, inspected
from sklearn_hypergrad.problems.autograd.trace import check_number
from sklearn_hypergrad.spaces import nested

# Number of functions that stay compiled. Chosen by hand: a search needs three or four, and a
# notebook in which classes are defined anew must not fill the memory.
MOST_FUNCTIONS = 32
# Number of shapes of arguments that one function is compiled for before this is said. Chosen by
# hand: batches and folds have one to three each, and a compilation takes about a second.
MANY_SHAPES = 8


class JaxDerivatives:
    """Derivatives of ``loss(w, h, *data)`` by JAX, for flat weights; as Derivatives by autograd.

    Functions are compiled once per identity of the loss, structure of the weights, and shapes. All
    is computed in float64; results are arrays of NumPy of their own.

    Parameters
    ----------
    loss : callable
        ``loss(w, h, *data)``, one number, with ``w`` nested as ``structure``. It may have a method
        ``to_trace()``, which returns what is compiled in its place, and ``defaults``, a dict of
        hyperparameters that are not in every ``h``.
    structure : Nested
    """

    def __init__(self, loss, structure):
        self._loss, self._structure = loss, structure
        self._defaults = numbers(getattr(loss, "defaults", {}))
        key = identity_of(loss), structure.signature
        self._compiled = COMPILED.get(key, lambda: Compiled(loss, structure))

    # Compiled functions are not pickled: they are found or compiled again.
    def __getstate__(self):
        return self._loss, self._structure

    def __setstate__(self, state):
        self.__init__(*state)

    def evaluate(self, w, h, *data):
        """What the function returns, where that is no number: an array."""
        return self._call("evaluate", w, h, data, number=False)

    def reached(self, w, h, *data):
        """Names of the hyperparameters in ``h`` that the function depends on."""
        return self._compiled.inspected(w, self._complete(h), data).reached & set(h)

    def moved(self, w, h, *data):
        """Whether the function has a derivative in the weights."""
        return self._compiled.inspected(w, self._complete(h), data).moved

    def value(self, w, h, *data):
        """The loss."""
        return float(self._call("evaluate", w, h, data))

    def gradient(self, w, h, *data):
        """Value and gradient in ``w``."""
        value, slope = self._call("gradient", w, h, data)
        return float(value), slope

    def gradients(self, w, h, *data):
        """Value, gradient in ``w``, and a dict of gradients in ``h``, without zero ones."""
        value, (slope, direct) = self._call("gradients", w, h, data)
        return float(value), slope, self._reached(direct, w, h, data)

    def of_sum(self, w, h, *data):
        """As ``gradients``, for a function that returns an array: its values, and of their sum."""
        (_, values), (slope, direct) = self._call("of_sum", w, h, data, number=False)
        return values, slope, self._reached(direct, w, h, data)

    def hvp(self, w, h, *data):
        """``v -> H v``."""
        return lambda v: self._call("hvp", w, h, data, v)

    def cross_vjp(self, w, h, *data):
        """``v -> C' v``, a dict shaped like ``h``, without names that the loss never reads."""
        return lambda v: self._read(self._call("cross_vjp", w, h, data, v), w, h, data)

    def pull(self, w, h, *data):
        """``v -> (H v, C' v)``."""

        def products(v):
            product, cross = self._call("pull", w, h, data, v)
            return product, self._read(cross, w, h, data)

        return products

    def push(self, w, h, *data):
        """``(v, u) -> H v + C u``; ``v`` may be None, which is zero, as are names not in ``u``."""

        def product(v, u):
            used = self._compiled.inspected(w, self._complete(h), data).used
            still = {name: np.zeros(np.shape(x)) for name, x in self._complete(h).items()}
            change = numbers({**still, **u}, self._structure.dtype)
            if self._defaults:
                change = {name: x for name, x in change.items() if name in used}
            v = np.zeros(self._structure.size) if v is None else v
            return self._call("push", w, h, data, v, change)

        return product

    def gradient_and_push(self, w, h, *data):
        """Value, gradient in ``w``, and ``push``."""
        return *self.gradient(w, h, *data), self.push(w, h, *data)

    def _reached(self, direct, w, h, data):
        names = self.reached(w, h, *data)
        return {name: direct[name] for name in h if name in names}

    def _read(self, slopes, w, h, data):
        used = self._compiled.inspected(w, self._complete(h), data).used
        return {name: slopes[name] for name in h if name in used}

    def _complete(self, h):
        return numbers({**self._defaults, **h}, self._structure.dtype)

    def _call(self, name, w, h, data, *directions, number=True):
        h = self._complete(h)
        seen = self._compiled.inspected(w, h, data)
        if self._defaults:
            # A rate that has another shape once it is tuned is no reason to compile anew.
            h = {name: value for name, value in h.items() if name in seen.used}
        if number and not seen.number:
            check_number(self._compiled.call("evaluate", w, h, data))
        return self._compiled.call(name, w, h, data, *directions)


class JaxGaussNewton:
    """Products of a GaussNewton by JAX.

    Parameters
    ----------
    parts : tuple
        The functions ``outputs``, ``loss`` and ``rest`` of a GaussNewton; the last may be None.
    structure : Nested
        Of the weights.
    """

    def __init__(self, parts, structure):
        self._defaults = numbers(getattr(parts[0], "defaults", {}))
        key = tuple(map(identity_of, parts)), structure.signature
        self._compiled = COMPILED.get(key, lambda: CompiledGaussNewton(parts, structure))

    def at(self, w, h, *data):
        """``v -> product``, of flat arrays."""
        h = {**self._defaults, **numbers(h)}
        return lambda v: self._compiled.call(w, h, v, data)


class CompiledGaussNewton:
    """One compiled product of a Gauss-Newton matrix with a vector."""

    def __init__(self, parts, structure):
        outputs, loss, rest = (_traceable(part) for part in parts)

        def product(w, h, v, *data):
            h = nested(h)
            z, change, pull = _linear(lambda w: outputs(structure.unflatten(w), h, *data), w, v)
            slope = _jax.grad(lambda z: loss(z, h, *data))
            total = pull(_jax.jvp(slope, (z,), (change,))[1])
            if rest is None:
                return total
            slope = _jax.grad(lambda w: rest(structure.unflatten(w), h, *data))
            return total + _jax.jvp(slope, (w,), (v,))[1]

        self._compiled = _jax.jit(product)

    def call(self, w, h, v, data):
        """The product, in an array of its own."""
        with explained(), _jax.doubles():
            return _owned(self._compiled(w, h, v, *data))


def _linear(function, w, v):
    """A function at ``w``: its value, its change along ``v``, and its transposed derivative."""
    z, change = _jax.jvp(function, (w,), (v,))
    _, pull = _jax.vjp(function, w)
    return z, change, lambda g: pull(g)[0]


class Compiled:
    """Compiled derivatives of one function, whatever its data.

    Attributes
    ----------
    n_traces : Counter
        How often each of them has been traced, which is how often it has been compiled.
    """

    def __init__(self, function, structure):
        function = _traceable(function)
        self.n_traces = collections.Counter()
        self._known, self._unused = {}, {}

        def flat(w, h, *data):
            return function(structure.unflatten(w), nested({**self._unused, **h}), *data)

        self._function = flat
        gradient = _jax.grad(flat)

        def hvp(w, h, v, *data):
            return _jax.jvp(lambda w: gradient(w, h, *data), (w,), (v,))[1]

        def cross_vjp(w, h, v, *data):
            return _jax.vjp(lambda h: gradient(w, h, *data), h)[1](v)[0]

        def pull(w, h, v, *data):
            return _jax.vjp(lambda w, h: gradient(w, h, *data), w, h)[1](v)

        def push(w, h, v, u, *data):
            return _jax.jvp(lambda w, h: gradient(w, h, *data), (w, h), (v, u))[1]

        def with_sum(w, h, *data):
            values = flat(w, h, *data)
            return _jax.numpy.sum(values), values

        functions = {
            "evaluate": flat,
            "of_sum": _jax.value_and_grad(with_sum, (0, 1), has_aux=True),
            "gradient": _jax.value_and_grad(flat),
            "gradients": _jax.value_and_grad(flat, (0, 1)),
            "hvp": hvp,
            "cross_vjp": cross_vjp,
            "pull": pull,
            "push": push,
        }
        self._compiled = {name: self._counted(name, made) for name, made in functions.items()}

    def inspected(self, w, h, data):
        """What a trace shows of the function, checked; traced once per set of hyperparameters."""
        names = tuple(h)
        if names not in self._known:
            seen = inspected(self._function, w, h, data)
            # For a function that looks at what it does not use, where that is left out.
            unused = {name: np.zeros(np.shape(h[name])) for name in h if name not in seen.used}
            self._unused = {**self._unused, **unused}
            self._known[names] = seen
        return self._known[names]

    def call(self, name, w, h, data, *directions):
        """One of the functions, with results in arrays of NumPy that are writable."""
        try:
            with _jax.doubles():
                return _owned(self._compiled[name](w, h, *directions, *data))
        except Exception:
            # With the remedy, if there is one.
            with explained():
                raise

    def _counted(self, name, function):
        @functools.wraps(function)
        def counted(*args):
            # Runs when JAX traces, and not when what was compiled is called.
            self.n_traces[name] += 1
            if self.n_traces[name] == MANY_SHAPES + 1:
                warnings.warn(
                    f"JAX has compiled a loss for {MANY_SHAPES} different shapes of its data, "
                    f"which takes about a second each. Take batches of one size, folds of equal "
                    f"numbers of samples, or backend='autograd'.",
                    HypergradWarning,
                    stacklevel=2,
                )
            return function(*args)

        return _jax.jit(counted)


class Recent:
    """Values that are kept by key, those that were asked for last.

    Parameters
    ----------
    most : int
    """

    def __init__(self, most):
        self._most = most
        self._kept = collections.OrderedDict()
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._kept)

    def get(self, key, make):
        """The value of a key, made if there is none."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return self._kept[key]

    def values(self):
        """All values, the one that was asked for last at the end."""
        with self._lock:
            return list(self._kept.values())


COMPILED = Recent(MOST_FUNCTIONS)


def _traceable(function):
    """What is traced in the place of a function."""
    return getattr(function, "to_trace", lambda: function)()


def _owned(tree):
    """Nested arrays of JAX as writable arrays of NumPy, and numbers."""
    if isinstance(tree, tuple):
        return tuple(map(_owned, tree))
    if isinstance(tree, dict):
        return {name: _owned(part) for name, part in tree.items()}
    # Read-only memory of JAX is not for those who write in place.
    return np.array(tree)[()]
