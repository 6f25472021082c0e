"""What JAX cannot compile is refused with a remedy, and what is compiled is not out of date."""

import contextlib
import pickle
import threading

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.problems.autograd.backends import derivatives_of, detected, flat
from sklearn_hypergrad.problems.autograd.identity import identity_of
from sklearn_hypergrad.problems.autograd.nested import Nested

jax = pytest.importorskip("jax")
jnp = jax.numpy
W, H = np.array([0.5, -1.0, 2.0]), {"a": 0.3}
X = np.arange(12.0).reshape(4, 3)
STRUCTURE = Nested(W)


def derivatives(function, backend="jax", structure=STRUCTURE):
    return derivatives_of(function, structure, backend)


def branches(w, h):
    return jnp.sum(w) if h["a"] > 0 else jnp.sum(w**2)


def converts(w, h):
    return float(h["a"]) * jnp.sum(w)


def masks(w, h):
    return h["a"] * jnp.sum(w[w > 0])


def assigns(w, h):
    w = jnp.sin(w)
    w[0] = h["a"]
    return jnp.sum(w)


def calls_numpy(w, h):
    return jnp.sum(np.tanh(w)) * h["a"]


def calls_autograd(w, h):
    return anp.sum(anp.tanh(w)) * h["a"]


def indexes_lists(w, h, n):
    return jnp.sum(w) * [1.0, 2.0, 3.0][n]


def indexes_numpy(w, h, rows):
    return jnp.sum(X[rows] @ w)


def draws(w, h):
    return h["a"] * jnp.sum(w * np.random.default_rng().normal(size=3))


def draws_one(w, h):
    return h["a"] * jnp.sum(w) * np.random.default_rng().normal()


KEPT = []


def keeps(w, h):
    KEPT.append(w)
    return jnp.sum(KEPT[0] * w)


