"""The table of CSRF decisions, cell by cell: what browsers say, for every method, and what it comes to."""

import itertools
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.middleware.csrf_decision import SAFE_METHODS, Evidence, Verdict, decide
from nexios.middleware.csrf_tokens import TOKEN_SIZE, make_token, new_secret, token_fits

OWN = "https://shop.example"
SITES = {
    "absent": (),
    "none": ("none",),
    "same-origin": ("same-origin",),
    "same-site": ("same-site",),
    "cross-site": ("cross-site",),
    "garbage": ("Same-Origin",),
}
ORIGINS = {
    "absent": (),
    "null": ("null",),
    "same": (OWN,),
    "other-port": ("https://shop.example:8443",),
    "other-scheme": ("http://shop.example",),
    "sub": ("https://blog.shop.example",),
    "evil": ("https://evil.example",),
    "two": (OWN, OWN),
}
TABLE = """
              absent null   same   other-port other-scheme sub    evil   two
absent        token  refuse pass   refuse     refuse       refuse refuse refuse
none          pass   pass   pass   pass       pass         pass   pass   pass
same-origin   pass   pass   pass   pass       pass         pass   pass   pass
same-site     refuse refuse refuse refuse     refuse       refuse refuse refuse
cross-site    refuse refuse refuse refuse     refuse       refuse refuse refuse
garbage       refuse refuse refuse refuse     refuse       refuse refuse refuse
"""
"""Rows are Sec-Fetch-Site, columns are Origin, for unsafe methods."""


def cells() -> dict[tuple[str, str], str]:
    """Return what the table says."""
    head, *rows = (line.split() for line in TABLE.strip().splitlines())
    return {(site, origin): word for site, *words in rows for origin, word in zip(head, words, strict=True)}


CELLS = cells()
UNSAFE = ["POST", "PUT", "PATCH", "DELETE", "QUERY", "FOO", "get", "Get", "GETS", ""]


def said(verdict: Verdict) -> str:
    return "pass" if verdict.passes else "token" if verdict is Verdict.TOKEN_DECIDES else "refuse"


def test_the_table_has_every_cell() -> None:
    assert set(CELLS) == set(itertools.product(SITES, ORIGINS))


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize(("site", "origin"), CELLS)
def test_an_unsafe_method_gets_what_its_cell_says(method: str, site: str, origin: str) -> None:
    evidence = Evidence(sites=SITES[site], origins=ORIGINS[origin], own=OWN)

    assert said(decide(method, evidence)) == CELLS[site, origin]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
@pytest.mark.parametrize(("site", "origin"), CELLS)
def test_a_safe_method_passes_in_every_cell(method: str, site: str, origin: str) -> None:
    evidence = Evidence(sites=SITES[site], origins=ORIGINS[origin], own=OWN)

    assert decide(method, evidence) is Verdict.SAFE_METHOD


@pytest.mark.parametrize(("site", "origin"), CELLS)
def test_an_exempt_route_passes_in_every_cell(site: str, origin: str) -> None:
    evidence = Evidence(sites=SITES[site], origins=ORIGINS[origin], own=OWN)

    assert decide("POST", evidence, exempt=True) is Verdict.EXEMPT


@pytest.mark.parametrize("site", ["absent", "same-site", "cross-site", "garbage"])
def test_an_origin_that_is_trusted_passes_alone_and_only_once(site: str) -> None:
    trusted = frozenset({"https://evil.example"})
    once = Evidence(sites=SITES[site], origins=ORIGINS["evil"], own=OWN)
    twice = Evidence(sites=SITES[site], origins=ORIGINS["evil"] * 2, own=OWN)

    assert decide("POST", once, trusted=trusted) is Verdict.TRUSTED_ORIGIN
    assert said(decide("POST", twice, trusted=trusted)) == "refuse"


