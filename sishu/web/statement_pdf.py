"""A statement on paper: A4, with its own fonts in it, so that it looks and reads the same everywhere and for years.

Loaded when the first one is asked for (`documents` among the plug-ins): what draws it takes 30 MB of a process.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from io import BytesIO
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont as EmbeddedFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from sishu.web.statement import Sheet
from sishu.web.statement_entries import Statement, StatementEntry
from sishu.web.templatetags.figures import day

# Noto Sans SC, under the SIL Open Font License: Chinese and Latin drawn to sit together.
FONT = files("justmytype_intl_cjk") / "fonts" / "ofl" / "notosanssc" / "NotoSansSC[wght].ttf"
TEXT, STRONG = "StatementText", "StatementStrong"
WEIGHTS = {TEXT: 400, STRONG: 600}
INK, INK_3, RULE, CINNABAR, OCHRE = (HexColor(c) for c in ("#1b1a17", "#686257", "#d8d1c1", "#b82618", "#7c4d0e"))
SEAL = "私塾"
POSTSCRIPT_NAME = 6
MARGIN = 20 * mm
PADDING = 6  # points that the library keeps free inside its frame
WIDTHS = [31 * mm, 64 * mm, 25 * mm, 25 * mm, 25 * mm]
# Fonts have one name for the whole process, and each document cuts its own.
_drawing = Lock()


def render(sheet: Sheet) -> bytes:
    """The statement as a PDF."""
    blocks = [part for one in sheet.statements for part in _texts(one)]
    whose = " · ".join([sheet.creator, sheet.month, sheet.book])
    told = [sheet.house, whose, sheet.remark, _title(), _of_pages(0, 0), SEAL, "0123456789"]
    out = BytesIO()
    with _fonts_for("".join([*told, *blocks])):
        document = SimpleDocTemplate(
            out, pagesize=A4, leftMargin=MARGIN - PADDING, rightMargin=MARGIN - PADDING, topMargin=30 * mm, bottomMargin=22 * mm,
            title=f"{_title()} · {sheet.creator} · {sheet.month}", author=sheet.house, creator="Sishu",
        )  # fmt: skip
        story: list[Flowable] = [_p(_title(), 22, font=STRONG), Spacer(1, 2 * mm)]
        story.append(_p(whose, 9.5, color=INK_3))
        if sheet.remark:
            story += [Spacer(1, 3 * mm), _p(sheet.remark, 9.5, color=OCHRE)]
        for one in sheet.statements:
            story += [Spacer(1, 8 * mm), *_section(one)]
        document.build(story, canvasmaker=partial(_NumberedCanvas, house=sheet.house))
    return out.getvalue()


class _NumberedCanvas(Canvas):
    """Writes head and foot once it knows how many pages there are."""

    def __init__(self, *args: Any, house: str, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initialFontName": TEXT})
        self.house = house
        self.sheets: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802  the library's name
        self.sheets.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, sheet in enumerate(self.sheets, start=1):
            self.__dict__.update(sheet)
            self._frame(number, len(self.sheets))
            super().showPage()
        super().save()

    def _frame(self, number: int, count: int) -> None:
        width, height = A4
        self.setFillColor(INK)
        self.setFont(STRONG, 10)
        self.drawString(MARGIN, height - 18 * mm, self.house)
        self.setFillColor(CINNABAR)
        self.rect(width - MARGIN - 6 * mm, height - 22 * mm, 6 * mm, 11 * mm, stroke=0, fill=1)
        self.setFillColor(HexColor("#fff7ee"))
        self.setFont(STRONG, 11)
        for row, character in enumerate(SEAL):
            self.drawCentredString(width - MARGIN - 3 * mm, height - (15.3 + 4.9 * row) * mm, character)
        self.setStrokeColor(INK)
        self.setLineWidth(0.6)
        self.line(MARGIN, height - 24 * mm, width - MARGIN, height - 24 * mm)
        self.setFillColor(INK_3)
        self.setFont(TEXT, 8)
        self.drawRightString(width - MARGIN, 13 * mm, _of_pages(number, count))


def _section(one: Statement) -> list[Flowable]:
    figures = Table([[_p(label, 8, color=INK_3) for label, _v in _figures(one)],
                     [_p(value, 13) for _l, value in _figures(one)]], colWidths=[170 * mm / 4] * 4)  # fmt: skip
    figures.setStyle(TableStyle([
        ("LINEABOVE", (0, 0), (-1, 0), 0.4, RULE), ("LINEBELOW", (0, 1), (-1, 1), 0.4, RULE), ("LEFTPADDING", (0, 0), (0, -1), 0),
    ]))  # fmt: skip
    heading = [_p(one.currency, 12, font=STRONG), Spacer(1, 2 * mm), figures, Spacer(1, 4 * mm)]
    rows = [[_p(text, 8, color=INK_3, is_right=column > 1) for column, text in enumerate(_heading())]]
    rows += [_cells(entry) for entry in one.shown]
    rows.append([_p(text, 9, font=STRONG, is_right=column > 1) for column, text in enumerate(_totals(one))])
    table = Table(rows, colWidths=WIDTHS, repeatRows=1)
    table.setStyle(TableStyle([
        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0), ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ("LINEABOVE", (0, 0), (-1, 0), 1.2, INK), ("LINEBELOW", (0, 0), (-1, 0), 0.6, INK),
        ("LINEBELOW", (0, 1), (-1, -3), 0.4, RULE), ("LINEABOVE", (0, -1), (-1, -1), 0.6, INK),
        ("LINEBELOW", (0, -1), (-1, -1), 0.6, INK),
    ]))  # fmt: skip
    return [*heading, table, Spacer(1, 3 * mm), _p(_agreement(one), 8.5, color=INK_3 if one.agrees else OCHRE)]


def _cells(entry: StatementEntry) -> list[Any]:
    on, what, details, *money = _row(entry)
    told = [_p(what, 9), *([_p(details, 7.5, color=INK_3)] if details else [])]
    colors = (INK, OCHRE if entry.change.amount < 0 else INK, INK)
    sums = [_p(text, 9, is_right=True, color=color) for text, color in zip(money, colors, strict=True)]
    return [_p(on, 9), told, *sums]


def _texts(one: Statement) -> Iterable[str]:
    """Every text that a section shows: the fonts are cut to these."""
    yield from (one.currency, _agreement(one), *_heading(), *_totals(one))
    yield from (text for figure in _figures(one) for text in figure)
    yield from (text for entry in one.shown for text in _row(entry))


def _row(entry: StatementEntry) -> tuple[str, str, str, str, str, str]:
    """Day, what, particulars, what the buyer paid, the change, and what there was then."""
    what = _("%(what)s: %(title)s") % {"what": entry.label, "title": entry.title} if entry.title else entry.label
    proof = entry.payout.proof if entry.payout else ""
    details = " · ".join(filter(None, [entry.number, proof, str(entry.matured) if entry.matured else ""]))
    gross, change = str(entry.gross) if entry.gross else "", str(entry.change) if entry.change else ""
    return day(entry.moment), what, details, gross, change, str(entry.balance)


def _heading() -> Sequence[str]:
    return _("Date"), _("What"), _("Buyer paid"), pgettext("statement", "Change"), _("Balance after")


def _totals(one: Statement) -> Sequence[str]:
    return "", _("Total"), str(one.gross), str(one.change), ""


def _figures(one: Statement) -> Sequence[tuple[str, str]]:
    return (
        (_("Your part"), str(one.part)), (_("Buyers paid"), str(one.gross)), (_("Paid out"), str(one.paid_out)),
        (_("Balance"), str(one.balance)),
    )  # fmt: skip


def _agreement(one: Statement) -> str:
    if not one.agrees:
        return _("This statement ends at %(balance)s, the ledger at %(ledger)s. Please tell the owner of the house; no money is lost by it.") % {
            "balance": one.balance, "ledger": one.in_ledger,
        }  # fmt: skip
    return _("The house’s ledger says it owes %(balance)s, as this statement does.") % {"balance": one.in_ledger}


def _title() -> str:
    return _("Statement")


def _of_pages(number: int, count: int) -> str:
    return _("Page %(number)d of %(count)d") % {"number": number, "count": count}


def _p(text: str, size: float, *, font: str = TEXT, color: HexColor = INK, is_right: bool = False) -> Paragraph:
    # Chinese breaks between any two characters, Latin between words.
    is_wide = any(unicodedata.east_asian_width(one) in "WF" for one in text)
    style = ParagraphStyle(
        "p", fontName=font, fontSize=size, leading=size * 1.45, textColor=color, alignment=2 if is_right else 0,
        wordWrap="CJK" if is_wide else None,
    )  # fmt: skip
    # The font draws this apostrophe as wide as a character, as Chinese wants it.
    return Paragraph(escape(text if is_wide else text.replace("’", "'")), style)


@contextmanager
def _fonts_for(text: str) -> Iterator[None]:
    """Both weights, each with the characters of this document alone, known to the library until it is drawn."""
    with _drawing:
        cut = _cut(text)
        fonts = [EmbeddedFont(name, _weigh(cut, weight)) for name, weight in WEIGHTS.items()]
        for font in fonts:
            pdfmetrics.registerFont(font)
        try:
            yield
        finally:
            for font in fonts:
                font.unregister()  # the next document's would not be taken while these are known


def _cut(text: str) -> bytes:
    """The font with these characters alone, still of any weight."""
    font = TTFont(BytesIO(FONT.read_bytes()), lazy=True)
    for unused in ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "HVAR", "VORG", "vhea", "vmtx"):
        if unused in font:
            del font[unused]  # most of the time would go into cutting these
    subsetter = Subsetter(Options(layout_features=[], notdef_outline=True))
    subsetter.populate(text=f"{text} ")
    subsetter.subset(font)
    return _written(font).getvalue()


def _weigh(cut: bytes, weight: int) -> BytesIO:
    font = instancer.instantiateVariableFont(TTFont(BytesIO(cut)), {"wght": weight})
    font["name"].names.clear()  # both would bear the name of the thinnest weight
    font["name"].setName(f"NotoSansSC-{weight}", POSTSCRIPT_NAME, 3, 1, 0x409)
    return _written(font)


def _written(font: TTFont) -> BytesIO:
    out = BytesIO()
    font.save(out)
    out.seek(0)
    return out
