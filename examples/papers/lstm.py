"""A recurrent network that predicts the next character, in functions of autograd or JAX."""

import importlib

import autograd.numpy
import numpy

# Weights that have penalties, and what noise multiplies.
MATRICES, NOISY = ("embedding", "input", "state", "output"), ("input", "state", "output")


class Network:
    """An LSTM that predicts characters, in functions of autograd or JAX.

    Parameters
    ----------
    backend : {"autograd", "jax"}

    Attributes
    ----------
    judge : callable
        ``judge(w, windows)``, the loss without noise. It is not to be differentiated.
    """

    def __init__(self, backend):
        self._np = importlib.import_module(f"{backend}.numpy")
        self._scan, self.judge = scan, self.bits
        if backend == "jax":
            jax = importlib.import_module("jax")
            self._scan, self.judge = jax.lax.scan, jax.jit(self.bits)

    def training_loss(self, w, h, batch):
        """Bits per character, with noise, and penalties."""
        windows, drawn = batch
        noise = {place: 1 + h["noise"][place] * drawn[place] for place in NOISY}
        penalties = (self._np.sum(h["alpha"][name] * w[name] ** 2) for name in MATRICES)
        return self.bits(w, windows, noise) + sum(penalties)

    def bits(self, w, windows, noise=None):
        """Bits per character of windows, each of which begins with a state of zeros."""
        np, noise = self._np, noise or dict.fromkeys(NOISY, 1.0)
        letters = w["embedding"][windows[:, :-1]] * noise["input"]
        states = self._states(w, np.matmul(letters, w["input"]) + w["bias"], noise["state"])
        scores = np.matmul(states * noise["output"], w["output"]) + w["output_bias"]
        n, length = windows[:, 1:].shape
        right = scores[numpy.arange(n)[:, None], numpy.arange(length), windows[:, 1:]]
        return np.mean(np.log(np.sum(np.exp(scores), 2)) - right) / numpy.log(2)

    def _states(self, w, inputs, noise):
        """The states after every character: Hochreiter, Schmidhuber 1997, with forget gates."""
        np, n = self._np, w["state"].shape[0]

        def step(before, sums):
            cell, state = before
            sums = sums + np.matmul(state * noise, w["state"])
            gates = 0.5 * (1 + np.tanh(0.5 * sums[:, : 3 * n]))
            forget, write, read = (gates[:, i * n : (i + 1) * n] for i in range(3))
            cell = forget * cell + write * np.tanh(sums[:, 3 * n :])
            state = read * np.tanh(cell)
            return (cell, state), state

        zeros = np.zeros((len(inputs), n), inputs.dtype)
        _, states = self._scan(step, (zeros, zeros), np.swapaxes(inputs, 0, 1))
        return np.swapaxes(states, 0, 1)


def scan(step, state, inputs):
    """As ``jax.lax.scan``: the last state, and what every step puts out."""
    outputs = []
    for each in inputs:
        state, output = step(state, each)
        outputs.append(output)
    return state, autograd.numpy.stack(outputs)


def initial(n_different, n_in, n, rng):
    """Weights for so many characters, numbers that embed one, and units."""
    return {
        "embedding": 0.3 * rng.normal(size=(n_different, n_in)),
        "input": rng.normal(size=(n_in, 4 * n)) / n_in**0.5,
        "state": rng.normal(size=(n, 4 * n)) / n**0.5,
        "bias": numpy.zeros(4 * n),
        "output": rng.normal(size=(n, n_different)) / n**0.5,
        "output_bias": numpy.zeros(n_different),
    }
