"""Links that carry their own permission."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexios.signing import BadSignature, Keyring, SignatureExpired, sign_url, verify_url

SECRET = "xWlZ9nTfS4v1cQ0kR7b2mJ6uYhE3oAqD"
OLD = "qV8pLr2sKd0wZ5yB1nG7tFjXc4MiHeUa"


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.25

    def __call__(self) -> float:
        return self.now


def is_accepted(keyring: Keyring, url: str) -> bool:
    """Whether a URL is one that was signed for the usual use."""
    try:
        verify_url(keyring, url)
    except BadSignature:
        return False
    return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keyring(clock: Clock) -> Keyring:
    return Keyring(SECRET, clock=clock)


@pytest.mark.parametrize(
    "url", ["/", "/files/7", "/files/7?page=2", "/a?b", "/a?b=&b=&c", "/ä/%2F?q=%20+%26", "/a?&&x=1"]
)
@pytest.mark.parametrize("expires_in", [60, None])
def test_a_signed_url_is_accepted(keyring: Keyring, url: str, expires_in: float | None) -> None:
    signed = sign_url(keyring, url, expires_in=expires_in)

    verify_url(keyring, signed)
    assert signed.startswith(url)


def test_the_time_and_the_signature_are_two_parameters(keyring: Keyring) -> None:
    url, _, signature = sign_url(keyring, "/files/7?page=2", expires_in=60).rpartition("=")

    assert url == "/files/7?page=2&expires=1700000061&signature"
    assert len(signature) == 43


@pytest.mark.parametrize(("seconds", "is_valid"), [(0, True), (60, True), (60.5, True), (60.75, False), (1e9, False)])
def test_a_signed_url_is_valid_until_its_time(keyring: Keyring, clock: Clock, seconds: float, is_valid: bool) -> None:
    """The time is in whole seconds, rounded up: 1700000061."""
    signed = sign_url(keyring, "/files/7", expires_in=60)
    clock.now += seconds

    if is_valid:
        verify_url(keyring, signed)
    else:
        with pytest.raises(SignatureExpired):
            verify_url(keyring, signed)


def test_one_without_a_time_is_valid_for_ever(keyring: Keyring, clock: Clock) -> None:
    signed = sign_url(keyring, "/files/7", expires_in=None)
    clock.now += 1e9

    verify_url(keyring, signed)
    assert "expires" not in signed


@pytest.mark.parametrize(
    ("signed", "spelt"),
    [
        ("/files/a b".replace(" ", "%20"), "/files/a%20b"),
        ("/~ada/x", "/%7Eada/x"),
        ("/%7eada/x", "/~ada/x"),
        ("/ä", "/%C3%A4"),
        ("/%c3%a4", "/%C3%A4"),
        ("/x?q=a+b", "/x?q=a%20b"),
        ("/x?q=%c3%a4", "/x?q=ä"),
        ("/x?a=1&b=2", "/x?b=2&a=1"),
        ("/x?a=1&b=2", "/x?a=1&&b=2&"),
    ],
)
def test_another_spelling_of_the_same_url_is_accepted(keyring: Keyring, signed: str, spelt: str) -> None:
    url = sign_url(keyring, signed, expires_in=60)

    assert is_accepted(keyring, spelt + ("&" if "?" in spelt else "?") + url[len(signed) + 1 :])


def test_the_whole_url_of_a_request_is_accepted(keyring: Keyring) -> None:
    signed = sign_url(keyring, "/files/7?page=2", expires_in=60)

    assert is_accepted(keyring, "https://files.example:8443" + signed)
    assert is_accepted(keyring, "http://[::1]" + signed + "#top")
    assert not is_accepted(keyring, "https://files.example?x" + signed)


@pytest.mark.parametrize(
    ("signed", "forged"),
    [
        ("/files/7", "/files/8"),
        ("/files/7", "/files/7/"),
        ("/files/7", "//files/7"),
        ("/files/7", "/files/./7"),
        ("/files/7", "/FILES/7"),
        ("/files/7", "/files/7?page=1"),
        ("/files/7", "/files/7%3Fpage=1"),
        ("/files/7?page=1", "/files/7"),
        ("/files/7?page=1", "/files/7?page=2"),
        ("/files/7?page=1", "/files/7?page=1&page=2"),
        ("/files/7?page=1", "/files/7?page="),
        ("/files/7?page=1", "/files/7?page"),
        ("/files/7?page=1&page=2", "/files/7?page=2&page=1"),
        ("/files/7?a=1&b=2", "/files/7?a=1%26b=2"),
        ("/files/7?a=1&b=2", "/files/7?a=1;b=2"),
        ("/files/7?a=1", "/files/7&a=1"),
        ("/files/7?a=%2541", "/files/7?a=%41"),
        ("/files/7?ab=c", "/files/7?a=bc"),
        ("/files/7?a", "/files/7?a="),
        ("/a/b?c", "/a?b=c"),
    ],
)
def test_another_url_with_the_same_signature_is_refused(keyring: Keyring, signed: str, forged: str) -> None:
    url = sign_url(keyring, signed, expires_in=60)
    rest = url[len(signed) + 1 :]

    with pytest.raises(BadSignature):
        verify_url(keyring, forged + ("&" if "?" in forged else "?") + rest)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("expires=1700000061", "expires=1700000062"),
        ("expires=1700000061", "expires=01700000061"),
        ("expires=1700000061&", ""),
        ("expires=1700000061", "expires=1700000061&expires=1800000000"),
        ("expires=1700000061", "expires=1800000000&expires=1700000061"),
        ("expires=1700000061", "Expires=1700000061"),
        ("signature=", "signature=&signature="),
        ("signature=", "signature=x&signature="),
        ("signature=", "signature"),
        ("signature=", "Signature="),
        ("&signature=", "&signature=%41"),
        ("&signature=", "#signature="),
    ],
)
def test_a_changed_time_or_signature_is_refused(keyring: Keyring, old: str, new: str) -> None:
    signed = sign_url(keyring, "/files/7", expires_in=60)

    with pytest.raises(BadSignature) as caught:
        verify_url(keyring, signed.replace(old, new))

    assert type(caught.value) is BadSignature


def test_any_change_of_one_character_is_refused(keyring: Keyring) -> None:
    signed = sign_url(keyring, "/files/7?page=2", expires_in=60)

    for place in range(len(signed)):
        for other in "A1/?&=%#. é":
            changed = signed[:place] + other + signed[place + 1 :]
            if changed != signed:
                with pytest.raises(BadSignature):
                    verify_url(keyring, changed)


def test_each_use_has_its_own_signature(keyring: Keyring) -> None:
    signed = sign_url(keyring, "/files/7", expires_in=60, purpose="download")

    verify_url(keyring, signed, purpose="download")
    for purpose in ("url", "upload"):
        with pytest.raises(BadSignature):
            verify_url(keyring, signed, purpose=purpose)


def test_a_signed_value_is_no_signature_of_a_url(keyring: Keyring) -> None:
    token = keyring.signer("url", "url").sign(b"/files/7")

    with pytest.raises(BadSignature):
        verify_url(keyring, f"/files/7?signature={token.rpartition('.')[2]}")


def test_links_outlive_the_change_of_a_secret(keyring: Keyring) -> None:
    signed = sign_url(Keyring(OLD, clock=keyring.clock), "/files/7", expires_in=60)

    verify_url(Keyring([SECRET, OLD], clock=keyring.clock), signed)
    with pytest.raises(BadSignature):
        verify_url(keyring, signed)


@pytest.mark.parametrize(
    "url",
    ["", "files/7", "//evil.example/", "https://a.example/x", "/x#y", "/\\evil", "/a b", "/a\r\nb", "/a\0", "/\ud800"],
)
def test_what_is_no_path_cannot_be_signed(keyring: Keyring, url: str) -> None:
    with pytest.raises(ValueError, match="signed URL"):
        sign_url(keyring, url, expires_in=60)


@pytest.mark.parametrize("url", ["/x?expires=1", "/x?a=1&signature", "/x?%65xpires=1"])
def test_a_url_that_has_our_parameters_cannot_be_signed(keyring: Keyring, url: str) -> None:
    with pytest.raises(ValueError, match="are those that signing adds"):
        sign_url(keyring, url, expires_in=60)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e12])
def test_a_link_is_valid_for_a_time_or_for_ever(keyring: Keyring, seconds: float) -> None:
    with pytest.raises(ValueError, match="expires_in"):
        sign_url(keyring, "/x", expires_in=seconds)


@given(st.text(max_size=100))
def test_any_text_that_is_not_signed_is_refused(url: str) -> None:
    keyring = Keyring(SECRET)
    for text in (url, f"/x?{url}", f"/x?expires=9&signature={url}", f"https://{url}?signature={'A' * 43}"):
        with pytest.raises(BadSignature):
            verify_url(keyring, text)


@given(
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=4),
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=4),
)
def test_two_queries_share_a_signature_only_when_they_say_the_same(
    one: list[tuple[str, str]], other: list[tuple[str, str]]
) -> None:
    """The same: for each name the same values in the same order."""
    keyring = Keyring(SECRET, clock=lambda: 1_700_000_000.0)

    def written(pairs: list[tuple[str, str]]) -> str:
        return "&".join(
            f"{quote(name, errors='surrogatepass')}={quote(value, errors='surrogatepass')}" for name, value in pairs
        )

    def meaning(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        return found

    signature = sign_url(keyring, f"/x?{written(one)}", expires_in=None).rpartition("signature=")[2]
    try:
        verify_url(keyring, f"/x?{written(other)}&signature={signature}")
    except BadSignature:
        assert meaning(one) != meaning(other)
    else:
        assert meaning(one) == meaning(other)


@pytest.mark.parametrize("expires", ["soon", "1e9", "-1", "1234567890123", "%D9%A3"])
def test_a_time_that_is_no_number_is_refused_even_if_it_is_signed(keyring: Keyring, expires: str) -> None:
    signature = keyring.signatures("url", "url").make(f"%2Fx&expires={expires}".encode()).decode()

    assert not is_accepted(keyring, f"/x?expires={expires}&signature={signature}")
