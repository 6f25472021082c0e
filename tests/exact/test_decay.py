import fractions

import numpy as np
import pytest

from sklearn_hypergrad.exact import Decay


@pytest.mark.parametrize(
    ("momentum", "numerator", "denominator"),
    [
        (0.0, 0, 1),
        (1.0, 1, 1),
        (0.5, 1, 2),
        (0.9, 9, 10),
        (0.99, 99, 100),
        (0.1, 1, 10),
        (1 / 3, 1, 3),
        (0.9999, 9999, 10_000),
        (1e-5, 1, 100_000),
        (1 - 1e-5, 99_999, 100_000),
        (1e-9, 0, 1),
        (1 - 1e-9, 1, 1),
        (5e-324, 0, 1),
        (np.float64(0.9), 9, 10),
        (1, 1, 1),
    ],
)
def test_momenta_with_few_digits_are_exact(momentum, numerator, denominator):
    decay = Decay.of(momentum)
    assert decay == Decay(numerator, denominator)
    assert decay.value == numerator / denominator


@pytest.mark.parametrize("max_bits", [8, 12, 16])
def test_the_fraction_is_near_and_has_a_small_denominator(max_bits):
    for momentum in np.random.default_rng(0).uniform(0, 1, 300):
        decay = Decay.of(momentum, max_bits)
        assert abs(decay.value - momentum) <= 2**-max_bits
        assert decay.denominator <= max(2**max_bits, 1 / min(momentum, 1 - momentum) + 1)
        power_of_two = fractions.Fraction(round(momentum * 2**max_bits), 2**max_bits)
        assert abs(decay.value - momentum) <= abs(power_of_two - momentum) + 1e-16


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-6, 2e-7])
def test_small_momenta_and_distances_from_one_keep_their_size(distance):
    assert Decay.of(distance).value == pytest.approx(distance, rel=1e-2)
    assert 1 - Decay.of(1 - distance).value == pytest.approx(distance, rel=1e-2)


@pytest.mark.parametrize("momentum", [-0.1, -1e-300, 1.0000001, np.inf, -np.inf, np.nan])
def test_what_is_no_momentum(momentum):
    with pytest.raises(ValueError, match=rf"must be from 0 to 1, got {momentum}\."):
        Decay.of(momentum)


@pytest.mark.parametrize("pair", [(-1, 2), (3, 2), (0, 0), (1, 2**32 + 1)])
def test_what_is_no_decay(pair):
    with pytest.raises(ValueError, match="is no decay"):
        Decay(*pair)
