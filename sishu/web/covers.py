"""Covers drawn from a title: the same title gives the same cover, for ever. No image is stored or fetched.

SHA-256 of the title picks one of four designs, one cloth and every length. Colours of the cloth are classes and custom
properties (css/covers.css), so that no style attribute is needed and covers follow the lamp of the page; a cover that
stands alone, as a file, carries its colour in itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from html import escape

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path

from sishu.content.models import ArticlePage

WIDTH, HEIGHT = 240, 340
PAPER, INK = "#F3EDDD", "#1B1A17"
# As --cloth-… in css/tokens.css.
CLOTHS = {
    "indigo": "#24354a",
    "ink": "#2a2825",
    "tea": "#66503d",
    "moss": "#46544a",
    "xuan": "#e8e1cf",
    "ash": "#bdb7a8",
}
DARK, PALE = ("indigo", "ink", "tea", "moss"), ("xuan", "ash")
FONTS = "'Songti SC','Noto Serif CJK SC','Source Han Serif SC','Noto Serif',Georgia,serif"
_ENDS = re.compile("[：:，,（(—]")
_MARKS = str.maketrans("", "", "《》“”")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a design has to work with: the words, the colour of the ink, and the bytes that decide lengths."""

    title: str
    is_chinese: bool
    ink: str
    bits: bytes


def draw(title: str, language: str = "zh-hans", *, alone: bool = False, extra: str = "") -> str:
    """An SVG cover. Decorative beside a printed title; `alone` is a file of its own, `extra` are more classes."""
    bits = sha256(title.encode()).digest()
    name = tuple(DESIGNS)[bits[0] % len(DESIGNS)]
    design, cloths = DESIGNS[name]
    cloth = cloths[bits[1] % len(cloths)]
    sheet = Sheet(_short(title), language.startswith("zh"), INK if cloth in PALE else PAPER, bits)
    fill = CLOTHS[cloth] if alone else "var(--cloth)"
    inside = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{fill}"/>{design(sheet)}'
    if alone:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * 3}" height="{HEIGHT * 3}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="{FONTS}" font-weight="600">'
            f"<title>{escape(title)}</title>{inside}</svg>"
        )
    classes = f"cover cover-{name} cloth-{cloth} {extra}".strip()
    return f'<svg class="{escape(classes)}" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{inside}</svg>'


def serve(request: HttpRequest, key: int) -> HttpResponse:
    """The drawn cover of a work on the shelves, as a file: for feeds and for those who show a link."""
    page = get_object_or_404(ArticlePage.objects.live().select_related("locale"), pk=key, withdrawn_at=None)
    drawing = draw(page.title, page.locale.language_code, alone=True)
    response = HttpResponse(drawing, content_type="image/svg+xml")
    response["Cache-Control"] = "public, max-age=3600"
    return response


def _short(title: str) -> str:
    """What fits a spine: up to the first colon or comma, without title marks and quotes."""
    return _ENDS.split(title.translate(_MARKS).strip())[0].strip() or title.strip() or "—"


