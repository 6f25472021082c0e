"""Functions and classes in a fingerprint: their names, and the version or the code behind them."""

import sys
import types

# Packages whose code is told by their version, installed or not.
KNOWN = {"numpy", "scipy", "sklearn", "sklearn_hypergrad", *sys.stdlib_module_names} - {"__main__"}
# Parts of the paths of installed packages, whose version tells their code, too. Of everything else
# the code is part of the fingerprint.
INSTALLED = "site-packages", "dist-packages"


class NoFingerprint(ValueError):
    """A value that need not be the same in another process."""


def add_class(walk, value, path):
    """Add a class."""
    _add_name(walk, value, path, "a local class")
    if value in walk.classes:
        return
    walk.classes.add(value)
    for base in value.__mro__:
        if version_of(base) is None:
            walk.put("class", f"{base.__module__}.{base.__qualname__}")
            for name, part in sorted(vars(base).items()):
                _add_member(walk, name, part, f"{path}.{name}")


def add_function(walk, value, path):
    """Add a function."""
    _add_name(walk, value, path, "a local function")
    if version_of(value) is None:
        _add_code(walk, value, path)


def package_of(value):
    """The name of the package of a function or class."""
    return (value.__module__ or "builtins").partition(".")[0]


def version_of(value):
    """The version of the package of a function or class if it tells the code, else None."""
    name = package_of(value)
    package = sys.modules.get(name)
    path = getattr(package, "__file__", None) or ""
    if name not in KNOWN and not any(part in path for part in INSTALLED):
        return None
    return getattr(package, "__version__", "")


def _add_name(walk, value, path, local):
    name = f"{value.__module__}.{value.__qualname__}"
    if "<" in name:
        what = "a lambda" if name.endswith("<lambda>") else local
        raise NoFingerprint(
            f"{path} is {what}, {name}, which another process would not know as the same. Define "
            f"it by a name at the top of a module."
        )
    walk.put("name", f"{name} {version_of(value)}")


def _add_member(walk, name, part, path):
    """An attribute of a class: its code, or its value unless that says nothing of numbers."""
    part = getattr(part, "__func__", getattr(part, "func", part))
    for each in [part.fget, part.fset] if isinstance(part, property) else [part]:
        if isinstance(each, types.FunctionType):
            walk.put("method", name)
            _add_code(walk, each, path)
        elif not name.startswith(("__", "_abc_")):
            try:
                walk.put(name, walk.apart(each, path))
            except NoFingerprint:
                continue


def _add_code(walk, function, path):
    """The code of a function, its defaults, the variables around it, and functions it calls."""
    code = function.__code__
    _add_instructions(walk, code)
    for part in (function.__defaults__, function.__kwdefaults__):
        walk.add(part, f"the defaults of {path}")
    for name in code.co_names:
        called = function.__globals__.get(name)
        if isinstance(called, types.FunctionType) and "<" not in called.__qualname__:
            walk.add(called, f"{name} of {path}")
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        content = cell.cell_contents
        if isinstance(content, types.FunctionType):
            # Of a decorated function, which is known by the name of the other one.
            if content is not function:
                _add_code(walk, content, f"{name} of {path}")
        # The class that a method belongs to, for super().
        elif name != "__class__":
            walk.add(content, f"{name} of {path}")


def _add_instructions(walk, code):
    walk.put("code", code.co_code)
    walk.add((code.co_names, code.co_varnames, code.co_flags), "code")
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _add_instructions(walk, constant)
        else:
            walk.add(constant, "code")
