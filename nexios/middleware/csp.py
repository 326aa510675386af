"""What may a page of ours load and run? A Content-Security-Policy, written once and checked.

    {"default-src": ["'self'"], "script-src": ["'self'", NONCE]}

`NONCE` stands for a secret word of the request, which the page gives to its own scripts and which nobody
who gets text into the page can know.

Source: Content Security Policy Level 3 (W3C), sections 2.3 and 6.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from nexios.errors import ConfigurationError
from nexios.http.headers import check_value

__all__ = ["NONCE", "Directives", "PolicyText", "compile_policy"]

NONCE: Final = "'nonce'"
"""In a directive: the nonce of the request."""

Directives = Mapping[str, str | Iterable[str]]

_KEYWORDS: Final = frozenset(
    {
        *("self", "none", "unsafe-inline", "unsafe-eval", "wasm-unsafe-eval", "strict-dynamic"),
        *("unsafe-hashes", "report-sample", "inline-speculation-rules", "script"),
    }
)
"""Words that mean something in quotes alone; without them they are names of hosts."""

_DIRECTIVES: Final = frozenset(
    {
        *("default-src", "child-src", "connect-src", "font-src", "frame-src", "img-src", "manifest-src", "media-src"),
        *("object-src", "prefetch-src", "worker-src", "fenced-frame-src", "webrtc", "base-uri", "sandbox"),
        *(f"{kind}-src{part}" for kind in ("script", "style") for part in ("", "-elem", "-attr")),
        *("form-action", "frame-ancestors", "report-to", "report-uri", "require-trusted-types-for", "trusted-types"),
        *("upgrade-insecure-requests", "block-all-mixed-content"),
    }
)
"""Level 3 and what extends it; browsers ignore what they do not know, and so would all that a misspelt one forbids."""


class PolicyText(msgspec.Struct, frozen=True):
    """A policy as text, cut where a nonce goes; one piece when there is none."""

    pieces: tuple[str, ...]

    @property
    def has_nonce(self) -> bool:
        """Whether each request gets a nonce."""
        return len(self.pieces) > 1

    def with_nonce(self, nonce: str) -> str:
        """Return the value of the header.

        >>> compile_policy({"script-src": ["'self'", NONCE]}).with_nonce("r4nd0m")
        "script-src 'self' 'nonce-r4nd0m'"
        """
        return f"'nonce-{nonce}'".join(self.pieces)


def compile_policy(policy: str | Directives) -> PolicyText:
    """Return a policy ready to be sent; a text is taken as it is.

    Raises:
        ConfigurationError: A directive is no name, or a source would not mean what it says.
    """
    if isinstance(policy, str):
        return PolicyText((check_value(policy),))
    if not policy:
        raise ConfigurationError(
            "A Content-Security-Policy without directives allows everything; None switches it off."
        )
    text = "; ".join(_directive(name, sources) for name, sources in policy.items())
    return PolicyText(tuple(check_value(text).split(NONCE)))


def _directive(name: str, sources: str | Iterable[str]) -> str:
    words = sources.split() if isinstance(sources, str) else list(sources)
    if name not in _DIRECTIVES:
        raise ConfigurationError(
            f"{name!r} is no directive of a Content-Security-Policy, as 'script-src' is. One that is newer goes into a "
            "policy that is given as a text."
        )
    for word in words:
        _check_source(name, word)
    if "'none'" in words and len(words) > 1:
        raise ConfigurationError(f"'none' in {name} stands alone: with other sources beside it, it means nothing.")
    return " ".join((name, *words))


def _check_source(name: str, word: str) -> None:
    if not word or not word.isascii() or any(character in " ;,\t" for character in word):
        raise ConfigurationError(f"{word!r} in {name} is no source: one word of ASCII, without a comma or semicolon.")
    if word.lower() in _KEYWORDS and name not in ("require-trusted-types-for", "sandbox"):
        raise ConfigurationError(
            f"{word} in {name} is the name of a host; the keyword is written in quotes: \"'{word}'\"."
        )
