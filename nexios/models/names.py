"""What is a model called in a document? `User`, `Page_User` for `Page[User]`, and longer only where two would clash.

The same models get the same names on every run: nothing depends on addresses or on the order of a set.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, get_args, get_origin

__all__ = ["component_names", "title_of"]


def component_names(classes: Sequence[Any], taken: Collection[str] = ()) -> list[str]:
    """Return one name a class, in order; each has only letters, digits, ".", "_" and "-" (OpenAPI 3.1 section 4.8.7).

    Classes of one name get their modules before it, all of them; `taken` names are another's.
    """
    short = [_name_of(each, is_full=False) for each in classes]
    often = Counter(short) + Counter(list(taken))
    names = [
        name if often[name] == 1 else _name_of(each, is_full=True) for name, each in zip(short, classes, strict=True)
    ]
    return _unlike(names, taken)


def _unlike(names: list[str], taken: Collection[str]) -> list[str]:
    """Classes made in a function may share even their full name: they are numbered in the order met."""
    used, found = set(taken), []
    for name in names:
        number, unused = 1, name
        while unused in used:
            number += 1
            unused = f"{name}_{number}"
        used.add(unused)
        found.append(unused)
    return found


def _name_of(kind: Any, *, is_full: bool) -> str:
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    name = _class_name(origin, is_full=is_full)
    return "_".join([name, *(_name_of(each, is_full=is_full) for each in arguments)])


def _class_name(kind: Any, *, is_full: bool) -> str:
    name = getattr(kind, "__qualname__" if is_full else "__name__", None) or str(kind)
    if is_full and kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    return _allowed(name.replace(".<locals>", ""))


def _allowed(name: str) -> str:
    return "".join([letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name])


def title_of(kind: Any) -> str:
    """Return what a reader calls a class.

    >>> title_of(int), title_of(list[int])
    ('int', 'list[int]')
    """
    name = str(getattr(get_origin(kind) or kind, "__name__", kind))
    arguments = get_args(kind)
    return f"{name}[{', '.join(map(title_of, arguments))}]" if arguments else name
