"""What is each channel and each message called in the document?

The shortest name that no other has; those that would share one all get the next longer one. So a name changes only
when another of the same name appears.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

__all__ = ["free_name", "unique_names", "word"]

_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
"""Source: AsyncAPI 3.0.0, section "Components Object"."""


def word(text: str, otherwise: str = "item") -> str:
    """Return a text as a key of the document; "_" stands for every run of other letters.

    >>> word("list[chat.Message]"), word("{}")
    ('list_chat.Message', 'item')
    """
    plain = "".join(letter if letter in _LETTERS else " " for letter in text)
    return "_".join(plain.split()) or otherwise


def unique_names(choices: Sequence[Sequence[str]]) -> list[str]:
    """Return one name for each, given names from short to long; at the end numbers tell them apart.

    >>> unique_names([["chat", "admin_chat"], ["chat", "public_chat"], ["feed"]])
    ['admin_chat', 'public_chat', 'feed']
    """
    names: dict[int, str] = {}
    for level in range(max((len(names) for names in choices), default=0)):
        waiting = {number: names_of[min(level, len(names_of) - 1)] for number, names_of in enumerate(choices)}
        waiting = {number: name for number, name in waiting.items() if number not in names}
        counts = Counter(waiting.values())
        taken = set(names.values())
        names.update({number: name for number, name in waiting.items() if counts[name] == 1 and name not in taken})
    for number, names_of in enumerate(choices):
        if number not in names:
            names[number] = free_name(names_of[-1], set(names.values()))
    return [names[number] for number in range(len(choices))]


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, with a number where it is taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
