"""What trusted proxies say: nothing but the documented errors, and never more than they are trusted for."""

from hypothesis import given
from hypothesis import strategies as st

from nexios.errors import BadRequest
from nexios.http.proxies import Claim, TrustedProxies, Values, forwarded_claim, x_forwarded_claim
from nexios.http.url import parse_ip

ALL = frozenset({"for", "proto", "host", "prefix"})
NAMES = ("forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix")
NOISE = st.text(st.sampled_from('10.:,;="/[]abfhorstxp \\-_%'), max_size=40)
ADDRESSES = st.ip_addresses().map(str)
PROXIES = TrustedProxies(["10.0.0.0/8"], hops=3)


def values_of(said: dict[str, list[str]]) -> Values:
    return lambda name: said.get(name, [])


@given(
    said=st.fixed_dictionaries({name: st.lists(st.one_of(NOISE, st.text(max_size=20)), max_size=3) for name in NAMES})
)
def test_no_text_raises_anything_but_bad_request(said: dict[str, list[str]]) -> None:
    for read in (x_forwarded_claim, forwarded_claim):
        try:
            claim = read(said.__getitem__, PROXIES, ALL)
        except BadRequest:
            continue
        assert claim.prefix == "" or claim.prefix.startswith("/")
        assert claim.client is None or parse_ip(claim.client.name) == claim.client.name


@given(
    invented=st.lists(ADDRESSES | NOISE, max_size=5), client=ADDRESSES.filter(lambda text: not text.startswith("10."))
)
def test_what_a_client_invents_never_counts(invented: list[str], client: str) -> None:
    """The proxy at the peer appends the address of the client, which is none of ours."""
    said = {"x-forwarded-for": [*invented, client]}
    plain = {"x-forwarded-for": [client]}

    claims = [x_forwarded_claim(values_of(of), PROXIES, ALL) for of in (said, plain)]

    assert claims[0] == claims[1]
    assert claims[0].client is not None
    assert claims[0].client.name == parse_ip(client)


def test_nothing_said_is_nothing_claimed() -> None:
    assert x_forwarded_claim(lambda name: [], PROXIES, ALL) == forwarded_claim(lambda name: [], PROXIES, ALL) == Claim()


def test_an_element_that_does_not_say_for_whom_ends_the_chain() -> None:
    """A proxy that leaves out `for` hides who was before it: whom the others name is not known to be true."""
    said = {"forwarded": ["for=192.0.2.1;proto=https, proto=http, for=10.0.0.2;proto=https"]}
    claim = forwarded_claim(lambda name: said.get(name, []), PROXIES, ALL)

    assert (claim.client and claim.client.name, claim.is_secure) == ("10.0.0.2", True)

    only = forwarded_claim(lambda name: ["proto=https"] if name == "forwarded" else [], PROXIES, ALL)
    assert (only.client, only.is_hidden, only.is_secure) == (None, False, True)


def test_hidden_is_not_the_proxy_itself() -> None:
    for value in ("for=unknown", "for=_secret", 'for="_gazonk:80"'):
        try:
            claim = forwarded_claim(values_of({"forwarded": [value]}), PROXIES, ALL)
        except BadRequest:
            continue
        assert (claim.client, claim.is_hidden) == (None, True)
