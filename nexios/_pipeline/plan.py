"""What does one route need at request time? Everything about it, decided and frozen."""

import msgspec

from nexios._pipeline.errors import ErrorResponder
from nexios._pipeline.middleware import Call
from nexios._pipeline.special_layers import AnswersPreflights
from nexios.routing.route import Route
from nexios.settings import Limits

__all__ = ["Plan"]


class Plan(msgspec.Struct, frozen=True):
    """One compiled route, or one mount. Shared by all its requests.

    `run(request, response)` ends in the handler, and gives what it returned; with
    middleware in front it gives a Response.
    """

    run: Call
    errors: ErrorResponder
    limits: Limits
    route: Route | None
    preflights: AnswersPreflights | None = None
    """Who answers preflights for it in place of the app."""
