"""A horizontal bar chart as SVG text: readable on light and dark pages, no script, no outside font.

Colours are mid-tones that stand out on white and on black alike; the text takes the
same neutral grey. Source: SVG 1.1, basic shapes and text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

__all__ = ["Bar", "BarGroup", "draw_bars"]

_WIDTH = 760
_LEFT = 190
_RIGHT = 70
_ROW = 22
_BAR = 14
_HEAD = 34
_TOP = 56
_GREY = "#808890"
_OURS = "#e07b39"
_OTHER = "#6b8cae"


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of the chart, 0 or more; `is_ours` makes it stand out."""

    label: str
    value: float
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class BarGroup:
    """Bars that are compared with each other, under one heading."""

    title: str
    bars: Sequence[Bar]


def draw_bars(title: str, note: str, groups: Sequence[BarGroup], *, longest: float) -> str:
    """Return the chart; a value beyond `longest` fills the row, and its number says how much it is.

    >>> draw_bars("t", "n", [BarGroup("g", [Bar("a", 1.0)])], longest=2).startswith("<svg ")
    True
    """
    height = _TOP + sum(_HEAD + _ROW * len(group.bars) for group in groups) + 12
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
        f' role="img" font-family="system-ui, sans-serif" font-size="13" fill="{_GREY}">',
        f"<title>{escape(title)}</title>",
        f'<text x="8" y="22" font-size="16" font-weight="600">{escape(title)}</text>',
        f'<text x="8" y="42">{escape(note)}</text>',
    ]
    top = _TOP
    for group in groups:
        lines.append(f'<text x="8" y="{top + 22}" font-weight="600">{escape(group.title)}</text>')
        top += _HEAD
        for bar in group.bars:
            lines.extend(_row(bar, top, longest))
            top += _ROW
    return "\n".join([*lines, "</svg>", ""])


def _row(bar: Bar, top: int, longest: float) -> list[str]:
    room = _WIDTH - _LEFT - _RIGHT
    length = max(1.0, room * min(bar.value, longest) / longest)
    colour, weight = (_OURS, "600") if bar.is_ours else (_OTHER, "400")
    baseline = top + _BAR - 3
    return [
        f'<text x="{_LEFT - 8}" y="{baseline}" text-anchor="end" font-weight="{weight}">{escape(bar.label)}</text>',
        f'<rect x="{_LEFT}" y="{top}" width="{length:.1f}" height="{_BAR}" rx="2" fill="{colour}"/>',
        f'<text x="{_LEFT + length + 6:.1f}" y="{baseline}" font-weight="{weight}">{_number(bar.value)}</text>',
    ]


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"
