"""The same hypergradient of a network by JAX, compiled before it is timed."""

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def jax_hypergradient(training, h, dtype):
    """A function that computes it, for the training loss and the schedules of ``training``."""
    problem = training.problem
    X, y = (jnp.asarray(array, dtype) for array in (problem._X, problem._y))
    start = [tuple(map(jnp.asarray, pair)) for pair in problem.network.layers(problem.initial({}))]
    batches = jnp.asarray(np.stack([training.batches.rows(t) for t in range(training.n_steps)]))
    values = {name: jnp.asarray(value, dtype) for name, value in h.items()}

    def loss(layers, rows, alpha):
        penalty = sum(jnp.sum(W**2) for W, _ in layers)
        return cross_entropy(layers, X[rows], y[rows]) + alpha / 2 * penalty

    def step(state, at):
        layers, velocities, alpha = state
        rates, momenta, rows = at
        gradients = jax.grad(loss)(layers, rows, alpha)
        moved = [
            tuple(m * v - r * g for v, g in zip(*pair, strict=True))
            for m, r, *pair in zip(momenta, rates, velocities, gradients, strict=True)
        ]
        layers = [
            tuple(a + v for a, v in zip(*pair, strict=True))
            for pair in zip(layers, moved, strict=True)
        ]
        return (layers, moved, alpha), None

    @jax.jit
    @jax.grad
    def gradient(values):
        layers = [
            (scale * W, scale * b)
            for scale, (W, b) in zip(values["init_scale"], start, strict=True)
        ]
        still = [(jnp.zeros_like(W), jnp.zeros_like(b)) for W, b in layers]
        over_steps = values["learning_rate_init"], values["momentum"], batches
        (layers, *_), _ = jax.lax.scan(step, (layers, still, values["alpha"]), over_steps)
        return cross_entropy(layers, X[:2000], y[:2000])

    return lambda: jax.block_until_ready(gradient(values))


def cross_entropy(layers, X, y):
    """Mean over samples, of a network with tanh units."""
    for W, b in layers[:-1]:
        X = jnp.tanh(X @ W + b)
    W, b = layers[-1]
    return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(X @ W + b), axis=1))
