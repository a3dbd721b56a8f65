"""Dates, numbers and prices as each language writes them."""

from __future__ import annotations

import re
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import get_language

from sishu.core import clock
from sishu.core.money import Money

register = template.Library()

# (of this year, of another year): 11-18 and 2025-11, 18 Nov and Nov 2025.
SHORT = {"zh": ("m-d", "Y-m"), "en": ("j M", "M Y")}
LONG = {"zh": "Y 年 n 月 j 日", "en": "j F Y"}
SENTENCE_END = re.compile(r"[。！？]|[.!?](?=\s)")
CLOCK = {"zh": "Y 年 n 月 j 日 H:i", "en": "j F Y, H:i"}


@register.filter
def day(moment: datetime | None) -> str:
    """2026 年 11 月 18 日; 18 November 2026."""
    return _write(moment, LONG[_script()]) if moment else ""


@register.filter
def short_day(moment: datetime | None) -> str:
    """11-18; 18 Nov. The year instead of the day when it is another one."""
    if not moment:
        return ""
    here = timezone.localtime(moment)
    this_year = here.year == timezone.localtime(clock.now()).year
    return _write(moment, SHORT[_script()][0 if this_year else 1])


@register.filter
def day_and_time(moment: datetime | None) -> str:
    """2026 年 11 月 18 日 22:14; 18 November 2026, 22:14."""
    return _write(moment, CLOCK[_script()]) if moment else ""


@register.filter
def opening(text: str, longest: int = 0) -> str:
    """The first sentences of a text, whole ones, about as many as fill three lines."""
    longest = longest or (90 if _script() == "zh" else 170)
    if len(text) <= longest:
        return text
    ends = [end.end() for end in SENTENCE_END.finditer(text) if end.end() <= longest]
    return text[: ends[-1]].rstrip() if ends else Truncator(text).chars(longest)


@register.filter
def grouped(number: int | None) -> str:
    """4860 as 4,860."""
    return f"{number or 0:,}"


@register.filter
def price(money: Money | None) -> str:
    """¥9.90, ¥30."""
    return money.short() if money is not None else ""


def _script() -> str:
    return "zh" if (get_language() or "zh").startswith("zh") else "en"


def _write(moment: datetime, form: str) -> str:
    return date_format(timezone.localtime(moment), form)
