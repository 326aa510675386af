"""How is a page made of text that strangers wrote? Every value that fills a template is escaped, unless it is Html.

Templates are files in `templates/` with places such as `$name`. A place stands between tags or in a quoted
attribute, which is where escaping is enough.
"""

from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from nexios import Request
from nexios.middleware import csrf_input

__all__ = ["NOTHING", "Html", "csrf_field", "joined", "render"]

TEMPLATES = Path(__file__).with_name("templates")


class Html(str):
    """Text that is markup already. Only this module makes one."""

    __slots__ = ()


NOTHING = Html()


def render(template: str, /, **values: object) -> Html:
    """Fill the template of this name. Raises KeyError for a place without a value."""
    return Html(_template(template).substitute({name: _markup(value) for name, value in values.items()}))


def csrf_field(request: Request) -> Html:
    """Return the hidden field that every form has which changes something."""
    return Html(csrf_input(request))


def joined(parts: Iterable[Html]) -> Html:
    """Return the parts as one."""
    return Html("".join(parts))


def _markup(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value))


@cache
def _template(name: str) -> Template:
    return Template((TEMPLATES / f"{name}.html").read_text(encoding="utf-8"))
