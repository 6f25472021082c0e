"""Ranges as users of other searches write them: distributions of scipy, Optuna and scikit-optimize.

They are read by their names and attributes, so that none of these packages is needed. A search
samples nothing: of a distribution it takes the ends and the scale.
"""

import dataclasses
import math
import numbers

import numpy as np

from sklearn_hypergrad.spaces import Continuous
from sklearn_hypergrad.wording import shortened

# Names of distributions of scipy.stats with the scale of the search. loguniform is an alias there.
OF_SCIPY = {"loguniform": "log", "reciprocal": "log", "uniform": "auto"}
# Words of scikit-optimize for the scale.
OF_WORDS = {"log-uniform": "log", "uniform": "auto"}
# Names of types whose values are whole numbers begin with this: IntDistribution, Integer.
WHOLE = "Int"
# Values in a list that messages propose for a range, where decades do not say it.
N_PROPOSED = 5
# Values per decade, and most values, of a list that messages propose on a logarithmic scale.
MOST_PROPOSED = 9
# What arguments of distributions mean.
ARGUMENTS = {
    "uniform": "uniform(loc, scale) is the range from loc to loc + scale",
    "loguniform": "loguniform(a, b) is the range from a to b, with 0 < a < b",
    "reciprocal": "reciprocal(a, b) is the range from a to b, with 0 < a < b",
}
SAMPLED = (
    "the search follows a gradient and samples nothing, so that it needs two ends: loguniform(a, "
    "b), Continuous(a, b), or Continuous() for a range that it finds itself"
)


@dataclasses.dataclass(frozen=True, repr=False)
class Written(Continuous):
    """A Continuous that was written in another way.

    Parameters
    ----------
    text : str
        How it was written, for messages.
    """

    text: str = ""

    def __repr__(self):
        return self.text

    def within(self, limits):
        """The Continuous between limits that a value cannot have: an end on one is no bound.

        Distributions need two ends, and those on a limit, such as 0 for a penalty, mean none.
        """
        low, high = limits
        ends = {"low": None if self.low == low or self.low == 0 < low else self.low}
        ends["high"] = None if self.high == high else self.high
        return dataclasses.replace(self, **ends)


def read(key, value):
    """The Written that a value of ``param_grid`` stands for; None if it is no such range.

    Parameters
    ----------
    key : str
        Its name, for messages.
    value : object
        Anything but a list or an array.

    Returns
    -------
    Written or None

    Raises
    ------
    TypeError
        If values would have to be sampled: of a distribution without two ends, or of whole numbers.
    ValueError
        If the ends are in the wrong order, or are no positive numbers on a logarithmic scale.
    """
    try:
        found = _ends(value)
    except _Sampled as why:
        raise TypeError(
            f"Cannot tune {key!r} with {text_of(value)}. This is because {why}."
        ) from None
    if found is None:
        return None
    low, high, scale = found
    try:
        return Written(float(low), float(high), scale=scale, text=text_of(value))
    except (TypeError, ValueError) as error:
        message = f"Cannot tune {key!r} with {text_of(value)}. This is because {error}"
        raise type(error)(message) from None


class _Sampled(Exception):  # noqa: N818
    """Raised for what is sampled elsewhere; the text says why, and what to write."""


def _ends(value):
    """``(low, high, scale)`` of a range, or None."""
    if isinstance(value, tuple):
        return _of_tuple(value)
    name = getattr(getattr(value, "dist", None), "name", None)
    if name is not None and hasattr(value, "support"):
        return _of_scipy(value, name)
    choices = getattr(value, "choices", getattr(value, "categories", None))
    if isinstance(choices, tuple | list):
        raise _Sampled(f"choices are enumerated: write the list {shortened(list(choices))}")
    if hasattr(value, "low") and hasattr(value, "high"):
        return _of_attributes(value)
    if callable(getattr(value, "rvs", None)):
        raise _Sampled(SAMPLED)
    return None


def _of_tuple(value):
    if len(value) not in (3, 4) or not all(_is_real(end) for end in value[:2]):
        return None
    scale = OF_WORDS.get(value[2]) if isinstance(value[2], str) else None
    return None if scale is None else (*value[:2], scale)


def _of_scipy(value, name):
    low, high = map(float, value.support())
    if math.isnan(low):
        raise _Sampled(f"its arguments are invalid. {ARGUMENTS.get(name, '')}".rstrip(". "))
    if name == "randint":
        raise _Sampled(_whole(low, high))
    if name not in OF_SCIPY:
        raise _Sampled(SAMPLED)
    return low, high, OF_SCIPY[name]


def _of_attributes(value):
    """Those of objects with ``low``, ``high``, and ``log`` or the ``prior`` of scikit-optimize."""
    low, high = value.low, value.high
    scale = OF_WORDS.get(str(getattr(value, "prior", "")))
    if hasattr(value, "log"):
        scale = "log" if value.log else "auto"
    if scale is None or not (_is_real(low) and _is_real(high)):
        return None
    if type(value).__name__.startswith(WHOLE):
        raise _Sampled(_whole(low, high))
    if getattr(value, "step", None) is not None:
        n_values = 1 + round((high - low) / value.step)
        raise _Sampled(
            f"steps of {value.step} are values to enumerate, and a range has none: leave step out, "
            f"or write np.linspace({low:g}, {high:g}, {n_values})"
        )
    return low, high, scale


def _whole(low, high):
    return (
        f"whole numbers have no gradient: write a list of values to enumerate, such as "
        f"range({low:g}, {high + 1:g})"
    )


def _is_real(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def is_distribution(value):
    """Whether a value is what other searches sample from."""
    try:
        return not isinstance(value, Continuous) and _ends(value) is not None
    except _Sampled:
        return True


def text_of(value):
    """How a value was written, as far as can be told."""
    if callable(getattr(getattr(value, "dist", None), "support", None)):
        kwds = [f"{name}={each!r}" for name, each in value.kwds.items()]
        return f"{value.dist.name}({', '.join([*map(repr, value.args), *kwds])})"
    return shortened(value)


def proposal(continuous):
    """A list to enumerate in place of a range, such as " such as np.geomspace(1, 10, 2)"; or ""."""
    low, high = continuous.low, continuous.high
    # Of whole numbers the values in between are not known to be legal.
    if low is None or high is None or all(isinstance(e, numbers.Integral) for e in (low, high)):
        return ""
    if low > 0 and high / low >= 10:
        n_values = min(MOST_PROPOSED, 1 + math.ceil(np.log10(high / low)))
        return f", such as np.geomspace({low:g}, {high:g}, {max(3, n_values)})"
    return f", such as np.linspace({low:g}, {high:g}, {N_PROPOSED})"
