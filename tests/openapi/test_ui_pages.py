"""The pages that show the document: where they are, what they say, and what they are allowed to load."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios import NexiosApp, Request
from nexios._injection.depend import Depend
from nexios.errors import ConfigurationError, HTTPException
from nexios.openapi.bundles import Assets
from nexios.openapi.config import OpenAPI
from nexios.openapi.routes import document_routes
from nexios.openapi.ui import UIS, content_security_policy, relative_url, render_page
from nexios.testing.raw import RawAnswer, call

PAGES = ["/docs", "/docs/scalar", "/docs/swagger", "/docs/redoc"]
NASTY = "</title><script>alert(1)</script>\"'&"


class Tags(HTMLParser):
    """The tags of a page, and the texts that stand in them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags:
            self.texts[self.tags[-1][0]] = self.texts.get(self.tags[-1][0], "") + data

    @property
    def urls(self) -> list[str]:
        """What the page loads, the document included; the icon, which is a data: URL, aside."""
        found = [
            value
            for _, attributes in self.tags
            for name, value in attributes.items()
            if name in ("src", "href", "data-document") and value is not None
        ]
        return [url for url in found if url != "data:,"]


def make_app(config: OpenAPI | None = None, **options: Any) -> NexiosApp:
    """An app with a document that says nothing."""
    app = NexiosApp(openapi=None, **options)
    app.include_router(document_routes(config or OpenAPI(), lambda request: b'{"openapi":"3.1.0"}'))
    return app


async def urls_of(app: NexiosApp, page: str, **options: Any) -> list[str]:
    """The paths of everything that a page asks for."""
    answer = await call(app, path=page, **options)
    assert answer.status == 200
    return [urljoin(page, url) for url in Tags(answer.body.decode()).urls]


async def loads(app: NexiosApp, page: str, **options: Any) -> list[RawAnswer]:
    """The answers to everything that a page asks for."""
    return [await call(app, path=path, **options) for path in await urls_of(app, page, **options)]


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_is_html_in_utf_8_that_may_load_from_its_own_site_alone(page: str) -> None:
    answer = await call(make_app(), path=page)

    assert answer.status == 200
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert b'<meta charset="utf-8">' in answer.body
    assert answer.header("x-content-type-options") == "nosniff"
    policy = answer.header("content-security-policy") or ""
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert policy.endswith("; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
    assert "//" not in policy
    assert "*" not in policy


@pytest.mark.parametrize("page", PAGES)
async def test_what_a_page_loads_is_there(page: str) -> None:
    answers = await loads(make_app(), page)

    assert len(answers) >= 3
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_has_no_script_of_its_own_and_no_url_of_another_site(page: str) -> None:
    tags = Tags((await call(make_app(), path=page)).body.decode())

    assert not tags.texts["script"].strip()
    assert "style" not in [tag for tag, _ in tags.tags]
    assert all(url.startswith("./") and "//" not in url for url in tags.urls)


def test_scripts_come_from_the_site_alone_and_only_swagger_ui_needs_no_inline_styles() -> None:
    policies = {name: content_security_policy(ui) for name, ui in UIS.items()}

    assert all("script-src 'self';" in policy for policy in policies.values())
    assert [name for name, policy in policies.items() if "unsafe" in policy] == ["scalar", "redoc"]
    assert all(
        policy.count("unsafe") == policy.count("style-src 'self' 'unsafe-inline';") for policy in policies.values()
    )


async def test_the_title_is_text_whatever_it_holds() -> None:
    """The published nexios wrote it into the page as it was (fault 50)."""
    answer = await call(make_app(OpenAPI(title=NASTY)), path="/docs")

    assert b"<script>alert" not in answer.body
    assert Tags(answer.body.decode()).texts["title"].rstrip() == NASTY


@given(st.text(), st.text(alphabet=st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1))
def test_a_page_says_exactly_what_it_was_told(title: str, name: str) -> None:
    ui = UIS["swagger"]
    html = render_page(
        ui, Assets(ui.files), title=title, page="/docs", document=f"/{name}.json", folder="/docs/assets"
    )  # fmt: skip

    assert [tag for tag, _ in Tags(html).tags] == [tag for tag, _ in Tags(PLAIN).tags]
    [document] = [attributes["data-document"] for _, attributes in Tags(html).tags if "data-document" in attributes]
    assert unquote(urljoin("/docs", document)) == f"/{name}.json"


PLAIN = render_page(
    UIS["swagger"], Assets(UIS["swagger"].files), title="x", page="/docs", document="/x.json", folder="/docs/assets"
)


@given(*[st.lists(st.text(alphabet="ab:%? é'\"<&", min_size=1, max_size=4), min_size=1, max_size=4)] * 2, st.booleans())
def test_a_relative_url_leads_where_it_should(page: list[str], target: list[str], slash: bool) -> None:
    here, there = f"/{'/'.join(page)}{'/' * slash}", f"/{'/'.join(target)}"

    url = relative_url(here, there)

    assert unquote(urljoin(f"http://site.example{relative_base(here)}", url)) == f"http://site.example{there}"
    assert url.isascii()


def relative_base(path: str) -> str:
    """The path as a browser would send it."""
    return "".join(f"%{byte:02X}" if chr(byte) in "%? '\"<&" or byte > 127 else chr(byte) for byte in path.encode())


@pytest.mark.parametrize(("slashes", "page"), [("ignore", "/docs/"), ("ignore", "/docs/swagger/"), ("strict", "/docs")])
async def test_a_slash_at_the_end_leads_no_url_astray(slashes: str, page: str) -> None:
    answers = await loads(make_app(slashes=slashes), page)

    assert {answer.status for answer in answers} == {200}


async def test_the_pages_work_at_the_root_of_the_site() -> None:
    app = make_app(OpenAPI(docs_path="/"))

    for page in ("/", "/swagger"):
        assert {answer.status for answer in await loads(app, page)} == {200}


@pytest.mark.parametrize("page", ["/api/docs", "/api/docs/redoc"])
async def test_the_pages_work_below_a_root_path(page: str) -> None:
    answers = await loads(make_app(), page, scope_extra={"root_path": "/api"})

    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("prefix", ["/inner", "/a/b c"])
async def test_the_pages_work_below_a_mount(prefix: str) -> None:
    app = NexiosApp(openapi=None)
    app.mount(prefix, make_app(OpenAPI(path="/schema/openapi.json")))
    page = f"{prefix}/docs/swagger"

    answer = await call(app, path=page)
    urls = [unquote(urljoin(page.replace(" ", "%20"), url)) for url in Tags(answer.body.decode()).urls]

    assert f"{prefix}/schema/openapi.json" in urls
    assert {(await call(app, path=url)).status for url in urls} == {200}


@pytest.mark.parametrize("path", ["/api", "/api/"])
async def test_pages_at_the_root_of_a_mount_work_with_and_without_its_slash(path: str) -> None:
    app = NexiosApp(openapi=None)
    app.mount("/api", make_app(OpenAPI(docs_path="/")))

    assert {answer.status for answer in await loads(app, path)} == {200}


async def test_the_first_of_the_uis_is_at_the_path_itself() -> None:
    app = make_app(OpenAPI(uis=("redoc", "swagger")))

    assert b"redoc" in (await call(app, path="/docs")).body
    assert (await call(app, path="/docs/swagger")).status == 200
    assert (await call(app, path="/docs/scalar")).status == 404


async def test_the_files_of_a_page_that_is_off_are_not_there() -> None:
    app, only_redoc = make_app(), make_app(OpenAPI(uis=("redoc",)))
    [script] = re.findall(r'src="\.(/docs/assets/scalar\.\w+\.js)"', (await call(app, path="/docs")).body.decode())

    assert (await call(app, path=script)).status == 200
    assert (await call(only_redoc, path=script)).status == 404


@pytest.mark.parametrize("config", [OpenAPI(docs_path=None), OpenAPI(uis=())])
async def test_the_pages_can_be_switched_off(config: OpenAPI) -> None:
    app = make_app(config)

    assert (await call(app, path="/openapi.json")).status == 200
    assert [(await call(app, path=page)).status for page in PAGES] == [404] * 4


async def test_without_a_document_there_are_no_pages_either() -> None:
    app = make_app(OpenAPI(path=None))

    assert [(await call(app, path=path)).status for path in ("/openapi.json", *PAGES)] == [404] * 5


def test_an_unknown_page_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="no documentation page 'rapidoc'; there are: scalar, swagger, redoc"):
        document_routes(OpenAPI(uis=("rapidoc",)), lambda request: b"")  # type: ignore[arg-type]


