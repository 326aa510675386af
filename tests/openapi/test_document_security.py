"""Security, callbacks and webhooks: what surrounds an operation."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from nexios.errors import ConfigurationError
from nexios.openapi.build import build_document
from nexios.openapi.config import Callback, OpenAPI, Webhook
from nexios.openapi.model import OAuthFlow, OAuthFlows, SecurityScheme
from nexios.routing.router import Router
from tests.openapi.documents import document_of, only_operation, operations_of

BEARER = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")


class Paid(msgspec.Struct):
    order: int


class Guard:
    def __init__(self, name: str, scheme: SecurityScheme, *scopes: str) -> None:
        self._said = name, scheme, scopes

    def openapi_security(self) -> tuple[str, SecurityScheme, Sequence[str]]:
        return self._said


async def show(request: Any, response: Any) -> None: ...


def router_of(**options: Any) -> Router:
    router = Router()
    router.add_route("/", show, **options)
    return router


def test_schemes_and_requirements_of_the_settings_are_the_documents_own() -> None:
    document = document_of(router_of(), security_schemes={"token": BEARER}, security=[{"token": []}])

    assert document["components"]["securitySchemes"] == {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    assert document["security"] == [{"token": []}]
    assert "security" not in document["paths"]["/"]["get"]
    assert list(document["paths"]["/"]["get"]["responses"]) == ["204", "401", "403", "default"]


def test_a_route_may_be_open_to_all() -> None:
    operation = only_operation(router_of(security=[]), security=[{"token": []}], security_schemes={"token": BEARER})

    assert operation["security"] == []
    assert "401" not in operation["responses"]


def test_a_route_may_ask_for_something_else() -> None:
    operation = only_operation(router_of(security=[{"key": [], "oauth": ["read"]}, "token"]))

    assert operation["security"] == [{"key": [], "oauth": ["read"]}, {"token": []}]


def test_guards_describe_themselves_and_all_of_them_are_needed() -> None:
    guards = [Guard("token", BEARER, "read"), Guard("token", BEARER, "write", "read")]

    document = document_of(router_of(), security=guards[:0])
    guarded = build_with(guards)

    assert "security" not in document["paths"]["/"]["get"]
    assert guarded["paths"]["/"]["get"]["security"] == [{"token": ["read", "write"]}]
    assert guarded["components"]["securitySchemes"]["token"]["type"] == "http"


def test_two_schemes_of_one_name_are_an_error() -> None:
    other = SecurityScheme(type="apiKey", name="key", in_="header")

    with pytest.raises(ConfigurationError, match="Two security schemes are called 'token'"):
        build_with([Guard("token", BEARER), Guard("token", other)])


def test_the_settings_say_which_of_two_schemes_is_meant() -> None:
    other = SecurityScheme(type="apiKey", name="key", in_="header")

    document = build_with([Guard("token", BEARER), Guard("token", other)], security_schemes={"token": other})

    assert document["components"]["securitySchemes"]["token"] == {"type": "apiKey", "name": "key", "in": "header"}


def test_a_requirement_that_is_none_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="security= has 3"):
        document_of(router_of(security=[3]))


@pytest.mark.parametrize(("version", "word"), [("3.1", "x-oai-deviceAuthorization"), ("3.2", "deviceAuthorization")])
def test_flows_that_3_1_does_not_know_are_extensions(version: str, word: str) -> None:
    flow = OAuthFlow(scopes={"read": "Read"}, token_url="https://example.com/token")
    scheme = SecurityScheme(type="oauth2", flows=OAuthFlows(device_authorization=flow))

    document = document_of(Router(), security_schemes={"oauth": scheme}, openapi_version=version)

    assert document["components"]["securitySchemes"]["oauth"]["flows"] == {
        word: {"scopes": {"read": "Read"}, "tokenUrl": "https://example.com/token"}
    }


def test_a_callback_is_a_request_that_the_application_sends() -> None:
    callback = Callback(expression="{$request.body#/url}", body=Paid, summary="Paid", responses={200: "Thanks"})

    document = document_of(router_of(callbacks={"paid": callback}))

    assert document["paths"]["/"]["get"]["callbacks"] == {
        "paid": {
            "{$request.body#/url}": {
                "post": {
                    "summary": "Paid",
                    "requestBody": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Paid"}}},
                        "required": True,
                    },
                    "responses": {"200": {"description": "Thanks"}},
                }
            }
        }
    }
    assert "Paid" in document["components"]["schemas"]


def test_a_callback_may_be_written_as_openapi_has_it() -> None:
    plain = {"{$request.query.url}": {"post": {"responses": {"200": {"description": "OK"}}}}}

    assert only_operation(router_of(callbacks={"plain": plain}))["callbacks"] == {"plain": plain}


def test_anything_else_is_no_callback() -> None:
    with pytest.raises(ConfigurationError, match="Callback\\(expression="):
        document_of(router_of(callbacks={"paid": Paid}))


def test_webhooks_are_listed_by_name() -> None:
    webhook = Webhook(body=Paid, method="PUT", description="After payment", tags=("orders",), extra={"x-retries": 3})

    document = document_of(Router(), webhooks={"order-paid": webhook})

    assert document["webhooks"] == {
        "order-paid": {
            "put": {
                "tags": ["orders"],
                "description": "After payment",
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Paid"}}},
                    "required": True,
                },
                "responses": {"2XX": {"description": "Received"}},
                "x-retries": 3,
            }
        }
    }


def build_with(guards: Sequence[Guard], **settings: Any) -> dict[str, Any]:
    """The document of one route with guards."""
    return build_document(operations_of(router_of(), guards), OpenAPI(**settings))
