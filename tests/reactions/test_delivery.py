"""A reaction's effect is kept once; a failing one is tried again and holds up nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from sishu.core import clock
from sishu.outbox.models import Delivery, Fact
from sishu.outbox.publisher import publish
from sishu.reactions.worker import deliver_due

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class TeaPoured:
    cup_id: int


@dataclass(frozen=True)
class CupBroken:
    cup_id: int


BROKEN: set[int] = set()


@pytest.fixture(autouse=True)
def _whole_cups():
    BROKEN.clear()


def drink(fact: TeaPoured) -> None:
    Group.objects.create(name=f"drunk {fact.cup_id}")
    if fact.cup_id in BROKEN:
        raise ValueError(f"cup {fact.cup_id} leaks")


def wash(fact: TeaPoured) -> None:
    Group.objects.create(name=f"washed {fact.cup_id}")


TABLE = {TeaPoured: (drink, wash), CupBroken: ()}


def pour(*cup_ids: int) -> None:
    with transaction.atomic():
        for cup_id in cup_ids:
            publish(TeaPoured(cup_id))


def effects() -> set[str]:
    return set(Group.objects.filter(name__regex=r"^(drunk|washed) ").values_list("name", flat=True))


def let_time_pass() -> None:
    """As if every pause were over."""
    now = clock.now()
    Delivery.objects.filter(done_at=None).update(next_attempt_at=now)
    Fact.objects.filter(delivered_at=None).update(next_attempt_at=now)


def test_each_reaction_runs_once_and_the_fact_is_closed():
    pour(1)
    assert deliver_due(table=TABLE) == 2
    assert deliver_due(table=TABLE) == 0
    assert effects() == {"drunk 1", "washed 1"}
    assert Fact.objects.get().delivered_at is not None
    assert set(Delivery.objects.values_list("reaction", "attempts")) == {("drink", 1), ("wash", 1)}


def test_an_idle_round_asks_one_question(django_assert_num_queries):
    with django_assert_num_queries(1):
        deliver_due(table=TABLE)


def test_a_failing_reaction_leaves_no_effect_and_holds_up_nobody():
    BROKEN.add(1)
    pour(1, 2)
    assert deliver_due(table=TABLE) == 3
    assert effects() == {"washed 1", "drunk 2", "washed 2"}
    delivery = Delivery.objects.get(done_at=None)
    assert (delivery.reaction, delivery.attempts) == ("drink", 1)
    assert "cup 1 leaks" in delivery.last_error
    assert Fact.objects.filter(delivered_at=None).count() == 1


def test_a_failing_reaction_waits_and_is_done_when_its_cause_is_gone():
    BROKEN.add(1)
    pour(1)
    deliver_due(table=TABLE)
    assert deliver_due(table=TABLE) == 0  # its pause is not over
    assert Delivery.objects.get(done_at=None).attempts == 1
    let_time_pass()
    deliver_due(table=TABLE)
    assert Delivery.objects.get(done_at=None).attempts == 2
    BROKEN.clear()
    let_time_pass()
    assert deliver_due(table=TABLE) == 1
    assert effects() == {"drunk 1", "washed 1"}
    assert Fact.objects.get().delivered_at is not None


def test_facts_that_wait_do_not_use_up_the_round():
    BROKEN.update({1, 2, 3})
    pour(1, 2, 3)
    deliver_due(table=TABLE)
    pour(4)
    assert deliver_due(limit=1, table=TABLE) == 2
    assert {"drunk 4", "washed 4"} <= effects()


def test_a_fact_that_nobody_reacts_to_is_closed():
    with transaction.atomic():
        publish(CupBroken(1))
    assert deliver_due(table=TABLE) == 0
    assert Fact.objects.get().delivered_at is not None


def test_a_fact_whose_code_is_gone_is_kept_and_named(caplog):
    pour(1)
    assert deliver_due(table={}) == 0
    assert "knows no TeaPoured" in caplog.text
    assert Fact.objects.get().delivered_at is None
    assert deliver_due(table=TABLE) == 0  # left alone for an hour
    let_time_pass()
    assert deliver_due(table=TABLE) == 2


def test_a_reaction_that_was_removed_does_not_keep_its_fact_open():
    BROKEN.add(1)
    pour(1)
    deliver_due(table=TABLE)
    let_time_pass()
    deliver_due(table={TeaPoured: (wash,)})
    assert Fact.objects.get().delivered_at is not None


def test_a_fact_whose_fields_changed_fails_visibly():
    pour(1)
    Fact.objects.update(body={"mug_id": 1})
    assert deliver_due(table=TABLE) == 0
    assert all("mug_id" in delivery.last_error for delivery in Delivery.objects.all())


def test_a_delivery_another_worker_just_tried_is_left_to_its_pause():
    pour(1)
    deliver_due(table={TeaPoured: ()})
    Fact.objects.update(delivered_at=None)
    Delivery.objects.create(
        fact=Fact.objects.get(), reaction="drink", attempts=3, next_attempt_at=clock.now() + timedelta(minutes=1)
    )
    assert deliver_due(table=TABLE) == 1
    assert effects() == {"washed 1"}
