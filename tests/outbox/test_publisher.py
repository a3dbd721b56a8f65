"""Facts are written with what makes them true, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from django.db import transaction

from sishu.core import clock
from sishu.outbox.models import Fact
from sishu.outbox.publisher import publish


@dataclass(frozen=True)
class TeaPoured:
    cup_id: int
    kind: str = "oolong"
    is_hot: bool = True


@dataclass(frozen=True)
class TeaForgotten:
    since: datetime


@dataclass
class TeaSpilt:
    cup_id: int


@pytest.mark.django_db
def test_a_fact_is_one_insert(django_assert_num_queries):
    with django_assert_num_queries(1) as queries, transaction.atomic(savepoint=False):
        publish(TeaPoured(cup_id=7))
    assert queries[0]["sql"].startswith("INSERT")
    fact = Fact.objects.get()
    assert (fact.name, fact.body) == ("TeaPoured", {"cup_id": 7, "kind": "oolong", "is_hot": True})
    assert fact.delivered_at is None


@pytest.mark.django_db
def test_what_rolls_back_did_not_happen():
    with transaction.atomic():
        publish(TeaPoured(cup_id=7))
        transaction.set_rollback(True)
    assert not Fact.objects.exists()


@pytest.mark.usefixtures("transactional_db")
def test_publishing_outside_a_transaction_is_refused():
    with pytest.raises(transaction.TransactionManagementError, match="TeaPoured was published outside a transaction"):
        publish(TeaPoured(cup_id=7))
    assert not Fact.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("thing", [TeaSpilt(1), TeaPoured, {"cup_id": 1}, TeaForgotten(clock.now()), TeaPoured(1.5)])
def test_only_frozen_dataclasses_of_plain_values_are_facts(thing):
    with pytest.raises(TypeError), transaction.atomic():
        publish(thing)
    assert not Fact.objects.exists()
