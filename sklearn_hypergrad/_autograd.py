"""Everything that is used of autograd beside its NumPy and SciPy, in one place."""

from autograd.core import VJPNode, add_outgrads
from autograd.misc.flatten import flatten
from autograd.tracer import getval, isbox, new_box, trace_stack
from autograd.util import toposort

__all__ = [
    "VJPNode",
    "add_outgrads",
    "flatten",
    "getval",
    "isbox",
    "new_box",
    "toposort",
    "trace_stack",
]