@pytest.mark.parametrize("config", [OpenAPI(path="/{version}/openapi.json"), OpenAPI(docs_path="/{version}/docs")])
def test_a_path_with_a_parameter_is_refused(config: OpenAPI) -> None:
    with pytest.raises(ConfigurationError, match=r"'/\{version\}/.* has a parameter"):
        document_routes(config, lambda request: b"")


async def test_an_app_may_have_several_documents() -> None:
    app = NexiosApp(openapi=None)
    app.include_router(document_routes(OpenAPI(title="Shop"), lambda request: b'"shop"'))
    admin = OpenAPI(title="Admin", path="/admin/openapi.json", docs_path="/admin/docs")
    app.include_router(document_routes(admin, lambda request: b'"admin"'))

    assert app.url_for("openapi:document") == "/openapi.json"
    assert app.url_for("admin-openapi:swagger") == "/admin/docs/swagger"
    assert b"<title>Admin</title>" in (await call(app, path="/admin/docs")).body
    assert [answer.body for answer in await loads(app, "/admin/docs/swagger")][1] == b'"admin"'


async def test_pages_document_and_files_are_behind_the_dependencies() -> None:
    def guard(request: Request) -> None:
        if "authorization" not in request.headers:
            raise HTTPException(401)

    app = make_app(OpenAPI(dependencies=[Depend(guard)]))
    known = [(b"authorization", b"Basic eDp5")]
    inside = ["/openapi.json", *PAGES, *await urls_of(app, "/docs/swagger", headers=known)]

    assert {(await call(app, path=path)).status for path in inside} == {401}
    assert {(await call(app, path=path, headers=known)).status for path in inside} == {200}


def test_pages_and_document_are_in_no_document() -> None:
    assert document_routes(OpenAPI(), lambda request: b"").include_in_schema is False
