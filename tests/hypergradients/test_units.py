"""Undone training gives the hypergradient in whatever units data and weights are."""

import autograd.numpy as anp
import numpy as np
import pytest

from sklearn_hypergrad.hypergradients import Reverse, Reversible, hypergradient
from sklearn_hypergrad.problems import AutogradTraining
from sklearn_hypergrad.training import Momentum, Training
from sklearn_hypergrad.training.batches import Listed

N_STEPS = 25
FORMS = [Momentum(), Momentum(averaged=True)]
UNITS = [
    ((1e-12, 1e-12), 0.0),
    ((1e-12, 1e-12), 1.0),
    ((1e12, 1e12), 0.0),
    ((1e12, 1e12), 1.0),
    ((1e-6, 1e-6), 1.0),
    ((1e-9, 1e9), 1.0),
    ((1e12, 1.0), 0.0),
]
RNG = np.random.default_rng(0)
X, X_val, Z, Z_val = RNG.normal(size=(4, 30, 2))
y, y_val = RNG.normal(size=(2, 30))


class Case:
    """Least squares of features in two units, each with weights and a learning rate of its own."""

    def __init__(self, dynamics, units, begun):
        self.units = units
        start = {
            name: begun / u * np.array([0.5, -0.3]) for name, u in zip("ab", units, strict=True)
        }
        problem = AutogradTraining(self.loss, start)
        settings = {"momentum": 0.9}
        self.training = Training(problem, dynamics, Listed([None]), N_STEPS, settings)
        self.h = {"alpha": 0.1, "learning_rate_init": 0.05 / np.square(units)}

    def loss(self, w, h, rows):
        a, b = (w[name] * unit for name, unit in zip("ab", self.units, strict=True))
        penalty = h["alpha"] * (anp.sum(a**2) + anp.sum(anp.sin(b) ** 2))
        return self.error(w, X, Z, y) + penalty

    def outer(self, w, h):
        return self.error(w, X_val, Z_val, y_val)

    def error(self, w, X, Z, y):
        of_a, of_b = self.units
        return anp.mean((anp.dot(X * of_a, w["a"]) + anp.dot(Z * of_b, w["b"]) - y) ** 2)

    def gradient(self, method):
        """Logarithmic derivatives: the same for all units."""
        found = hypergradient(self.training, self.outer, self.h, method=method)
        return np.concatenate([np.ravel(found.gradient[n] * self.h[n]) for n in self.h])

    def difference(self, direction, five_point):
        def value(s):
            moved = np.exp(s * direction)
            h = {
                "alpha": self.h["alpha"] * moved[0],
                "learning_rate_init": self.h["learning_rate_init"] * moved[1:],
            }
            w = self.training.run(h).final().w
            return self.outer(self.training.problem.structure.unflatten(w), h)

        return five_point(value, 1e-3)


@pytest.mark.parametrize(("units", "begun"), UNITS, ids=str)
@pytest.mark.parametrize("dynamics", FORMS, ids=repr)
@pytest.mark.thorough
def test_hypergradients_do_not_depend_on_units(dynamics, units, begun, five_point):
    case = Case(dynamics, units, begun)
    found, expected = case.gradient(Reversible()), case.gradient(Reverse())
    largest = np.abs(expected).max()
    assert np.abs(found - expected).max() <= 1e-9 * largest
    direction = np.array([0.6, -0.3, 0.8])
    difference = case.difference(direction, five_point)
    assert abs(found @ direction - difference) < 1e-7 * largest
    # Control: an error of 0.1 % is beyond all of these.
    assert abs(1.001 * (found @ direction) - difference) > 1e-4 * abs(difference)
    assert largest > 1e-4


def test_weights_that_grow_large_are_no_divergence():
    def loss(w, h, rows):
        return -h["alpha"] * anp.sum(w**2)

    training = Training(
        AutogradTraining(loss, np.ones(3)), Momentum(), Listed([None]), 200, {"momentum": 0.5}
    )
    h = {"alpha": 0.1, "learning_rate_init": 1.0}
    found = [
        hypergradient(training, lambda w, h: anp.sum(anp.log(w)), h, method=method)
        for method in (Reversible(), Reverse())
    ]
    assert found[0].w.min() > 1e20
    np.testing.assert_allclose(found[0].w, found[1].w, rtol=1e-9)
    for name in h:
        np.testing.assert_allclose(found[0].gradient[name], found[1].gradient[name], rtol=1e-9)
