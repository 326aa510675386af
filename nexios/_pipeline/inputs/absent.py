"""What is an input that the client did not send? Its default, or the error `missing`."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any, Final, NoReturn

from nexios._pipeline.inputs.input import Input
from nexios._pipeline.inputs.located import Located, one_error
from nexios.models.adapter import is_model

__all__ = ["absent_of", "missing"]

_MUTABLE: Final = (list, dict, set, bytearray)
_PLAIN: Final = (str, int, float, bytes)
"""Values that nobody can change."""


def absent_of(item: Input) -> Callable[[], Any]:
    """Return what gives the default, a copy of it where requests could share its changes, or raises Located."""
    if item.required:
        return partial(_refuse, item.source, "" if item.whole else item.name)
    default = item.default
    if default is None or isinstance(default, bool):
        return _OFTEN[default]
    if type(default) not in _PLAIN and (
        isinstance(default, _MUTABLE) or is_model(type(default)) or not _is_hashable(default)
    ):
        return partial(deepcopy, default)
    return partial(_same, default)


def missing(source: str, name: str) -> Located:
    """Return the error for a parameter that is not there; "" is the whole."""
    return one_error(source, name, "missing", "is required")


def _is_hashable(default: object) -> bool:
    """A tuple is not when there is a list in it, which requests would share."""
    try:
        hash(default)
    except TypeError:
        return False
    return True


def _refuse(source: str, name: str) -> NoReturn:
    raise missing(source, name)


def _same(default: Any) -> Any:
    return default


_OFTEN: Final = {default: partial(_same, default) for default in (None, False, True)}
