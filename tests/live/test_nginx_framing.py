"""One request in, one handler call: does nginx pass on nothing that the server behind it reads as another request?"""

import pytest

from tests.live.conftest import Live
from tests.live.nginx import NEEDS_NGINX
from tests.live.wires import raw_exchange, replies

pytestmark = NEEDS_NGINX

HEAD = "POST /read HTTP/1.1\r\nHost: shop.example\r\nX-Key: {key}\r\nConnection: close\r\n"
HIDDEN = "GET /hidden HTTP/1.1\r\nHost: shop.example\r\nX-Key: {key}\r\n\r\n"

ATTACKS = {
    "a length and chunks": HEAD + "Content-Length: 200\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and a length": HEAD + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n1\r\nx\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": HEAD + "Content-Length: 0\r\nContent-Length: 200\r\n\r\n" + HIDDEN,
    "the same length twice": HEAD + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a list of lengths": HEAD + "Content-Length: 0, 200\r\n\r\n" + HIDDEN,
    "a length with a sign": HEAD + "Content-Length: +0\r\n\r\n" + HIDDEN,
    "a length in hex": HEAD + "Content-Length: 0x0\r\n\r\n" + HIDDEN,
    "a space before the colon": HEAD + "Content-Length : 200\r\n\r\n" + HIDDEN,
    "another coding": HEAD + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two codings": HEAD + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a coding twice": HEAD + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a coding with a vertical tab": HEAD + "Transfer-Encoding: \x0bchunked\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a folded line": HEAD + "X-Fold: a\r\n Content-Length: 200\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a header that ends in LF": HEAD + "X-Bare: a\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a header with a CR inside": HEAD + "X-Bare: a\rContent-Length: 200\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a header with a NUL inside": HEAD + "X-Bare: a\0\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a head that ends in LF": (HEAD + "Content-Length: 0\r\n\r\n").replace("\r\n", "\n") + HIDDEN,
    "chunks that end in LF": HEAD + "Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n" + HIDDEN,
    "an extension with LF": HEAD + "Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n" + HIDDEN,
    "a chunk size that is too long": HEAD + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + HIDDEN,
    "a chunk size with a sign": HEAD + "Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n" + HIDDEN,
    "a line break in the target": HEAD.replace("/read", "/read%0d%0aX-Key:%20x") + "Content-Length: 0\r\n\r\n" + HIDDEN,
    "a space in the target": HEAD.replace("/read", "/read HTTP/1.1 /x") + "Content-Length: 0\r\n\r\n" + HIDDEN,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_p2_what_hides_in_a_request_is_no_request(live: Live, key: str, attack: str) -> None:
    data = ATTACKS[attack].replace("{key}", key).encode("latin-1")

    answers = replies(raw_exchange(live.nginx, data))

    assert len(answers) <= 1
    assert live.notes(key) in ([], ["POST /read"], ["POST /read\r\nX-Key: x"])
    assert [answer.status for answer in answers] in ([], [200], [400], [404], [413], [501], [505])
    after = live.via_nginx("/tell", "Host: shop.example", "X-App: one")
    assert after.json()["url"] == "http://shop.example/tell"


def test_p2_a_hidden_request_in_a_body_is_a_body(live: Live, key: str) -> None:
    hidden = HIDDEN.replace("{key}", key).encode()
    for path, status in (("/read", 200), ("/tell", 405), ("/nothing", 404)):
        answer = live.via_nginx(path, "Host: shop.example", f"X-Key: {key}", method="POST", body=hidden)
        assert answer.status == status

    assert sorted(live.notes(key)) == ["POST /nothing", "POST /read", "POST /tell"]


def test_p1_chunks_reach_the_application_as_they_were_cut(live: Live) -> None:
    head = "POST /read HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    chunks = "5;x=y\r\nhello\r\n1\r\n,\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n"

    [answer] = replies(raw_exchange(live.nginx, (head + chunks).encode()))

    assert (answer.status, answer.json()["size"]) == (200, 12)
