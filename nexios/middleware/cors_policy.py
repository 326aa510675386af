"""Which pages of other origins may read what we answer, and send what? The options of CORS, checked once.

An origin that is listed is compared as a whole text; a pattern is used when it was asked for by name.

Source: the Fetch standard, section 3.3 (CORS protocol).
"""

import logging
import re
from collections.abc import Iterable
from string import ascii_letters, digits
from typing import Final, Self

import msgspec

from nexios.errors import ConfigurationError
from nexios.http.headers import is_token
from nexios.http.origins import configured_origins, parse_origin

__all__ = ["LONGEST_MAX_AGE", "Policy", "header_names"]

logger: Final = logging.getLogger("nexios")

LONGEST_MAX_AGE: Final = 7200
"""Seconds; Chromium keeps the answer to a preflight no longer."""

SAFELISTED_HEADERS: Final = frozenset({"accept", "accept-language", "content-language", "content-type"})
"""What every policy lets through; a preflight names Content-Type when it is one that no form can send."""

_MOST_NAMES: Final = 100
_MOST_NAME_BYTES: Final = 8 * 1024
_STRANGER: Final = "https://q7x2v9k4.invalid"
"""An origin that nobody has (RFC 6761 section 6.4): whatever pattern takes it takes every site."""
_LONGEST_ORIGIN: Final = 320
"""Characters: a scheme, a name of 253 and a port."""


class Policy(msgspec.Struct, frozen=True):
    """Who may do what.

    Shape:  `origins` are as browsers write them, perhaps with "null". `methods` and `headers` are None for all;
            `headers` are in lower case. `exposed` is the value of its header.
    Units:  `max_age` in seconds.
    """

    origins: frozenset[str]
    pattern: re.Pattern[str] | None
    any_origin: bool
    methods: frozenset[str] | None
    headers: frozenset[str] | None
    credentials: bool
    exposed: str
    max_age: int | None
    private_network: bool

    @classmethod
    def of(
        cls,
        *,
        origins: Iterable[str],
        pattern: str | None,
        methods: Iterable[str],
        headers: Iterable[str],
        credentials: bool,
        exposed: Iterable[str],
        max_age: int | None,
        private_network: bool,
    ) -> Self:
        """Return the policy that the options of the middleware say. Raises `ConfigurationError` with the fix."""
        listed = _listed(origins, "allow_origins")
        shown = _tokens(exposed, "expose_headers")
        compiled = None if pattern is None else _compiled(pattern)
        _check_flag(credentials, "allow_credentials")
        _check_flag(private_network, "allow_private_network")
        _check_credentials(credentials, listed, shown, compiled)
        if "null" in listed:
            logger.warning(
                "CORS allows the origin 'null', which is that of every sandboxed frame and local file, whoever wrote it"
            )
        named = _tokens(headers, "allow_headers")
        return cls(
            origins=configured_origins(listed - {"*", "null"}, "allow_origins") | (listed & {"null"}),
            pattern=compiled,
            any_origin="*" in listed,
            methods=_all_or(frozenset(name.upper() for name in _tokens(methods, "allow_methods"))),
            headers=_all_or(frozenset(name.lower() for name in named) | SAFELISTED_HEADERS),
            credentials=credentials,
            exposed=", ".join(sorted(shown)),
            max_age=_checked_age(max_age),
            private_network=private_network,
        )

    def allows(self, origin: str) -> bool:
        """Whether pages of `origin` may read our answers; `origin` is the value of the header as it came."""
        if origin in self.origins or self.any_origin:
            return True
        if self.pattern is None or len(origin) > _LONGEST_ORIGIN or self.pattern.fullmatch(origin) is None:
            return False
        url = parse_origin(origin)
        return url is not None and url.origin == origin

    def allows_method(self, method: str) -> bool:
        """Whether they may use `method`, which is case-sensitive."""
        return is_token(method) if self.methods is None else method in self.methods

    def allows_headers(self, names: Iterable[str]) -> bool:
        """Whether they may send all of these headers, named in lower case."""
        return self.headers is None or self.headers.issuperset(names)


