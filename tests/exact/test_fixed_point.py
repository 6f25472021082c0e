import math
import re
from fractions import Fraction

import numpy as np
import pytest

from sklearn_hypergrad.exact import FixedPoint, LatticeOverflow


@pytest.mark.parametrize("fraction_bits", [0, 20, 44, 50, 62])
def test_encoding_rounds_to_the_nearest_with_ties_to_even(fraction_bits):
    lattice = FixedPoint(fraction_bits)
    rng = np.random.default_rng(0)
    values = rng.normal(size=200) * 10.0 ** rng.uniform(-16, 0, 200) * lattice.limit / 10
    values[:6] = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 0.49]) / 2.0**fraction_bits
    numbers = lattice.encode(values)
    assert numbers.dtype == np.int64
    assert numbers.tolist() == [round(Fraction(value) * 2**fraction_bits) for value in values]


def test_decoding_inverts_encoding_below_53_bits():
    lattice = FixedPoint()
    numbers = np.random.default_rng(0).integers(-(2**53), 2**53, 1000, endpoint=True)
    values = lattice.decode(numbers)
    assert values.tolist() == [number / 2**50 for number in numbers.tolist()]
    np.testing.assert_array_equal(lattice.encode(values), numbers)


def test_decoding_fills_what_it_is_given():
    lattice, out = FixedPoint(3), np.empty(2)
    assert lattice.decode(np.array([8, -4]), out=out) is out
    assert out.tolist() == [1.0, -0.5]


def test_inputs_are_left_alone():
    values = np.array([0.3, -0.7])
    FixedPoint().encode(values)
    assert values.tolist() == [0.3, -0.7]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("position", [0, 500, 999])
def test_nan_and_infinity_are_refused(bad, position):
    values = np.random.default_rng(0).normal(size=1000)
    values[position] = bad
    with pytest.raises(LatticeOverflow, match="NaN or infinite"):
        FixedPoint().encode(values)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("fraction_bits", [0, 50, 62])
def test_values_beyond_the_lattice_are_refused(sign, fraction_bits):
    lattice = FixedPoint(fraction_bits)
    last = np.array([0.0, sign * math.nextafter(lattice.limit, 0)])
    numbers = lattice.encode(last)
    np.testing.assert_array_equal(lattice.decode(numbers), last)
    lattice.check(numbers)
    for beyond in (lattice.limit, 1e300):
        size, end = re.escape(f"{beyond:.3g}"), re.escape(f"{lattice.limit:g}")
        with pytest.raises(LatticeOverflow, match=f"{size} exceeds .* at {end}\\."):
            lattice.encode(np.array([0.0, sign * beyond]))


@pytest.mark.parametrize("sign", [-1, 1])
def test_sums_that_leave_the_lattice_are_found(sign):
    """The sum of two numbers of the lattice does not wrap, and so the check sees it."""
    lattice = FixedPoint()
    last = np.array([1, sign * (2**62 - 1)])
    lattice.check(last)
    with pytest.raises(LatticeOverflow, match=r"8\.19e\+03 exceeds the lattice, .* 4096"):
        lattice.check(last + last)
    with pytest.raises(LatticeOverflow, match="fraction_bits"):
        lattice.check(np.array([0, sign * 2**62]))
    with pytest.raises(LatticeOverflow, match="exceeds"):
        lattice.check(np.array([np.iinfo(np.int64).min]))


def test_errors_are_arithmetic_errors():
    assert issubclass(LatticeOverflow, ArithmeticError)


def test_arrays_without_weights():
    lattice = FixedPoint()
    lattice.check(lattice.encode(np.empty(0)))


@pytest.mark.parametrize("fraction_bits", [-1, 63])
def test_what_is_no_number_of_bits(fraction_bits):
    with pytest.raises(ValueError, match="from 0 to 62"):
        FixedPoint(fraction_bits)


def test_control_sums_of_floats_are_not_taken_back():
    rng = np.random.default_rng(0)
    x, increments = rng.normal(size=100), rng.normal(size=(100, 100))
    floats, lattice = x.copy(), FixedPoint()
    numbers = start = lattice.encode(x)
    for increment in increments:
        floats = floats + increment
        numbers = numbers + lattice.encode(increment)
    for increment in increments:
        floats = floats - increment
        numbers = numbers - lattice.encode(increment)
    assert not np.array_equal(floats, x)
    np.testing.assert_array_equal(numbers, start)
