"""Attributes that are computed when they are first asked for."""


class cached_property:  # noqa: N801
    """What ``functools.cached_property`` is since Python 3.12.

    Before, all instances of a class shared a lock: fits in other threads waited for each other, and
    one inside another for ever.

    Parameters
    ----------
    function : callable
        ``function(self)`` computes the attribute.
    """

    def __init__(self, function):
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner, name):
        self._name = name

    # Not called once the attribute is among those of the instance.
    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        value = vars(instance)[self._name] = self._function(instance)
        return value