@pytest.mark.parametrize(
    ("own", "referers", "word"),
    [
        (OWN, (), "token"),
        (OWN, ("https://shop.example/cart?step=2",), "token"),
        (OWN, ("https://shop.example:443/",), "token"),
        (OWN, ("https://admin.example/",), "token"),
        (OWN, ("https://evil.example/",), "refuse"),
        (OWN, ("http://shop.example/",), "refuse"),
        (OWN, ("https://shop.example.evil.example/",), "refuse"),
        (OWN, ("https://evil.example/https://shop.example/",), "refuse"),
        (OWN, ("https://shop.example@evil.example/",), "refuse"),
        (OWN, ("",), "refuse"),
        (OWN, ("null",), "refuse"),
        (OWN, ("https://shop.example/", "https://shop.example/"), "refuse"),
        ("http://shop.example", ("https://evil.example/",), "token"),
        ("", ("https://evil.example/",), "token"),
    ],
)
def test_a_referer_can_only_refuse_and_only_over_https(own: str, referers: tuple[str, ...], word: str) -> None:
    evidence = Evidence(referers=referers, own=own)

    assert said(decide("POST", evidence, trusted=frozenset({"https://admin.example"}))) == word


@pytest.mark.parametrize(
    ("origin", "own", "word"),
    [
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", "pass"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]:8443", "refuse"),
        ("https://shop.example.", OWN, "refuse"),
        ("https://shop.example:443", OWN, "refuse"),
        ("HTTPS://SHOP.EXAMPLE", OWN, "refuse"),
        ("https://shop.example/", OWN, "refuse"),
        ("https://user@shop.example", OWN, "refuse"),
        ("https://shop.example https://evil.example", OWN, "refuse"),
        ("file://", OWN, "refuse"),
        ("", OWN, "refuse"),
        ("", "", "refuse"),
        ("null", "", "refuse"),
    ],
)
def test_an_origin_is_ours_only_as_a_whole(origin: str, own: str, word: str) -> None:
    assert said(decide("POST", Evidence(origins=(origin,), own=own))) == word


values = st.lists(st.one_of(st.text(max_size=40), st.sampled_from([OWN, "null", "same-origin", "none"])), max_size=3)


@given(method=st.text(max_size=8), sites=values, origins=values, referers=values)
def test_nothing_that_is_sent_makes_it_fail_and_only_own_evidence_passes(
    method: str, sites: list[str], origins: list[str], referers: list[str]
) -> None:
    evidence = Evidence(tuple(sites), tuple(origins), tuple(referers), OWN)

    verdict = decide(method, evidence)

    if verdict.passes and method not in SAFE_METHODS:
        assert sites in (["same-origin"], ["none"]) or (not sites and len(origins) == 1)


@given(st.text(max_size=100))
def test_no_other_text_is_a_token(text: str) -> None:
    assert not token_fits(text, new_secret())


@pytest.mark.parametrize(
    "text", ["!" * 86, "A" * 85 + "!", "A" * 85 + "\u00e9", "A" * 85 + "B", "+" * 86, "A" * 84 + "=="]
)
def test_what_base64_would_take_for_a_token_is_none(text: str) -> None:
    assert not token_fits(text, new_secret())


def test_no_token_is_like_another_and_all_have_one_length() -> None:
    """BREACH: the page shows nothing that stays."""
    secret = new_secret()

    tokens = [make_token(secret) for _ in range(200)]

    assert len(set(tokens)) == 200
    assert {len(token) for token in tokens} == {TOKEN_SIZE}
    assert all(token_fits(token, secret) for token in tokens)


def test_a_token_is_changed_by_any_change() -> None:
    secret = new_secret()
    token = make_token(secret)
    others = [token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :] for place in range(TOKEN_SIZE)]

    assert [other for other in others if token_fits(other, secret)] == []
    assert not any(token_fits(other, secret) for other in (token + "=", token[:-1], f" {token}", token + "\n"))


def test_a_token_says_nothing_of_the_secret() -> None:
    """Neither the secret nor what it comes to without the mask is in it."""
    secret = new_secret()

    assert secret not in urlsafe_b64decode(make_token(secret) + "==")
