"""What does a function ask for? Its parameters, with annotations resolved, as injection and inputs see them."""

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import FunctionType
from typing import Annotated, Any, Final, get_origin, get_type_hints

import msgspec

__all__ = ["EMPTY", "Parameter", "parameters_of", "returns_of", "signature_of"]

EMPTY: Final = inspect.Parameter.empty
"""No annotation, or no default."""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a function.

    Shape:  `annotation` is the type without `Annotated`, `metadata` is what `Annotated` added; EMPTY and () when
            there is none. A forward reference that cannot be resolved stays a text.
    """

    name: str
    annotation: Any
    metadata: tuple[Any, ...]
    default: Any
    kind: Any

    @property
    def is_variadic(self) -> bool:
        """Whether it is `*args` or `**kwargs`."""
        return self.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

    @property
    def is_keyword_only(self) -> bool:
        """Whether it can be given by name alone."""
        return self.kind is inspect.Parameter.KEYWORD_ONLY


def parameters_of(fn: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Return the parameters of a function, bound method, class, callable object or partial, in order.

    What a partial has bound, by name too, is settled and no parameter: nobody else may fill it.

    Raises:
        ValueError: Python knows no signature for it (some builtins).

    >>> def search(text: Annotated[str, "words"], limit: int = 10): ...
    >>> [(p.name, p.annotation, p.metadata) for p in parameters_of(search)]
    [('text', <class 'str'>, ('words',)), ('limit', <class 'int'>, ())]
    """
    return signature_of(fn)[0]


def returns_of(fn: Callable[..., Any]) -> Any:
    """Return the annotation of what `fn` returns, `Annotated` kept; EMPTY when there is none."""
    return _hints(fn).get("return", EMPTY)


def signature_of(fn: Callable[..., Any]) -> tuple[tuple[Parameter, ...], Any]:
    """Return what `parameters_of` and `returns_of` do, with the annotations resolved once. Raises as the first."""
    hints, bound = _hints(fn), _bound_by_name(fn)
    signature = inspect.signature(get_origin(fn) or fn)  # of Repository[User], that of Repository
    asked = (one for one in signature.parameters.values() if one.name not in bound)
    return tuple(_parameter(parameter, hints) for parameter in asked), hints.get("return", EMPTY)


def _bound_by_name(fn: Callable[..., Any]) -> set[str]:
    """`inspect.signature` shows them still, as parameters with a default."""
    bound: set[str] = set()
    while isinstance(fn, partial):
        bound.update(fn.keywords)
        fn = fn.func
    return bound


def _parameter(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Parameter:
    hint = hints.get(parameter.name, parameter.annotation)
    annotation, metadata = (hint.__origin__, hint.__metadata__) if get_origin(hint) is Annotated else (hint, ())
    return Parameter(parameter.name, annotation, metadata, parameter.default, parameter.kind)


def _hints(fn: Callable[..., Any]) -> dict[str, Any]:
    target = _annotated_part(fn)
    if _is_resolved(target):
        return dict(target.__annotations__)
    try:
        return get_type_hints(target, include_extras=True)
    except Exception:  # one name that cannot be found must not hide the others
        return _hints_one_by_one(target)


def _is_resolved(target: Any) -> bool:
    """Whether all annotations are classes, as those of most handlers are: `get_type_hints` takes its time."""
    if not isinstance(target, FunctionType) or hasattr(target, "__no_type_check__"):
        return False
    return all(isinstance(annotation, type) for annotation in target.__annotations__.values())


def _annotated_part(fn: Callable[..., Any]) -> Any:
    """The function whose annotations describe the call of `fn`."""
    while isinstance(fn, partial):
        fn = fn.func
    fn = inspect.unwrap(get_origin(fn) or fn)
    if inspect.isclass(fn):
        if issubclass(fn, tuple) and hasattr(fn, "_fields"):  # the __new__ of a NamedTuple belongs to no module
            return fn
        made_by = [name for name in ("__new__", "__init__") if getattr(fn, name) is not getattr(object, name)]
        return getattr(fn, made_by[-1]) if made_by and hasattr(getattr(fn, made_by[-1]), "__annotations__") else fn
    if not inspect.isroutine(fn):
        return type(fn).__call__
    return fn


def _hints_one_by_one(target: Any) -> dict[str, Any]:
    namespace = getattr(sys.modules.get(getattr(target, "__module__", "")), "__dict__", {})
    namespace = {**namespace, **getattr(inspect.unwrap(target), "__globals__", {})}
    hints: dict[str, Any] = {}
    for name, annotation in inspect.get_annotations(target).items():
        hints[name] = _evaluated(annotation, namespace) if isinstance(annotation, str) else annotation
    return hints


def _evaluated(annotation: str, namespace: dict[str, Any]) -> Any:
    try:
        return get_type_hints(_Holder(annotation), namespace, include_extras=True)["it"]
    except Exception:
        return annotation


class _Holder:
    """Something with one annotation, for `get_type_hints`."""

    def __init__(self, annotation: str) -> None:
        self.__annotations__ = {"it": annotation}
