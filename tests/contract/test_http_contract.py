"""Requests and answers: what a handler is told and what a client gets is the same under every server."""

import json
import re
from typing import Any

import pytest

from tests.contract.conftest import Client, Connect, Site


def told(connect: Connect, target: str, **options: Any) -> Any:
    """What the handler was told of a request whose target goes out as it is."""
    with connect() as connection:
        answer = connection.ask(f"/about/{target}", **options)
        assert answer.status == 200
        return json.loads(connection.rest())


def test_text_is_sent_as_utf_8(client: Client) -> None:
    answer = client.get("/text")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-length"] == "14"
    assert answer.content == "Hello, wörld!".encode()


def test_json_is_sent(client: Client) -> None:
    answer = client.get("/json")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"message": "Hello, wörld!"}


def test_an_empty_200_says_that_it_is_empty(connect: Connect) -> None:
    connection = connect()
    answer = connection.ask("/nothing")

    assert (answer.status, answer.one("content-length"), connection.rest()) == (200, b"0", b"")


def test_a_204_has_neither_content_nor_length(connect: Connect) -> None:
    """RFC 9110 section 8.6."""
    connection = connect()
    answer = connection.ask("/empty")

    assert (answer.status, answer.one("content-length"), answer.one("transfer-encoding")) == (204, None, None)
    assert connection.ask("/text").status == 200


@pytest.mark.parametrize("code", [204, 304])
def test_a_status_without_content_sends_none_and_keeps_the_connection(connect: Connect, code: int) -> None:
    connection = connect()
    answer = connection.ask(f"/status/{code}")

    assert (answer.status, answer.one("transfer-encoding")) == (code, None)
    assert connection.ask("/text").status == 200
    assert connection.rest() == "Hello, wörld!".encode()


@pytest.mark.parametrize("code", [200, 201, 299, 400, 418, 499, 500, 599])
def test_any_final_status_can_be_sent(connect: Connect, code: int) -> None:
    connection = connect()

    assert connection.ask(f"/status/{code}").status == code
    assert connection.rest() == b"content"


def test_head_gets_the_headers_of_get_and_no_content(connect: Connect) -> None:
    connection = connect()
    answer = connection.ask("/text", "HEAD")

    assert (answer.status, answer.one("content-length")) == (200, b"14")
    assert connection.ask("/text").status == 200
    assert connection.rest() == "Hello, wörld!".encode()


def test_head_of_a_stream_has_no_content(connect: Connect, key: str) -> None:
    connection = connect()
    answer = connection.ask(f"/stream/steps/{key}", "HEAD")

    assert (answer.status, answer.one("content-type")) == (200, b"text/plain")
    assert connection.ask("/text").status == 200


def test_an_unknown_path_is_a_404_with_a_problem_document(client: Client) -> None:
    answer = client.get("/there/is/nothing/here")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


def test_a_method_that_a_path_does_not_know_is_a_405_with_allow(client: Client) -> None:
    answer = client.delete("/text")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_options_lists_the_methods(client: Client) -> None:
    answer = client.options("/text")

    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_a_method_that_nobody_knows_is_a_501(connect: Connect) -> None:
    assert connect().ask("/text", "FROBNICATE").status == 501


def test_a_method_of_our_own_reaches_its_handler(connect: Connect) -> None:
    assert told(connect, "", method="PURGE")["method"] == "PURGE"


def test_an_error_in_a_handler_is_a_500_that_says_nothing(client: Client) -> None:
    answer = client.get("/boom")

    assert answer.status_code == 500
    assert answer.json()["detail"] == "Internal Server Error"
    assert "secret" not in answer.text


def test_a_redirect_is_sent_in_ascii(connect: Connect) -> None:
    answer = connect().ask("/redirect")

    assert (answer.status, answer.one("location")) == (307, b"/text?from=%C3%BC")
    assert answer.one("content-length") == b"0"


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ("plain", "/items/plain"),
        ("a%20b", "/items/a b"),
        ("a+b", "/items/a+b"),
        ("caf%C3%A9", "/items/café"),
        ("%e2%82%ac", "/items/€"),
        ("100%25", "/items/100%"),
        ("%2525", "/items/%25"),
        ("%3Fa%23b", "/items/?a#b"),
        (";v=1", "/items/;v=1"),
        ("%zz", "/items/%zz"),
        ("%FF", "/items/\ufffd"),
    ],
)
def test_a_path_is_decoded_exactly_once(connect: Connect, sent: str, path: str) -> None:
    connection = connect()
    answer = connection.ask(f"/items/{sent}")

    assert answer.status == 200
    assert json.loads(connection.rest()) == {"path": path, "name": path.removeprefix("/items/")}


def test_an_encoded_slash_is_a_slash(connect: Connect) -> None:
    """A server decodes the path before we see it, so no handler can tell the two apart."""
    assert told(connect, "a%2Fb%2fc")["path"] == "/about/a/b/c"
    assert connect().ask("/items/a%2Fb").status == 404


@pytest.mark.parametrize("target", ["a//b", ".a/..b", "a./b..", "..."])
def test_dots_and_double_slashes_in_a_path_are_left_alone(connect: Connect, target: str) -> None:
    assert told(connect, target)["path"] == "/about/" + target


