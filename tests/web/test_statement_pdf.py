"""A statement on paper: the same rows, with its own fonts in it, in both languages, and nobody else's."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from sishu.accounts.models import User
from sishu.web import statement_pdf
from sishu.web.statement import Sheet
from sishu.web.statement_pdf import render
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_offer, make_paid_work
from tests.factories.content import make_creator
from tests.payouts.desk import earn

pytestmark = [pytest.mark.django_db, pytest.mark.money, pytest.mark.usefixtures("in_english", "house")]


@pytest.fixture
def lan(client: Client) -> User:
    lan = make_creator("lan")
    client.force_login(lan)
    return lan


def paper(client: Client, **query: str) -> bytes:
    answer = client.get(reverse("statement_pdf"), query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"]
    return answer.content


def fonts_in(content: bytes) -> list[int]:
    """How long each embedded font is, unpacked."""
    return sorted(int(length) for length in re.findall(rb"/Length1 (\d+)", content))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_its_fonts_are_in_it(client, lan, settings, language):
    buy(make_user(), make_offer(make_paid_work(lan, title="复盘 & <Noodles> 🍜"), amount=990))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    content = paper(client)
    assert content.startswith(b"%PDF-")
    fonts = set(re.findall(rb"/BaseFont /(\S+)", content))
    named = {font for font in fonts if b"NotoSansSC" in font}
    assert len(named) == 2, fonts
    assert content.count(b"/FontFile2") == 2
    assert len(content) < 200_000


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_character_that_is_drawn_is_in_the_fonts(client, lan, settings, language, monkeypatch):
    drawn, cut = [], []
    paragraph, fonts_for = statement_pdf._p, statement_pdf._fonts_for
    monkeypatch.setattr(
        statement_pdf, "_p", lambda text, *more, **style: drawn.append(text) or paragraph(text, *more, **style)
    )
    monkeypatch.setattr(statement_pdf, "_fonts_for", lambda text: cut.append(text) or fonts_for(text))
    buy(make_user(), make_offer(make_paid_work(lan, title="复盘"), amount=990))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    paper(client)
    assert set("".join(drawn)) - set(cut[0]) <= {"\n"}


def test_a_long_one_has_numbered_pages(client, lan):
    for number in range(120):
        earn(lan, 100 + number, is_mature=False)
    content = paper(client)
    assert len(re.findall(rb"/Type /Page\b(?!s)", content)) >= 4


def test_several_at_once_keep_their_own_characters():
    """Fonts are known to the whole process by name: one document's must not be cut under another's hands."""

    def draw(text: str) -> bytes:
        with translation.override("en"):  # a thread of its own has a language of its own
            return render(Sheet("私塾", text, "", "", "", []))

    names = ["赵钱孙李" * 3, "周吴郑王" * 3, "Feng Chen Chu Wei", "蒋沈韩杨" * 3]
    with ThreadPoolExecutor(4) as crowd:
        together = list(crowd.map(draw, names))
    alone = [fonts_in(draw(name)) for name in names]
    assert [fonts_in(one) for one in together] == alone
    assert len({tuple(one) for one in alone}) == len(names), "each holds its own characters, not the first one's"


def test_who_sold_nothing_has_an_empty_sheet(client):
    client.force_login(make_user())
    assert paper(client).startswith(b"%PDF-")


def test_nobody_has_anothers(client, lan):
    earn(lan, 100)
    client.force_login(make_creator("qi"))
    assert client.get(reverse("statement_pdf"), {"creator": "lan"}).status_code == 404
    assert Client().get(reverse("statement_pdf")).status_code == 302


def test_who_keeps_the_books_has_everyones(client, lan):
    earn(lan, 100)
    client.force_login(make_user("keeper", "finance"))
    assert paper(client, creator="lan", month="2001-01").startswith(b"%PDF-")