@pytest.mark.parametrize(
    ("function", "data", "remedy"),
    [
        (branches, (), r"branches in Python .* Write jnp.where\(condition, a, b\)"),
        (converts, (), r"by float\(\), int\(\) or item\(\). Leave that out"),
        (masks, (), r"selects entries by a mask, .* Write jnp.where\(mask, X, 0\)"),
        (assigns, (), r"assigns to entries of an array. Write w = w.at\[i\].set\(value\)"),
        (calls_numpy, (), "calls numpy or autograd.numpy .*'import jax.numpy as jnp'"),
        (calls_autograd, (), "or set backend='autograd'"),
        (indexes_lists, (1,), "as a size or as an index of a list. Take sizes from shapes"),
        (indexes_numpy, (np.arange(2),), r"indexes an array of NumPy .* data=\(X, y\)"),
        (draws, (), r"is another one when it is called again, .* draw them in initial\(\)"),
        (draws_one, (), "draws random numbers"),
        (keeps, (), "keeps arrays between calls, return them instead"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_compiled_has_a_remedy(function, data, remedy):
    with pytest.raises(TypeError, match=f"JAX cannot compile this function: it .*{remedy}"):
        derivatives(function).gradient(W, H, *data)


def test_jax_numpy_under_autograd_is_told():
    with pytest.raises(TypeError, match=r"is written with jax.numpy, .* Set backend='jax'"):
        derivatives(lambda w, h: jnp.sum(w**2), "autograd").gradient(W, H)


def test_errors_of_the_function_are_its_own():
    with pytest.raises(KeyError, match="'b'"):
        derivatives(lambda w, h: h["b"]).gradient(W, H)
    with pytest.raises(TypeError, match="^unsupported operand"):
        derivatives(lambda w, h: jnp.sum(w) + "1").gradient(W, H)


def test_a_loss_is_one_number():
    with pytest.raises(ValueError, match=r"returns an array of shape \(3,\)"):
        derivatives(lambda w, h: w * jnp.ones(3)).gradient(W, H)


# jnp.where in place of a branch, and sizes that are known.
def allowed(w, h, X):
    total = sum(X[i] @ w for i in range(len(X)))
    return jnp.where(h["a"] > 0, total, -total) if X.ndim == 2 else 0.0 * total


@pytest.mark.parametrize(
    ("function", "backend"),
    [
        (allowed, "jax"),
        (lambda w, h, X: anp.sum(X @ w), "autograd"),
        (lambda w, h, X: (X @ w).sum(), "autograd"),
        # For JAX, though neither can compile it.
        (lambda w, h, X: float(h["a"]) * jnp.sum(w), "jax"),
    ],
)
def test_the_backend_is_detected(function, backend):
    assert detected(function, STRUCTURE.split(W), STRUCTURE, H, (X,)) == backend
    found = derivatives(function, "auto")
    with contextlib.suppress(TypeError):
        found.value(W, H, X)
    assert type(found._found).__name__ == {"jax": "JaxDerivatives"}.get(backend, "Derivatives")


def loss(w, h, X):
    return h["a"] * jnp.sum(jnp.tanh(X @ w) ** 2)


def test_one_compilation_per_shape_and_many_are_told():
    def function(w, h, X):
        return jnp.sum(X @ w)

    found = derivatives(function)
    for _ in range(3):
        for n_rows in (1, 2, 1):
            found.gradient(W, H, X[:n_rows])
    assert found._compiled.n_traces["gradient"] == 2
    again = derivatives(function)
    again.gradient(W, H, X[:1])
    assert again._compiled is found._compiled
    many = np.ones((20, 3))
    for n_rows in range(3, 9):
        found.gradient(W, H, many[:n_rows])
    with pytest.warns(HypergradWarning, match=r"for 8 different shapes .* batches of one size"):
        found.gradient(W, H, many)


FACTOR = 2.0


def scaled(factor):
    return lambda w, h: factor * FACTOR * helped(w)


def helped(w):
    return jnp.sum(w) + FACTOR


def test_what_a_function_reads_from_outside_belongs_to_it(monkeypatch):
    def value(factor):
        return derivatives(scaled(factor)).value(W, H)

    assert identity_of(scaled(1.0)) == identity_of(scaled(1.0)) != identity_of(scaled(1))
    before = value(1.0)
    assert_allclose([before, value(3.0), value(1.0)], [7.0, 21.0, 7.0])
    monkeypatch.setitem(globals(), "FACTOR", 5.0)
    assert_allclose(value(1.0), 5 * 6.5)
    monkeypatch.setitem(globals(), "helped", lambda w: 0.0 * jnp.sum(w))
    assert value(1.0) == 0


def test_few_functions_stay_compiled(monkeypatch):
    from sklearn_hypergrad.problems.autograd import jax_derivatives

    kept = jax_derivatives.Recent(3)
    monkeypatch.setattr(jax_derivatives, "COMPILED", kept)
    first = derivatives(scaled(0.0))._compiled
    for factor in (1.0, 2.0, 0.0, 3.0):
        derivatives(scaled(factor))
    assert len(kept) == 3
    assert derivatives(scaled(0.0))._compiled is first


def test_float64_whatever_the_setting_is():
    """Outside, nothing changes."""
    assert jnp.ones(2).dtype == np.float32
    found = derivatives(loss)
    ours = found.gradient(W, H, X)
    assert jnp.ones(2).dtype == np.float32
    with jax.enable_x64(True):
        theirs = found.gradient(W, H, X)
    assert ours[0] == theirs[0]
    assert_array_equal(ours[1], theirs[1])
    assert_allclose(ours[0], 0.3 * np.sum(np.tanh(X @ W) ** 2), rtol=1e-15)


def test_derivatives_are_pickled_and_shared_by_threads():
    found = derivatives(loss)
    copy = pickle.loads(pickle.dumps(found))
    assert copy._compiled is found._compiled
    results = []

    def work():
        results.append(copy.gradients(W, H, X))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for value, slope, direct in results:
        assert (value, direct["a"]) == (results[0][0], results[0][2]["a"])
        assert_array_equal(slope, results[0][1])


def test_weights_as_one_array():
    nested = {"b": np.ones((2, 2)), "a": [np.zeros(1), 3.0]}
    structure = Nested(nested)

    def function(w, h):
        return jnp.sum(flat(w) * jnp.arange(6))

    _, slope = derivatives(function, structure=structure).gradient(structure.flatten(nested), H)
    assert_array_equal(slope, np.arange(6))
    assert_array_equal(flat(nested), [0, 3, 1, 1, 1, 1])
