"""What does a developer see of an unhandled error? A page for browsers, a problem document or text for others.

In debug only: it shows source code. It has no console, no scripts and no values of variables.
"""

from collections.abc import Iterator

from nexios._pipeline.debug_html import render_page
from nexios._pipeline.debug_report import Fault, Report, report_of
from nexios.errors import HTTPException
from nexios.http.accept import best_match, parse_accept
from nexios.messages.request import Request
from nexios.messages.response import Response
from nexios.serialization import encode_json

__all__ = ["debug_response"]

_HTML = "text/html"
_JSON = ("application/json", "application/problem+json")
_TEXT = "text/plain"
_OFFERS = (_HTML, *_JSON, _TEXT)

_MAX_LINES = 500
"""Of the text and of the `traceback` member of the problem document; a line is at most about 2 KiB."""


def debug_response(request: Request, exc: Exception) -> Response:
    """Return the 500 that explains `exc`, in the media type that the client names first."""
    report = report_of(request, exc)
    media_type = _preferred(request)
    response = Response(status_code=500)
    if media_type == _HTML:
        response.html(render_page(report))
    elif media_type in _JSON:
        response.binary(encode_json(_problem(report)), "application/problem+json")
    else:
        response.text("\n".join([f"500 {report.method} {report.path}", "", *_lines(report), ""]))
    response.headers["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["cache-control"] = "no-store"
    return response


def _preferred(request: Request) -> str:
    """Only what the client names counts: curl, which takes `*/*`, is best served with text."""
    try:
        accept = request.headers.get("accept", "")
    except HTTPException:
        return _TEXT
    named = {item.range.essence for item in parse_accept(accept)}
    offers = [offer for offer in _OFFERS if offer in named or f"{offer.partition('/')[0]}/*" in named]
    return best_match(accept, offers) or _TEXT


def _problem(report: Report) -> dict[str, object]:
    first = report.faults[0]
    return {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": f"{first.kind}: {first.message}",
        "code": "internal_server_error",
        "route": report.route,
        "traceback": _lines(report),
    }


def _lines(report: Report) -> list[str]:
    """As Python prints a traceback; each exception ends with its own words."""
    lines = [line for fault in report.faults for line in _fault_lines(fault)]
    return [*lines[:_MAX_LINES], "..."] if len(lines) > _MAX_LINES else lines


def _fault_lines(fault: Fault) -> Iterator[str]:
    if fault.relation:
        yield f"-- {fault.relation}:"
    yield "Traceback (most recent call last):"
    for frame in fault.frames:
        yield f'  File "{frame.file}", line {frame.line}, in {frame.function}'
        yield from (f"    {line.text.strip()}" for line in frame.source if line.current)
    if fault.left_out:
        yield f"  [{fault.left_out} calls in the middle are left out]"
    yield f"{fault.kind}: {fault.message}"
    yield from fault.notes