def _columns_of(text: str, longest: int) -> list[str]:
    """Chinese: columns of even length, at most `longest` characters, at most two."""
    columns = min(-(-len(text) // longest), 2) or 1
    size = min(-(-len(text) // columns), longest)
    return [text[start : start + size] for start in range(0, size * columns, size)]


def _lines_of(text: str, longest: int) -> list[str]:
    """Latin: words wrapped at `longest` letters, at most five lines."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= longest:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines[:5]


def _wrapped(sheet: Sheet, chinese: int, latin: int) -> list[str]:
    return _columns_of(sheet.title, chinese) if sheet.is_chinese else _lines_of(sheet.title, latin)


def _down(text: str, x: float, y: float, size: float, ink: str, step: float = 1.16) -> str:
    """Vertical text placed glyph by glyph, so that every renderer agrees."""
    return "".join(
        f'<text x="{x:g}" y="{y + (row + 0.88) * size * step:.1f}" font-size="{size:g}" fill="{ink}" '
        f'text-anchor="middle">{escape(character)}</text>'
        for row, character in enumerate(text)
    )


def _across(lines: list[str], x: float, y: float, size: float, ink: str, lead: float = 1.25) -> str:
    return "".join(
        f'<text x="{x:g}" y="{y + row * size * lead:.1f}" font-size="{size:g}" fill="{ink}">{escape(line)}</text>'
        for row, line in enumerate(lines)
    )


def _frame(x: float, y: float, width: float, height: float, ink: str, stroke: float) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:.1f}" fill="none" stroke="{ink}" '
        f'stroke-width="{stroke:g}"/>'
    )


def _slip(sheet: Sheet) -> str:
    """题签: a thread-bound book. Bound at the right in Chinese, at the left in Latin; a paper slip carries the title."""
    edge, spine = (WIDTH, WIDTH - 20) if sheet.is_chinese else (0, 20)
    middle = 128 + sheet.bits[2] % 12
    holes = "".join(f"M{spine} {y}H{edge}" for y in (34, middle, HEIGHT - middle, HEIGHT - 34))
    thread = f'<path d="M{spine} 0V{HEIGHT}{holes}" stroke="{sheet.ink}" stroke-opacity=".55" fill="none"/>'
    if not sheet.is_chinese:
        lines = _lines_of(sheet.title, 14)
        tall = 32 + len(lines) * 26
        slip = f'<rect x="44" y="36" width="174" height="{tall}" fill="{PAPER}"/>'
        return thread + slip + _frame(48.5, 40.5, 165, tall - 9, INK, 0.8) + _across(lines, 60, 69, 20, INK, 1.3)
    columns = _columns_of(sheet.title, 8)
    longest = max(map(len, columns))
    size = 27 if longest <= 6 else 23
    width, height = 22 + len(columns) * size * 1.12, 30 + longest * size * 1.16
    slip = f'<rect x="22" y="22" width="{width:.1f}" height="{height:.1f}" fill="{PAPER}"/>'
    words = "".join(
        _down(column, 22 + width - 11 - size * (0.56 + 1.12 * number), 36, size, INK)
        for number, column in enumerate(columns)
    )
    return thread + slip + _frame(26.5, 26.5, width - 9, height - 9, INK, 0.8) + words


def _columns(sheet: Sheet) -> str:
    """界行: a ruled page with its fishtail; small squares are the text, as long as the hash says."""
    out = _frame(17, 21, 206, 298, sheet.ink, 2.5) + _frame(21.5, 25.5, 197, 289, sheet.ink, 0.8)
    if sheet.is_chinese:
        columns = _columns_of(sheet.title, 8)
        for number, column in enumerate(columns):
            out += _down(column, 199 - number * 29, 34, 25, sheet.ink)
        right, top = 180 - 29 * (len(columns) - 1), 26
    else:
        lines = _lines_of(sheet.title, 15)
        right, top = 218, 56 + len(lines) * 28
        out += _across(lines, 34, 60, 22, sheet.ink)
        out += f'<path d="M22 {top}H218" stroke="{sheet.ink}" stroke-width=".8"/>'
    number_of_rules = int((right - 22) // 22)
    step = (right - 22) / number_of_rules
    return out + "".join(_rule(sheet, number, number_of_rules, step, top) for number in range(number_of_rules))


def _rule(sheet: Sheet, number: int, of: int, step: float, top: int) -> str:
    """One column of the ruled page: its right-hand rule, and the fishtail or the squares inside."""
    ink, bits, x = sheet.ink, sheet.bits, 22 + step * number
    out = ""
    if number < of - 1 or sheet.is_chinese:
        out = f'<path d="M{x + step:.1f} {top}V314" stroke="{ink}" stroke-opacity=".5" stroke-width=".8"/>'
    if number == of // 2:
        half = step / 2
        return f'{out}<path d="M{x:.1f} {top + 44}h{step:.1f}v12l-{half:.1f} 9l-{half:.1f} -9z" fill="{ink}"/>'
    room = (306 - top) // 13
    written = room - (bits[4 + number] % room if bits[14 + number] % 3 == 0 else 0)
    squares = "".join(
        f"M{x + step / 2 - 3.5:.1f} {top + 9 + row * 13}h7v7h-7z"
        for row in range(written)
        if (bits[24 + number % 8] + row) % 11
    )
    return f'{out}<path d="{squares}" fill="{ink}" fill-opacity=".6"/>'


def _moon(sheet: Sheet) -> str:
    """灯影: one lamp or moon above water."""
    ink, bits = sheet.ink, sheet.bits
    radius, across, horizon = 34 + bits[2] % 34, 70 + bits[3] % 100, 150 + bits[4] % 30
    above = 26 + bits[5] % 50
    if above >= radius:
        out = f'<circle cx="{across}" cy="{horizon - above}" r="{radius}" fill="{ink}"/>'
    else:  # it touches the water: what would be below is left out
        chord = math.sqrt(radius**2 - above**2)
        arc = f"A{radius} {radius} 0 1 1 {across + chord:.1f} {horizon}z"
        out = f'<path d="M{across - chord:.1f} {horizon}{arc}" fill="{ink}"/>'
    lines = _wrapped(sheet, 8, 18)
    size = 24 if sheet.is_chinese else 22
    first = HEIGHT - 28 - (len(lines) - 1) * size * 1.25
    y, gap = float(horizon), 4.0
    for number in range(9):
        if y > first - size - 6:
            break  # the water ends above the title
        half = max(14.0, radius * 1.05 - number * 4 + bits[6 + number] % 22)
        left, right = max(0, across - half), min(WIDTH, across + half)
        out += (
            f'<path d="M0 {y:.1f}H{WIDTH}" stroke="{ink}" stroke-opacity=".28" stroke-width=".8"/>'
            f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{ink}" stroke-width="1.6"/>'
        )
        y, gap = y + gap, gap * 1.24
    return out + _across(lines, 22, first, size, ink)


def _lattice(sheet: Sheet) -> str:
    """窗棂: a window split by the hash; the clear pane below holds the title."""
    ink, bits = sheet.ink, sheet.bits
    out = ""
    for number, (x, y, width, height) in enumerate(_panes(bits)):
        tone = (0, 0, 0.16, 0, 0.4, 0, 0.08)[bits[number % 32] % 7]
        out += (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{ink}" '
            f'fill-opacity="{tone}" stroke="{ink}" stroke-width="2.2"/>'
        )
    out += _frame(20, 20, 200, 300, ink, 2.2)
    lines = _wrapped(sheet, 7, 16)
    size = 24 if sheet.is_chinese else 21
    return out + _across(lines, 34, 274 - (len(lines) - 1) * size * 0.62 + size * 0.36, size, ink)


def _panes(bits: bytes) -> list[tuple[float, float, float, float]]:
    """A window of panes (x, y, width, height), split four times where the bytes say."""
    panes, taken = [(20.0, 20.0, 200.0, 208.0)], 2
    for depth in range(4):
        split: list[tuple[float, float, float, float]] = []
        for x, y, width, height in panes:
            byte = bits[taken % 32]
            taken += 1
            if min(width, height) < 34 or (depth > 1 and byte % 5 == 0):
                split.append((x, y, width, height))
                continue
            part = (0.3, 0.4, 0.5, 0.6, 0.7)[byte % 5]
            if width * 1.05 > height:
                split += [(x, y, width * part, height), (x + width * part, y, width * (1 - part), height)]
            else:
                split += [(x, y, width, height * part), (x, y + height * part, width, height * (1 - part))]
        panes = split
    return panes


# name → how it is drawn, and on which cloths it can be read
DESIGNS: dict[str, tuple[Callable[[Sheet], str], tuple[str, ...]]] = {
    "slip": (_slip, DARK),
    "columns": (_columns, PALE),
    "moon": (_moon, DARK + PALE),
    "lattice": (_lattice, DARK + PALE),
}

urlpatterns = [path("covers/<key:key>.svg", serve, name="cover")]
