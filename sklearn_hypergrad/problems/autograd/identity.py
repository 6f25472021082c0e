"""When two functions are the same: what compiled functions are found again by."""

import functools
import types

import joblib

# Values that are compared by value; everything else is the same if it is the same object.
PLAIN = (bool, int, float, complex, str, bytes, type(None))


class Same:
    """An object that equals itself only, and that stays alive as long as this does.

    Parameters
    ----------
    thing : object
    """

    __slots__ = ("thing",)

    def __init__(self, thing):
        self.thing = thing

    def __eq__(self, other):
        return isinstance(other, Same) and other.thing is self.thing

    def __hash__(self):
        return hash(id(self.thing))


def identity_of(function):
    """A hashable value that is equal for functions that do the same.

    A compiled function keeps what it has read from outside when it was traced: variables of the
    functions around it, module variables, attributes. So these belong to its identity: numbers and
    strings by value, others, such as arrays, by object. What changes inside of an object is not
    seen.

    Parameters
    ----------
    function : callable
        It may have a method ``compile_key()``, which answers in its place.

    Returns
    -------
    hashable
    """
    return _identity(function, frozenset())


def value_identity(value):
    """A hashable value that is equal for equal contents, or the object if it cannot be read.

    Parameters
    ----------
    value : object
        A parameter of an estimator: a number, a string, a list, an array.

    Returns
    -------
    hashable
    """
    if type(value) in PLAIN:
        return type(value), value
    try:
        return joblib.hash(value)
    except Exception:
        # What cannot be pickled.
        return Same(value)


def class_identity(cls, stop):
    """The identity of a class: its methods and attributes, and those of its bases.

    Parameters
    ----------
    cls : type
    stop : type
        This base class and those beyond it do not change.

    Returns
    -------
    hashable
    """
    seen = frozenset()
    return Same(cls), tuple((name, _identity(x, seen)) for name, x in _members(cls, stop))


def names_in_methods(cls, stop):
    """Names of all that the methods of a class read; parameters are those of ``class_identity``.

    Returns
    -------
    set of str
    """
    functions = (x for _, x in _members(cls, stop) if isinstance(x, types.FunctionType))
    return {name for function in functions for name in _names(function.__code__)}


def _members(cls, stop):
    own = (base for base in cls.__mro__ if base not in stop.__mro__)
    members = (member for base in own for member in vars(base).items())
    # Python itself adds to what is written with two underscores.
    return [
        (name, x)
        for name, x in members
        if isinstance(x, types.FunctionType) or not name.startswith("__")
    ]


def _identity(thing, seen):
    if type(thing) in PLAIN:
        # 1, 1.0 and True are equal.
        return type(thing), thing
    if isinstance(thing, types.FunctionType):
        return _of_function(thing, seen)
    if isinstance(thing, types.MethodType):
        return _identity(thing.__func__, seen), Same(thing.__self__)
    if isinstance(thing, functools.partial):
        parts = *thing.args, *thing.keywords.values()
        inner = _identity(thing.func, seen), tuple(thing.keywords)
        return inner, tuple(_identity(part, seen) for part in parts)
    own = getattr(type(thing), "compile_key", None)
    if own is not None:
        return own(thing)
    return Same(thing)


def _of_function(function, seen):
    """The code, and what it reads: a function that calls itself is not followed again."""
    if function in seen:
        return function.__code__
    seen = seen | {function}
    cells = [_content(cell) for cell in function.__closure__ or ()]
    names = [name for name in _names(function.__code__) if name in function.__globals__]
    modules = [_global(function, name, seen) for name in names]
    parts = *cells, *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()
    read = tuple(_identity(part, seen) for part in parts)
    return function.__code__, read, tuple(zip(names, modules, strict=True))


def _names(code):
    """Names that are read in some code, and in functions that are defined in it."""
    inner = (part for part in code.co_consts if isinstance(part, types.CodeType))
    return sorted({*code.co_names, *(name for part in inner for name in _names(part))})


def _global(function, name, seen):
    """A module variable: functions of the same module are followed, those of libraries are not."""
    value = function.__globals__[name]
    if isinstance(value, types.FunctionType) and value.__globals__ is not function.__globals__:
        return Same(value)
    return _identity(value, seen)


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:
        # The variable has no value yet.
        return None
