"""Is the page on the life of a request up to date, and does the script that writes it see what it says?"""

from nexios import NexiosApp, Request, Response
from scripts.hops import PAGE, full_app, hops_of, plain_app, with_hops


def test_the_page_shows_the_hops_of_today() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == with_hops(page), "python scripts/hops.py --update"


def test_a_request_begins_at_the_server_interface_and_ends_with_sending() -> None:
    for app in (plain_app(), full_app()):
        names = [hop.name for hop in hops_of(app)]

        assert (names[0], names[-1]) == ("ASGIApplication.__call__", "ASGITransport.send_bytes")


def test_a_longer_way_has_more_hops() -> None:
    assert len(hops_of(plain_app())) < len(hops_of(full_app()))


def test_a_function_that_is_called_again_is_another_hop() -> None:
    app = NexiosApp()

    @app.get("/items/7")
    async def item(request: Request, response: Response) -> Response:
        return response.text("a").text("b")

    assert [hop.name for hop in hops_of(app)].count("Response.text") == 2
