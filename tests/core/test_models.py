"""A status moves along its arrows only, and of two who move it at once one is told to read again."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from django.apps import apps

from sishu.core import clock
from sishu.core.models import Stateful, WrongStatus
from sishu.moderation.models import Case
from tests.factories.accounts import make_user
from tests.factories.commerce import make_offer, start

STATEFUL = [model for model in apps.get_models() if issubclass(model, Stateful)]


def two_readings():
    """One payment as two processes read it."""
    payment = start(make_user(), make_offer())
    return payment, type(payment).objects.get(pk=payment.pk)


@pytest.mark.django_db
def test_a_move_changes_the_row_and_the_object_and_what_goes_with_it(set_clock):
    payment, _other = two_readings()
    set_clock(datetime(2031, 1, 2, tzinfo=UTC))
    payment.move_to("captured", captured_amount=990)
    kept = type(payment).objects.get(pk=payment.pk)
    for seen in (payment, kept):
        assert (seen.status, seen.captured_amount) == ("captured", 990)
        assert seen.updated_at == datetime(2031, 1, 2, tzinfo=UTC)


@pytest.mark.django_db
def test_a_row_without_the_moment_of_change_moves_too():
    case = Case.objects.create(ref="page:1", kind="review", opened_at=clock.now())
    case.move_to(Case.Status.DECIDED)
    assert Case.objects.get().status == Case.Status.DECIDED


@pytest.mark.django_db
def test_of_two_who_move_one_row_the_second_is_refused_and_writes_nothing():
    first, second = two_readings()
    first.move_to("captured", captured_amount=990)
    with pytest.raises(WrongStatus, match="no longer pending; read it again"):
        second.move_to("failed", captured_amount=1)
    kept = type(first).objects.get(pk=first.pk)
    assert (kept.status, kept.captured_amount) == ("captured", 990)
    assert (second.status, second.captured_amount) == ("pending", 0), "the refused object stays as it was read"


@pytest.mark.django_db
def test_a_move_without_an_arrow_asks_the_database_nothing(django_assert_num_queries):
    payment, _other = two_readings()
    payment.move_to("failed")
    with django_assert_num_queries(0), pytest.raises(WrongStatus, match="is failed; it cannot become pending"):
        payment.move_to("pending")
    with django_assert_num_queries(0), pytest.raises(WrongStatus) as refusal:
        payment.move_to("no such status")
    assert (refusal.value.code, refusal.value.status) == ("wrong_status", 409)


@pytest.mark.parametrize("model", STATEFUL, ids=lambda model: model.__name__)
def test_arrows_lead_from_status_to_other_status(model):
    known = set(model.Status)
    arrows = list(itertools.chain.from_iterable(((a, b) for b in ends) for a, ends in model.MOVES.items()))
    assert arrows, "a status that never moves is no status"
    assert {end for arrow in arrows for end in arrow} == known
    assert all(before != after for before, after in arrows)
    assert model._meta.get_field("status").default in model.MOVES, "a new row can move"


def test_the_models_that_move_are_found():
    assert {"Order", "Payment", "Refund", "Case"} <= {model.__name__ for model in STATEFUL}
