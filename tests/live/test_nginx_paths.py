"""Do nginx and the application read a path alike, where nginx keeps people out of a part of it?

nginx decodes and normalises a path before it looks for a `location`, and passes on what it got (`proxy_pass` without a
path). So a path that means something outside /admin to nginx must not lead to a handler of /admin here.
"""

import pytest

from tests.live.conftest import Live
from tests.live.nginx import NEEDS_NGINX

pytestmark = NEEDS_NGINX

HANDLED = ["/admin", "/admin/users/ada", "/admin/7/edit", "/admin/files/a/b", "/admin/app/", "/admin/app/x"]
"""Each leads to a handler, and is refused by nginx."""

OTHER_SPELLINGS = [
    *("/admin/", "/admin//", "//admin", "///admin", "/./admin", "/admin/.", "/admin/./", "/ADMIN", "/Admin/users/ada"),
    *(
        "/x/../admin",
        "/x/%2e%2e/admin",
        "/x/%2E%2e/admin",
        "/x/.%2e/admin",
        "/x/..%2fadmin",
        "/%2e/admin",
        "/..;/admin",
    ),
    *("/admin;x", "/admin;/users/ada", "/;/admin", "/admin.", "/admin./", "/admin%20", "/admin%09", "/admin%0a"),
    *("/admin%00", "/%00/admin", "/admin%2f", "/admin%2F", "/%2fadmin", "/%2Fadmin", "/admin%2fusers%2fada"),
    *("/%61dmin", "/%61%64%6d%69%6e", "/%2561dmin", "/admin%252f", "/admin%5c", "/%5cadmin", "/\\admin", "/admin\\"),
    *(
        "/admin?x",
        "/admin#x",
        "/x#/../admin",
        "/x?/../admin",
        "/admin%3f",
        "/admin%23",
        "/adm%C4%B1n",
        "/admin%e3%80%82",
    ),
    *("/%c0%afadmin", "/public/../admin", "/public//../admin", "/public/%2e%2e%2fadmin", "/public/..%5cadmin"),
    *("/public/../admin/users/ada", "/public/x/../../admin/7/edit"),
    *("/admin/..", "/admin/../", "/admin/../x", "/admin/%2e%2e/x", "/admin/..%2fx", "/admin/.%2E/x", "/admin/..;/x"),
    *(
        "/admin/users/..",
        "/admin/users/../x",
        "/admin/users/%2e%2e",
        "/admin/users/../../x",
        "/admin/users/..%2f..%2fx",
    ),
    *("/admin/../edit", "/admin/%2e%2e/edit", "/admin/7/../../edit", "/admin/./edit"),
    *("/admin/files/../../x", "/admin/files/%2e%2e/%2e%2e/x", "/admin/files/..%2f..%2fx", "/admin/files/../..//x"),
    *("/admin/files/a/../../../x", "/admin/files/..", "/admin/files/../..", "/admin/files//../../x"),
    *(
        "/admin/app/../../x",
        "/admin/app/..",
        "/admin/app/../..",
        "/admin/app/%2e%2e/%2e%2e/x",
        "/admin/app/x/../../../x",
    ),
    *("/public/../../admin", "/../admin", "/../../admin"),
    *("http://guarded.example/admin", "HTTP://guarded.example/admin", "http://guarded.example//admin"),
    *("http://guarded.example/x/../admin", "http://guarded.example/admin/../x"),
    *("http://guarded.example/admin/files/../../x", "http://guarded.example?/admin", "http://guarded.example"),
]


@pytest.mark.parametrize("target", HANDLED)
def test_what_nginx_guards_is_refused_by_it_and_handled_without_it(live: Live, target: str) -> None:
    assert live.via_nginx(target, "Host: guarded.example", "X-App: guarded").status == 403
    assert live.direct(target, "Host: guarded.example", "X-App: guarded").body.startswith(b"secret /admin")


def test_c2_b18_no_other_spelling_gets_through_nginx_to_a_guarded_handler(live: Live) -> None:
    """All in one test: a hundred spellings on five servers."""
    fields = ("Host: guarded.example", "X-App: guarded")

    answers = {target: live.via_nginx(target, *fields) for target in [*HANDLED, *OTHER_SPELLINGS]}

    assert {target: answer.body for target, answer in answers.items() if b"secret" in answer.body} == {}
    assert {answer.status for answer in answers.values()} <= {200, 308, 400, 403, 404}


@pytest.mark.parametrize(
    ("target", "as_it_came", "rewritten"),
    [
        ("/public/a//b", "a//b", "a/b"),
        ("/public/a/../b", None, "b"),
        ("/public/a%2fb", "a/b", "a/b"),
        ("/public/a%252fb", "a%2fb", "a%2fb"),
        ("/public/caf%c3%a9", "caf\u00e9", "caf\u00e9"),
        ("/public/%3f%23;x", "?#;x", "?#;x"),
    ],
)
def test_nginx_normalises_what_it_passes_on_where_proxy_pass_has_a_path(
    live: Live, target: str, as_it_came: str | None, rewritten: str
) -> None:
    """Without one, the application gets the path as it came, decodes it once, and normalises nothing."""
    answers = [live.via_nginx(target, f"Host: {site}.example", "X-App: guarded") for site in ("guarded", "rewritten")]

    texts = [answer.body.decode() if answer.status == 200 else None for answer in answers]
    assert texts == [as_it_came and f"public /public/{as_it_came}", f"public /public/{rewritten}"]


def test_a_site_of_nginx_that_guards_is_one_that_the_client_chose(live: Live) -> None:
    """An unknown host gets the default server, so a guard that is not there guards nothing; the page says so."""
    for host in ("guarded.example", "unknown.example"):
        statuses = [
            live.via_nginx(start + "/admin", f"Host: {host}").status for start in ("", "http://guarded.example")
        ]
        assert statuses == ([403, 403] if host == "guarded.example" else [404, 403])
