"""Which settings does a client's app run with? The app's own, changed for that client alone."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar, cast

from nexios.errors import ConfigurationError
from nexios.settings import Limits, Settings

__all__ = ["changed_settings"]

_S = TypeVar("_S", Settings, Limits)


def changed_settings(settings: Settings, given: Mapping[str, object]) -> Settings:
    """Return `settings` with some fields changed; `limits` may be a mapping of the few limits that change.

    Raises:
        ConfigurationError: There is no such field, or the value does not fit it.

    >>> changed_settings(Settings(), {"debug": True, "limits": {"max_ranges": 1}}).limits.max_ranges
    1
    """
    changes = dict(given)
    limits = changes.get("limits")
    if isinstance(limits, Mapping):
        changes["limits"] = _replaced(settings.limits, cast("Mapping[object, object]", limits))
    return _replaced(settings, changes)


def _replaced(values: _S, changes: Mapping[Any, Any]) -> _S:
    known = {field.name for field in fields(values)}
    unknown = sorted(str(name) for name in changes if name not in known)
    if unknown:
        raise ConfigurationError(
            f"{type(values).__name__} has no {', '.join(unknown)}; its fields are {', '.join(sorted(known))}."
        )
    return replace(values, **changes)
