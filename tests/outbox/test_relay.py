"""Which facts are due, and what is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sishu.core import clock
from sishu.outbox import relay
from sishu.outbox.models import Delivery, Fact

pytestmark = pytest.mark.django_db


def make_fact(**values) -> Fact:
    return Fact.objects.create(**{"name": "TeaPoured", "body": {"cup_id": 1}, **values})


def test_the_longest_waiting_fact_comes_first_and_the_told_and_the_postponed_do_not_come():
    late = make_fact(next_attempt_at=clock.now() - timedelta(seconds=1))
    early = make_fact(next_attempt_at=clock.now() - timedelta(seconds=9))
    make_fact(delivered_at=clock.now())
    relay.postpone(make_fact(), timedelta(seconds=5))
    assert relay.due(10) == [early, late]
    assert relay.due(1) == [early]


def test_fanning_out_twice_keeps_one_delivery_of_each():
    fact = make_fact()
    first = relay.fan_out({fact.pk: ["pour", "drink"]})
    second = relay.fan_out({fact.pk: ["pour", "drink", "wash"]})
    assert set(first) == {(fact.pk, "pour"), (fact.pk, "drink")}
    assert second[fact.pk, "pour"].pk == first[fact.pk, "pour"].pk
    assert Delivery.objects.count() == 3


def test_pauses_double_up_to_an_hour():
    delivery = relay.fan_out({make_fact().pk: ["pour"]}).popitem()[1]
    pauses = []
    for _ in range(14):
        pauses.append(relay.mark_failed(delivery, "no cup").total_seconds())
        delivery.refresh_from_db()
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses[-2:] == [3600, 3600]
    assert (delivery.attempts, delivery.last_error) == (14, "no cup")


def test_a_delivery_that_keeps_failing_is_shown_and_kept():
    delivery = relay.fan_out({make_fact().pk: ["pour"]}).popitem()[1]
    Delivery.objects.update(attempts=relay.MANY_ATTEMPTS - 1)
    assert not relay.failing().exists()
    relay.mark_failed(delivery, "no cup")
    assert list(relay.failing()) == [delivery]


def test_pruning_forgets_old_delivered_facts_only():
    long_ago = clock.now() - timedelta(days=200)
    told = make_fact(created_at=long_ago, delivered_at=long_ago)
    relay.fan_out({told.pk: ["pour"]})
    untold = make_fact(created_at=long_ago)
    recent = make_fact(delivered_at=clock.now())
    assert relay.prune(days=180) == 1
    assert set(Fact.objects.all()) == {untold, recent}
    assert not Delivery.objects.exists()