@pytest.mark.parametrize("target", ["../x", "a/../b", "%2e%2e/x", "./x"])
def test_a_path_with_a_segment_of_dots_leads_to_no_parameter(connect: Connect, target: str) -> None:
    """A proxy resolves it before it looks who may pass."""
    with connect() as connection:
        assert connection.ask(f"/about/{target}").status == 404


def test_the_query_string_stays_raw_and_its_parameters_are_decoded_once(connect: Connect) -> None:
    about = told(connect, "?a=1%202&b=caf%C3%A9&c=%2525&d=x+y&e=?/")

    assert about["query_string"] == "a=1%202&b=caf%C3%A9&c=%2525&d=x+y&e=?/"
    assert about["query"] == {"a": "1 2", "b": "café", "c": "%25", "d": "x y", "e": "?/"}


def test_a_question_mark_without_a_query_is_an_empty_query(connect: Connect) -> None:
    assert told(connect, "?")["query_string"] == ""


def test_the_url_is_what_the_client_asked_for(connect: Connect) -> None:
    assert told(connect, "caf%C3%A9?x=1")["url"] == "http://contract.test/about/caf%C3%A9?x=1"


def test_the_scheme_and_the_version_are_those_of_the_connection(connect: Connect) -> None:
    about = told(connect, "")

    assert (about["scheme"], about["http_version"]) == ("http", "1.1")


def test_the_client_is_the_other_end_of_the_connection(connect: Connect) -> None:
    connection = connect()
    connection.ask("/about/", fields=[("x-forwarded-for", "10.9.8.7"), ("forwarded", "for=10.9.8.7")])

    assert json.loads(connection.rest())["client"] == list(connection.own_address)


def test_repeated_request_headers_all_arrive_in_their_order(connect: Connect) -> None:
    headers = told(connect, "", fields=[("x-a", "1"), ("X-B", "2"), ("X-A", "3, 4")])["headers"]

    assert [value for name, value in headers if name == "x-a"] == ["1", "3, 4"]
    assert ["x-b", "2"] in headers


def test_request_header_names_arrive_in_lower_case_and_values_as_they_are(connect: Connect) -> None:
    headers = told(connect, "", fields=[("X-MiXeD", "Kept  As It Is")])["headers"]

    assert ["x-mixed", "Kept  As It Is"] in headers


def test_white_space_around_a_request_header_is_not_part_of_it(connect: Connect) -> None:
    """RFC 9110 section 5.5."""
    headers = told(connect, "", fields=[("x-padded", "  value \t")])["headers"]

    assert ["x-padded", "value"] in headers


def test_latin_1_bytes_in_a_request_header_arrive(connect: Connect) -> None:
    headers = told(connect, "", fields=[("x-name", b"caf\xe9")])["headers"]

    assert ["x-name", "café"] in headers


def test_utf_8_bytes_in_a_request_header_arrive_as_latin_1(connect: Connect) -> None:
    """As WSGI and ASGI have it: the bytes can be got back."""
    headers = told(connect, "", fields=[("x-name", "café".encode())])["headers"]

    assert ["x-name", "café".encode().decode("latin-1")] in headers


def test_repeated_response_headers_are_all_sent(client: Client) -> None:
    cookies = client.get("/headers").headers.get_list("set-cookie")

    assert [cookie.split(";")[0] for cookie in cookies] == ["a=1", "b=2"]


def test_a_response_header_is_sent_as_it_was_set(connect: Connect) -> None:
    assert connect().ask("/headers").one("x-mixed-case") == b"Kept As It Is"


def test_latin_1_bytes_in_a_response_header_are_sent(connect: Connect) -> None:
    assert connect().ask("/headers/latin-1").one("x-name") == b"caf\xe9"


def test_a_response_has_one_date_in_the_form_of_rfc_9110(connect: Connect) -> None:
    """Section 6.6.1: an origin server with a clock sends it; all servers do it for us."""
    date = connect().ask("/text").one("date")

    assert date is not None
    assert re.fullmatch(rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", date)


def test_context_variables_reach_the_handler_and_come_back(client: Client) -> None:
    answer = client.get("/context/async")

    assert answer.json() == {"seen": "middleware", "thread": False}
    assert answer.headers["x-after"] == "handler"


def test_a_sync_handler_runs_in_a_thread_with_its_context(client: Client) -> None:
    answer = client.get("/context/sync")

    assert answer.json() == {"seen": "middleware", "thread": True}
    assert answer.headers["x-after"] == "handler"


def test_a_context_variable_does_not_reach_the_next_request_of_a_connection(connect: Connect) -> None:
    connection = connect()
    for _ in range(3):
        answer = connection.ask("/context/async")
        connection.rest()

        assert answer.one("x-before") == b"nothing"


def test_a_mounted_app_sees_the_whole_path_and_its_root(client: Client) -> None:
    about = client.get("/mounted/about/caf%C3%A9?x=1").json()

    assert (about["path"], about["root_path"], about["rest"]) == ("/mounted/about/café", "/mounted", "café")
    assert about["url"].endswith("/mounted/about/caf%C3%A9?x=1")


def test_a_path_that_a_mounted_app_does_not_know_is_a_404(client: Client) -> None:
    assert client.get("/mounted/nothing").status_code == 404


def test_a_background_task_runs_after_the_response(site: Site, key: str) -> None:
    assert site.client.get(f"/life/background/{key}").text == "sent"

    assert site.wait_for_note(key, "begun") == ["begun"]
    site.signal(key)
    assert site.wait_for_note(key, "thread") == ["begun", "finished", "thread"]
