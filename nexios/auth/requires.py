"""What must a user be allowed to do? A guard on routes, routers and apps, and a decorator of handlers.

    @app.get("/reports")
    @requires("reports:read")
    async def reports(request, response): ...

    admin = Router(prefix="/admin", dependencies=[requires(roles="admin")])

    async def show(request, response, user: Annotated[User, requires()]): ...

A client without a user gets 401 with what to show; a user who may not, 403. Several guards all hold.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from nexios._injection.depend import Dependency
from nexios._pipeline.declared import declare
from nexios._pipeline.sources import RESPONSE_NAMES
from nexios.errors import ConfigurationError, HTTPException
from nexios.messages.connection import Connection
from nexios.messages.response import Response
from nexios.places import calling_place, name_of
from nexios.routing.route import NOT_GIVEN, NotGiven

__all__ = ["Guard", "Policy", "Requires", "auth", "requires"]

H = TypeVar("H", bound=Callable[..., Any])

Policy = Callable[[Any, Any], Any]
"""Takes the request or WebSocket and the user, and says whether the user may go on; sync or async."""

Names = str | Iterable[str] | NotGiven


class Guard(msgspec.Struct, frozen=True, weakref=True):
    """Lets a user in who has what is named, and gives the user to whoever depends on it."""

    scopes: frozenset[str]
    roles: frozenset[str]
    permissions: frozenset[str]
    policies: tuple[Policy, ...]
    match: Literal["all", "any"]

    @property
    def required_scopes(self) -> tuple[str, ...]:
        """The scopes that the OpenAPI document names."""
        return tuple(sorted(self.scopes))

    async def __call__(self, connection: Connection[Any]) -> Any:
        """Return the user.

        Raises:
            HTTPException: 401 where there is none, 403 where it may not.
            ConfigurationError: Nothing authenticates the clients of this route.
        """
        user = connection.user
        if user is None:
            raise _unauthorized(connection)
        together = all if self.match == "all" else any
        found = [self._has(user, connection.auth, kind) for kind in ("scopes", "roles", "permissions")]
        answers = [one for part in found for one in part]
        for policy in self.policies:
            if self.match == "any" and any(answers):
                break
            allowed = policy(connection, user)
            answers.append((await allowed if inspect.isawaitable(allowed) else allowed) is True)
        if answers and not together(answers):
            raise self._forbidden(connection)
        return user

    def _has(self, user: Any, granted: frozenset[str], kind: str) -> list[bool]:
        asked: frozenset[str] = getattr(self, kind)
        if not asked:
            return []
        held = granted if kind == "scopes" else _held(user, kind)
        return [name in held for name in asked]

    def _forbidden(self, connection: Connection[Any]) -> HTTPException:
        """RFC 6750 section 3.1: a client with a token is told which scopes would do."""
        challenge = next(iter(_challenges(connection)), "")
        headers = {}
        if not self.scopes <= connection.auth and challenge.partition(" ")[0] == "Bearer":
            comma = "," if " " in challenge else ""
            scopes = " ".join(self.required_scopes)
            headers = {"www-authenticate": f'{challenge}{comma} error="insufficient_scope", scope="{scopes}"'}
        return HTTPException(403, "The user may not do this.", code="forbidden", headers=headers)


class Requires(Dependency, frozen=True):
    """A guard in both of its forms: an entry of `dependencies`, and a decorator."""

    def __call__(self, handler: H) -> H:
        """Leave the guard on a handler, or on a class of handlers; the function stays as it is."""
        if not callable(handler) or isinstance(handler, Connection):
            raise ConfigurationError(f"requires(...) decorates a handler, not {handler!r}.\n\n  {calling_place()}")
        return declare(handler, self)

    def __repr__(self) -> str:
        """As it is written."""
        guard: Any = self.provider
        told = [*map(repr, guard.required_scopes), *map(name_of, guard.policies)]
        told += [f"{kind}={sorted(getattr(guard, kind))}" for kind in ("roles", "permissions") if getattr(guard, kind)]
        told += [] if guard.match == "all" else [f"match={guard.match!r}"]
        return f"requires({', '.join(told)})"


def requires(
    *needs: str | Policy,
    scopes: Names = NOT_GIVEN,
    roles: Names = NOT_GIVEN,
    permissions: Names = NOT_GIVEN,
    match: Literal["all", "any"] = "all",
) -> Requires:
    """Require a user, and what is named: in `dependencies=[...]`, as a default or in `Annotated`, or as a decorator.

    `needs` are scopes, and policies: functions of the request and the user that return True to let it in. Roles and
    permissions are those that the user has in its attributes, or items, of these names. With `match="any"` one of all
    that is named is enough; otherwise all of it is needed.

    Raises:
        ConfigurationError: A list is empty, a name is no text or empty, or `match` is something else.

    >>> requires("reports:read", roles=["auditor", "admin"], match="any")
    requires('reports:read', roles=['admin', 'auditor'], match='any')
    """
    own = [need for need in needs if isinstance(need, str)]
    policies = tuple(need for need in needs if not isinstance(need, str))
    for policy in policies:
        _check_policy(policy)
    if match not in ("all", "any"):
        raise _wrong(f"match is 'all' or 'any', not {match!r}")
    guard = Guard(
        frozenset(own) | _names("scopes", scopes),
        _names("roles", roles),
        _names("permissions", permissions),
        policies,
        match,
    )
    for name in (*guard.scopes, *guard.roles, *guard.permissions):
        _check_name(name)
    return Requires(guard, cache=False)  # another backend may have been asked since


auth = requires
"""Another name for it, as a decorator: `@auth()`."""


def _names(kind: str, given: Names) -> frozenset[str]:
    """One name is one, and not its letters."""
    if isinstance(given, NotGiven):
        return frozenset()
    if isinstance(given, str) or not isinstance(given, Iterable | None):  # None may come from settings
        return frozenset((given,))
    names = frozenset(given or ())
    if not names:
        raise _wrong(f"{kind} is empty, which would let everybody in who has signed in; leave it out to mean that")
    return names


def _check_policy(policy: object) -> None:
    """A handler here is one that was decorated without parentheses: nothing would guard it."""
    if not callable(policy) or isinstance(policy, type | Dependency):
        raise _wrong(f"{policy!r} is no policy, which is a function of the request and the user")
    try:
        signature = inspect.signature(policy)
        signature.bind(None, None)
    except TypeError:
        raise _wrong(f"{name_of(policy)}() is no policy, which takes the request and the user") from None
    except ValueError:  # of Python itself, without a signature
        return
    second = list(signature.parameters.values())[1:2]
    if any(one.name in RESPONSE_NAMES or one.annotation in (Response, "Response") for one in second):
        raise _wrong(f"{name_of(policy)}() is a handler. Write the parentheses:\n\n    @requires()")


def _check_name(name: object) -> None:
    plain = isinstance(name, str) and name and name.isascii() and name.isprintable() and not set(name) & set(' "\\')
    if not plain:
        raise _wrong(f"{name!r} is no name of a scope, role or permission: plain ASCII without spaces and quotes")


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError(f"requires(...): {what}.\n\n  {calling_place()}")


def _held(user: Any, kind: str) -> frozenset[str]:
    """What a user has; a user that has nothing of the kind is allowed nothing by it."""
    held = user.get(kind) if isinstance(user, Mapping) else getattr(user, kind, None)
    if held is None:
        return frozenset()
    return frozenset((held,) if isinstance(held, str) else held)


def _challenges(connection: Connection[Any]) -> tuple[str, ...]:
    return connection._known().challenges


def _unauthorized(connection: Connection[Any]) -> HTTPException:
    failure = connection._known().failure
    headers = [("www-authenticate", challenge) for challenge in _challenges(connection)]
    if failure is None:
        return HTTPException(401, "Sign in to do this.", code="unauthorized", headers=headers)
    return HTTPException(401, failure.detail, code=failure.code, headers=headers)
