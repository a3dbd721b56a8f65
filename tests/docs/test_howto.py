"""The guides for those who run the house name buttons, states and waits as they are."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import translation

from sishu.accounts import roles
from sishu.commerce import case_words, payments, refunds
from sishu.content.first_checks import REVIEW
from sishu.web.studio.cases import KINDS
from tests.docs.reading import DOCS, ROOT
from tests.gateways import test_conformance

HOWTO = DOCS / "howto"
CATALOGUE = ROOT / "sishu" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


def text_of(page: str) -> str:
    return (HOWTO / page).read_text(encoding="utf-8")


def sentences() -> set[str]:
    """Every English text that the house shows."""
    whole = re.sub(r'"\n"', "", CATALOGUE.read_text(encoding="utf-8"))
    return set(re.findall(r'^msgid(?:_plural)? "(.*)"$', whole, re.MULTILINE))


@pytest.mark.parametrize("page", ["finance.md", "withdraw.md", "merchant-keys.md"])
def test_what_stands_in_italics_stands_on_a_page(page):
    named = re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text_of(page))
    shown = sentences()
    missing = [
        part
        for words in named
        for part in words.split(" › ")
        if part not in shown and part not in roles.ROLES and not any(one.startswith(f"{part} %(") for one in shown)
    ]
    assert named
    assert missing == []


def test_every_kind_of_case_about_money_has_a_row():
    rows = re.findall(
        r"^\| ([^|]+) \|", text_of("finance.md").partition("## Cases")[2].partition("\n## ")[0], re.MULTILINE
    )
    with translation.override("en"):
        assert rows[1:] == [case_words.kind_label(kind) for kind in KINDS if kind != REVIEW]


def waits(text: str) -> list[timedelta]:
    """The waits in "10 and 30 seconds, 1 minute and 6 hours"."""
    found = re.findall(r"((?:\d+(?:, | and )?)+) (second|minute|hour)s?", text)
    return [timedelta(**{f"{unit}s": int(number)}) for numbers, unit in found for number in re.findall(r"\d+", numbers)]


def test_the_house_asks_as_often_as_the_page_says():
    text = " ".join(text_of("finance.md").split())
    asks = text.partition("a notice does not come: ")[2].partition(" after the start")[0]
    assert tuple(waits(asks)) == payments.POLL_AFTER
    retries = text.partition("asked again after ")[2].partition(" and then once a day")[0]
    assert tuple(waits(retries)) == refunds.RETRY_AFTER


def test_a_gateway_is_added_where_the_page_says():
    text = text_of("add-a-gateway.md")
    promises = [name for name in vars(test_conformance) if name.startswith("test_")]
    assert [name for name in re.findall(r"`(test_\w+)`", text) if "/" not in name] == promises
    assert set(test_conformance.Driver.__dataclass_fields__) == set(
        re.findall(r"`(\w+)`", text.partition("a `Driver` (")[2].partition(")")[0])
    )
