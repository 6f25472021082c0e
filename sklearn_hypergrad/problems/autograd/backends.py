"""Who derives a loss of one's own, autograd or JAX, and which of them a loss is written with.

JAX is imported only if it is asked for by name, or if the user has imported it already.
"""

import autograd.numpy
import autograd.scipy.special

from sklearn_hypergrad._autograd import flatten
from sklearn_hypergrad.problems.autograd.derivatives import Derivatives, called, numbers
from sklearn_hypergrad.problems.autograd.loaded_jax import is_of_jax, load_jax, loaded_jax
from sklearn_hypergrad.problems.autograd.trace import Trace, is_traceable

BACKENDS = ("auto", "autograd", "jax")


def check_backend(backend):
    """Refuse an unknown backend, and JAX where it is not installed.

    Parameters
    ----------
    backend : {"auto", "autograd", "jax"}

    Raises
    ------
    ValueError
        If it is none of these.
    ImportError
        If it is "jax", and JAX cannot be imported.
    """
    if not isinstance(backend, str) or backend not in BACKENDS:
        raise ValueError(f"backend must be 'auto', 'autograd' or 'jax', got {backend!r}.")
    if backend == "jax":
        load_jax()


def derivatives_of(function, structure, backend):
    """Derivatives of a function of weights, hyperparameters and data.

    Parameters
    ----------
    function : callable
        ``function(w, h, *data)``, one number, with ``w`` nested as ``structure``. JAX compiles it
        once for all functions of the same identity, see :mod:`identity`.
    structure : Nested
    backend : {"auto", "autograd", "jax"}
        "auto" looks at the first call which of them it takes.

    Returns
    -------
    Derivatives, JaxDerivatives or Detected
    """
    check_backend(backend)
    if backend == "auto":
        return Detected(function, structure)
    return _class_of(backend)(function, structure)


def trace_of(function, inputs, backend):
    """The trace of a function of several arrays at one point.

    Parameters
    ----------
    function : callable
        Takes the inputs and returns a sequence of arrays.
    inputs : sequence of arrays or floats
    backend : {"autograd", "jax"}

    Returns
    -------
    Trace or JaxTrace
    """
    if backend == "autograd":
        return Trace(function, inputs)
    load_jax()
    from sklearn_hypergrad.problems.autograd.jax_trace import JaxTrace

    return JaxTrace(function, inputs)


def held_data(data, backend):
    """Data of many calls, where the backend has them at hand."""
    return load_jax().on_device(tuple(data)) if backend == "jax" else tuple(data)


def jax_gauss_newton(parts, structure):
    """The JaxGaussNewton of these functions."""
    load_jax()
    from sklearn_hypergrad.problems.autograd.jax_derivatives import JaxGaussNewton

    return JaxGaussNewton(parts, structure)


class Detected:
    """Derivatives by the backend that the function is written with, as the first call shows.

    Parameters
    ----------
    function : callable
    structure : Nested
    """

    def __init__(self, function, structure):
        self._function, self._structure = function, structure
        self._found = None

    def evaluate(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).evaluate(w, h, *data)

    def reached(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).reached(w, h, *data)

    def value(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).value(w, h, *data)

    def gradient(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).gradient(w, h, *data)

    def gradients(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).gradients(w, h, *data)

    def of_sum(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).of_sum(w, h, *data)

    def hvp(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).hvp(w, h, *data)

    def cross_vjp(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).cross_vjp(w, h, *data)

    def pull(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).pull(w, h, *data)

    def push(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).push(w, h, *data)

    def gradient_and_push(self, w, h, *data):
        """As of Derivatives."""
        return self._at(w, h, data).gradient_and_push(w, h, *data)

    def _at(self, w, h, data):
        if self._found is None:
            backend = detected(self._function, self._structure.split(w), self._structure, h, data)
            self._found = _class_of(backend)(self._function, self._structure)
        return self._found


def detected(function, leaves, structure, h, data):
    """Which backend a function is written with.

    It is "jax" if autograd cannot trace the function and JAX can, or if arrays of JAX come back.

    Parameters
    ----------
    function : callable
        ``function(w, h, *data)``, an array or a number.
    leaves : list of ndarray
        Those of the weights.
    structure : Nested
        Of the weights.
    h : dict
    data : tuple

    Returns
    -------
    {"autograd", "jax"}
    """
    jax, values = loaded_jax(), numbers(h, structure.dtype)
    if jax is None:
        return "autograd"

    def flat(leaves, h, data):
        return called(function, structure.nest(leaves), h, data)

    if is_traceable(lambda *moving: flat(moving, values, data), leaves):
        return "autograd"
    with jax.doubles():
        try:
            jax.make_jaxpr(flat)(leaves, values, data)
        except Exception:
            # It fails with both: whoever it is written for says why.
            return "jax" if is_of_jax(flat(leaves, values, data)) else "autograd"
    return "jax"


def numpy_of(*arrays):
    """The NumPy to compute with: that of JAX if there is an array of JAX, else autograd's."""
    return load_jax().numpy if any(map(is_of_jax, arrays)) else autograd.numpy


def special_of(*arrays):
    """Likewise for ``expit`` and ``logsumexp``."""
    return load_jax() if any(map(is_of_jax, arrays)) else autograd.scipy.special


def flat(w):
    """All weights of a nested structure as one array, in the order of their ``coefficient`` values.

    Parts of a dict come in the order of their sorted names, those of a list in its order. It may be
    used in a loss: autograd and JAX differentiate through it.

    Parameters
    ----------
    w : dict, list, tuple, ndarray or float
        The weights.

    Returns
    -------
    ndarray of shape (n_weights,)
        The same numbers.
    """
    jax = loaded_jax()
    if jax is not None:
        leaves = jax.tree_leaves(w)
        if any(map(is_of_jax, leaves)):
            return jax.numpy.concatenate([jax.numpy.ravel(leaf) for leaf in leaves])
    return flatten(w)[0]


def _class_of(backend):
    if backend == "autograd":
        return Derivatives
    from sklearn_hypergrad.problems.autograd.jax_derivatives import JaxDerivatives

    return JaxDerivatives
