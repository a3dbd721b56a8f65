"""The first page of the studio: each sees the figures of their duty."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from sishu.content import writing
from sishu.jobs.models import JobRun
from sishu.moderation.models import Case
from sishu.outbox import relay
from sishu.outbox.models import Delivery, Fact
from sishu.reactions.worker import Worker
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_offer, pay, start
from tests.factories.content import make_article, make_creator

pytestmark = [pytest.mark.django_db, pytest.mark.money, pytest.mark.usefixtures("house")]


def seen_by(client: Client, role: str) -> str:
    client.force_login(make_user(f"the-{role}", role))
    return client.get(reverse("wagtailadmin_home")).content.decode()


def test_finance_sees_sales_and_cases(client):
    buy(make_user(), make_offer(amount=990))
    pay(start(make_user(), make_offer(amount=1000)), times=2)
    page = seen_by(client, "finance")
    assert "¥19.90 from 2 sales today, in play money" in page
    assert "1 case waits for a decision" in page
    assert "your review" not in page


def test_a_reviewer_sees_what_waits_for_review(client):
    author = make_creator("lan")
    work = make_article(author, live=False)
    writing.submit(work, author)
    Worker().drain()
    assert Case.objects.filter(kind="review", status="open").exists()
    page = seen_by(client, "reviewer")
    assert "1 work waits for your review" in page
    assert "sales" not in page


def test_the_owner_sees_what_the_machine_gave_up(client):
    assert "given up" not in seen_by(client, "owner")
    JobRun.objects.create(task="send_receipt", status=JobRun.Status.FAILED)
    Delivery.objects.create(
        fact=Fact.objects.create(name="OrderPaid", body={}), reaction="award", attempts=relay.MANY_ATTEMPTS
    )
    client.force_login(make_user("second", "owner"))
    page = client.get(reverse("wagtailadmin_home")).content.decode()
    assert "1 job was given up" in page
    assert "1 delivery keeps failing" in page


@pytest.mark.parametrize("role", ["creator", "support"])
def test_others_see_no_figures(client, role):
    buy(make_user(), make_offer())
    assert "today" not in seen_by(client, role)


@pytest.mark.parametrize("path", ["jobs:index", "deliveries:index", "cases:index", "orders:index"])
def test_every_figure_leads_to_a_page(client, path):
    client.force_login(make_user("boss", "owner"))
    queries = {
        "jobs:index": "status=FAILED",
        "deliveries:index": "failing=true",
        "cases:index": "kind=review&status=open",
    }
    assert client.get(f"{reverse(path)}?{queries.get(path, 'created_at_from=2026-11-22')}").status_code == 200
