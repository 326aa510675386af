"""How does the debug page look? One HTML page without scripts, light or dark as the reader's system is."""

from collections.abc import Iterable, Iterator
from html import escape

from nexios._pipeline.debug_report import Fault, Frame, Report

__all__ = ["MAX_PAGE", "render_page"]

MAX_PAGE = 60_000
"""Bytes; frames that do not fit are left out."""

_MAX_HEADERS = 16_000
"""Bytes of the header fields in HTML."""

_STYLE = """
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1d2327;--soft:#667078;--line:#e3e5e6;--hot:#b4232f;
--mark:#fdecec;--accent:#0f6b66}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1b1f23;--ink:#e4e7ea;--soft:#929ca5;--line:#2c3238;
--hot:#ff8087;--mark:#3a2024;--accent:#62c8c0}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 system-ui,sans-serif}
main{max-width:62rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{margin:.2rem 0 0;font-size:1.5rem;color:var(--hot);overflow-wrap:anywhere}
h2{margin:2.2rem 0 .6rem;font-size:1rem;overflow-wrap:anywhere}
h2 small,.over{color:var(--soft);font-weight:400;font-size:.85rem}
.message{margin:.4rem 0 0;font-size:1.05rem;white-space:pre-wrap;overflow-wrap:anywhere}
pre,code,td,th{font:13px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
details,table{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:.45rem 0}
details{overflow:hidden}
summary{padding:.45rem .8rem;cursor:pointer;overflow-wrap:anywhere}
summary b{color:var(--accent)}
.lib{opacity:.75}
pre{margin:0;padding:.4rem 0;border-top:1px solid var(--line);overflow-x:auto}
pre span{display:block;padding:0 .8rem;white-space:pre}
pre i{display:inline-block;width:3.2em;color:var(--soft);font-style:normal}
pre .now{background:var(--mark);box-shadow:inset 3px 0 var(--hot)}
table{width:100%;border-collapse:separate;border-spacing:0;padding:.3rem 0}
th,td{padding:.15rem .8rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{width:13rem;color:var(--soft);font-weight:400}
"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head><body><main>
<div class="over">500 · {where}</div>
<h1>{kind}</h1>
<div class="message">{message}</div>
{faults}
<h2>Request</h2>
<table>{request}</table>
<h2>Headers</h2>
<table>{headers}</table>
<p class="over">You see this page because debug is on. Switch it off wherever strangers can reach the application.</p>
</main></body></html>
"""

_REST = '<p class="over">The rest does not fit on this page.</p>'


def render_page(report: Report) -> str:
    """Return the page. Everything in it that is not of this file is escaped."""
    first = report.faults[0]
    where = f"{report.method} {report.path}"
    rows = (("method", report.method), ("path", report.path), ("route", report.route), ("query", report.query))
    around = {
        "title": escape(f"{first.kind} · {where}"),
        "where": escape(where),
        "kind": escape(first.kind),
        "message": escape(first.message),
        "request": "".join(_row(*row) for row in rows),
        "headers": "".join(_fitting((_row(*pair) for pair in report.headers), _MAX_HEADERS)),
        "style": _STYLE,
    }
    room = MAX_PAGE - len(_REST) - sum(len(text.encode()) for text in (_PAGE, *around.values()))
    return _PAGE.format(**around, faults="\n".join(_fitting(_parts(report), room)))


def _fitting(parts: Iterable[str], room: int) -> Iterator[str]:
    """Parts until the room, in bytes, is used up."""
    for part in parts:
        room -= len(part.encode()) + 1
        if room < 0:
            yield _REST
            return
        yield part


def _parts(report: Report) -> Iterator[str]:
    for fault in report.faults:
        yield _heading(fault)
        for note in fault.notes:
            yield f'<div class="message">{escape(note)}</div>'
        if fault.left_out:
            yield f'<p class="over">{fault.left_out} calls in the middle are left out.</p>'
        for index, frame in enumerate(reversed(fault.frames)):
            yield _frame(frame, opened=frame.own or index == 0)


def _heading(fault: Fault) -> str:
    if not fault.relation:
        return "<h2>Traceback <small>most recent call first</small></h2>"
    heading = f"<h2><small>{escape(fault.relation)}</small> {escape(fault.kind)}</h2>"
    return f'{heading}<div class="message">{escape(fault.message)}</div>'


def _frame(frame: Frame, *, opened: bool) -> str:
    lines = "".join(
        f"<span{' class=now' if line.current else ''}><i>{line.number}</i>{escape(line.text)}</span>"
        for line in frame.source
    )
    return (
        f"<details{' open' if opened else ''}{'' if frame.own else ' class=lib'}><summary><code>"
        f"{escape(frame.file)}:{frame.line} <b>{escape(frame.function)}</b></code></summary>"
        f"{f'<pre>{lines}</pre>' if lines else ''}</details>"
    )


def _row(name: str, value: str) -> str:
    return f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