def header_names(values: Iterable[str]) -> list[str] | None:
    """Return the names in Access-Control-Request-Headers, in lower case and each once; None when it is malformed.

    None as well for more than 100 names, or 8 KiB of them.

    >>> header_names(["X-One, x-two", "x-one"]), header_names(["x one"])
    (['x-one', 'x-two'], None)
    """
    text = ",".join(values)
    if len(text) > _MOST_NAME_BYTES or text.count(",") >= _MOST_NAMES:
        return None
    names = dict.fromkeys(part.strip(" \t").lower() for part in text.split(","))
    names.pop("", None)
    return list(names) if all(map(is_token, names)) else None


def _listed(values: Iterable[str], option: str) -> frozenset[str]:
    if isinstance(values, str):
        raise ConfigurationError(f"'{option}' must be a list: write {option}=[{values!r}].")
    listed = list(values)
    if not all(isinstance(value, str) for value in listed):
        raise ConfigurationError(f"'{option}' must be a list of texts, not {listed!r}.")
    return frozenset(listed)


def _tokens(values: Iterable[str], option: str) -> frozenset[str]:
    names = _listed(values, option)
    for name in names:
        if not is_token(name):
            raise ConfigurationError(f"{name!r} in '{option}' is no name of a method or header.")
    return names


def _all_or(names: frozenset[str]) -> frozenset[str] | None:
    return None if "*" in names else names


def _check_flag(value: object, option: str) -> None:
    """Every text is true, "false" too."""
    if type(value) is not bool:
        raise ConfigurationError(f"'{option}' is True or False, not {value!r}.")


def _check_credentials(
    credentials: bool, origins: frozenset[str], exposed: frozenset[str], pattern: re.Pattern[str] | None
) -> None:
    """With credentials a browser takes "*" for a name; to reflect every origin instead opens the app to all."""
    if credentials and pattern is not None and pattern.fullmatch(_STRANGER):
        raise ConfigurationError(
            f"allow_origin_regex={pattern.pattern!r} matches every site, and allow_credentials=True would let each act "
            "with the cookies of visitors.\nName the hosts in it:\n\n"
            r"    allow_origin_regex=r\"https://[a-z0-9-]+\.app\.example\", allow_credentials=True"
        )
    if credentials and "*" in origins:
        raise ConfigurationError(
            'allow_credentials=True with allow_origins=["*"] would let every site act with the cookies of visitors.\n'
            'Name the origins:\n\n    allow_origins=["https://app.example"], allow_credentials=True\n'
        )
    if credentials and "*" in exposed:
        raise ConfigurationError(
            'expose_headers=["*"] means nothing to a browser when there are credentials. Name the headers:\n\n'
            '    expose_headers=["x-request-id"]\n'
        )


def _checked_age(max_age: int | None) -> int | None:
    if max_age is None:
        return None
    if type(max_age) is not int or not 0 <= max_age <= LONGEST_MAX_AGE:
        raise ConfigurationError(f"'max_age' is a whole number of seconds from 0 to {LONGEST_MAX_AGE}, or None.")
    return max_age


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern, re.ASCII)
    except re.error as exc:
        raise ConfigurationError(f"'allow_origin_regex' is no regular expression: {exc}.") from exc
    if _has_bare_dot(pattern):
        logger.warning(
            "a dot in allow_origin_regex=%r matches any character, so other hosts match too; write it as \\.", pattern
        )
    return compiled


_LETTERS: Final = frozenset(ascii_letters + digits)


def _has_bare_dot(pattern: str) -> bool:
    """Whether a dot stands like one of a host name: unescaped, outside of a class, before a letter."""
    in_class, position = False, 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 1
        elif character in "[]":
            in_class = character == "["
        elif character == "." and not in_class and pattern[position + 1 : position + 2] in _LETTERS:
            return True
        position += 1
    return False
