"""Cases: who sees which, deciding them, and giving back what bought nothing."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from sishu.accounts.models import User
from sishu.commerce import case_words
from sishu.commerce.models import Payment, Refund
from sishu.core import plugins
from sishu.core.refs import ref
from sishu.gateways.base import GatewayError, RefundRequest, RefundSnapshot
from sishu.gateways.sandbox import SandboxGateway
from sishu.ledger.selectors import balance
from sishu.moderation import cases
from sishu.moderation.base import Finding, Severity
from sishu.moderation.models import Case
from tests.factories.accounts import make_user
from tests.factories.commerce import bank, make_offer, pay, start
from tests.factories.content import make_article, make_house

pytestmark = [pytest.mark.django_db, pytest.mark.money]


@pytest.fixture
def twice(client: Client) -> Payment:
    make_house()
    client.force_login(make_user("cashier", "finance"))
    return pay(start(make_user("ann", display_name="Ann"), make_offer(amount=990)), times=2)


@pytest.fixture
def case(twice: Payment) -> Case:
    return Case.objects.get(kind="unapplied")


def test_a_case_tells_what_it_is_about(client, case, twice):
    page = client.get(reverse("cases:inspect", args=[case.pk])).content.decode()
    assert "money that bought nothing" in page
    assert twice.reference in page
    assert twice.order.number in page


def test_giving_back_what_bought_nothing_leaves_the_purchase(client, case, twice):
    url = reverse("cases:give_back", args=[case.pk])
    assert "¥9.90 that bought nothing go back to Ann" in client.get(url).content.decode()
    answer = client.post(url, {"reason": "paid twice"}, follow=True)
    case.refresh_from_db()
    twice.order.refresh_from_db()
    assert "¥9.90 went back." in answer.content.decode()
    assert case.status == Case.Status.DECIDED
    assert case.decisions.get().who.username == "cashier"
    assert twice.order.status == "paid"
    assert balance(f"liability:unapplied:{twice.reference}", book="sandbox") == 0
    assert bank().refunds(twice.reference)[0][1] == 990


def test_giving_back_twice_gives_back_once(client, case, twice):
    url = reverse("cases:give_back", args=[case.pk])
    client.post(url, {"reason": "paid twice"})
    answer = client.post(url, {"reason": "paid twice"}, follow=True)
    assert "holds nothing to give back" in answer.content.decode()
    assert Refund.objects.count() == 1


class SilentGateway(SandboxGateway):
    """A provider that does not answer about refunds."""

    def refund(self, request: RefundRequest) -> RefundSnapshot:
        raise GatewayError("no answer")


def test_a_silent_provider_leaves_the_case_open(client, case, twice, settings):
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"sandbox": (f"{__name__}.SilentGateway", {})}}
    plugins.load.cache_clear()
    answer = client.post(reverse("cases:give_back", args=[case.pk]), {"reason": "paid twice"}, follow=True)
    case.refresh_from_db()
    assert "has not confirmed it" in answer.content.decode()
    assert case.status == Case.Status.OPEN


def test_a_case_is_decided_once_with_a_reason(client, case):
    url = reverse("cases:decide", args=[case.pk])
    assert client.post(url, {"reason": ""}).status_code == 200
    case.refresh_from_db()
    assert case.status == Case.Status.OPEN
    client.post(url, {"reason": "the buyer wants to keep it here"})
    answer = client.post(url, {"reason": "again"}, follow=True)
    case.refresh_from_db()
    assert case.status == Case.Status.DECIDED
    assert case.decisions.count() == 1
    assert "cannot become" in answer.content.decode()


def test_everyone_sees_the_cases_of_their_duty(client, case):
    article = make_article(live=False)
    review = cases.open(ref=ref("page", article.pk), kind="review", note="look at this")
    money, work = reverse("cases:inspect", args=[case.pk]), reverse("cases:inspect", args=[review.pk])
    seen = {}
    for role in ("finance", "reviewer", "owner", "support", "creator"):
        client.force_login(make_user(f"a-{role}", role))
        seen[role] = (client.get(money).status_code == 200, client.get(work).status_code == 200)
        if seen[role] != (True, True) and any(seen[role]):
            page = client.get(reverse("cases:index")).content.decode()
            assert (case_words.remark(case) in page, review.note in page) == seen[role]
    assert seen == {
        "finance": (True, False),
        "reviewer": (False, True),
        "owner": (True, True),
        "support": (False, False),
        "creator": (False, False),
    }


REMARKS = {"en": "more than was due for order", "zh-hans": "超出了订单"}


@pytest.mark.parametrize(("language", "words"), REMARKS.items())
def test_what_is_known_is_said_in_the_readers_language(client, case, twice, language, words):
    User.objects.filter(username="cashier").update(language=language)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    assert case.note == ""
    for page in (
        reverse("cases:index"),
        reverse("cases:inspect", args=[case.pk]),
        reverse("cases:decide", args=[case.pk]),
        reverse("cases:give_back", args=[case.pk]),
        reverse("orders:inspect", args=[twice.order_id]),
    ):
        shown = client.get(page).content.decode()
        assert words in shown, page
        assert twice.reference in shown, page
    answer = client.get(reverse("cases:index"), {"export": "csv"})
    assert words in b"".join(answer.streaming_content).decode()
    answer = client.get(reverse("cases:index"), {"export": "xlsx"})
    rows = load_workbook(BytesIO(b"".join(answer))).active.values
    assert words in " ".join(str(value) for row in rows for value in row)


def test_a_case_is_found_by_payment_order_and_note(client, case, twice):
    other = cases.open(ref="payment:4711", kind="unapplied", note="from the old books")

    def found(query: str, **filters: str) -> tuple[bool, bool]:
        page = client.get(reverse("cases:index_results"), {"q": query, **filters}).content.decode()
        return case_words.remark(case) in page, other.note in page

    assert found(twice.reference) == found(twice.order.number) == (True, False)
    assert found(twice.order.number.lower()) == (True, False)
    assert found("old books") == found("4711") == (False, True)
    assert found("amount") == (False, False)
    assert found("", kind="unapplied") == (True, True)
    assert found("", status="decided") == (False, False)


def test_a_review_is_not_decided_here(client, twice):
    client.force_login(make_user("boss", "owner"))
    review = cases.open(ref=ref("page", make_article(live=False).pk), kind="review")
    page = client.get(reverse("cases:inspect", args=[review.pk])).content.decode()
    assert "Judge the work" in page
    answer = client.post(reverse("cases:decide", args=[review.pk]), {"reason": "fine"}, follow=True)
    review.refresh_from_db()
    assert review.status == Case.Status.OPEN
    assert "where the work is read" in answer.content.decode()


def test_what_the_rules_found_is_told_in_the_reviewers_language(client):
    found = Finding(Severity.REFUSE, "short", {"words": 3, "least": 60})
    make_house()
    about = ref("page", make_article(live=False).pk)
    review = cases.open(ref=about, kind="review", findings=[found.as_json()])
    for language, words in (("en", "The work has 3 words"), ("zh-hans", "作品只有3字")):
        client.force_login(make_user(f"judge-{language}", "reviewer", language=language))
        assert words in client.get(reverse("cases:inspect", args=[review.pk])).content.decode()
