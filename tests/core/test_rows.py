"""Rows that go past the ORM are the rows that the ORM writes and reads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, models, transaction

from sishu.accounts.models import User
from sishu.commerce.models import Entitlement, Order, OrderLine, Payment, ReceivedNotice
from sishu.core import clock, rows
from sishu.core.models import SubjectKey
from sishu.ledger.models import Journal
from sishu.outbox.models import Fact
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_offer

MOMENT = datetime(2031, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def key(name: str = "user:1") -> SubjectKey:
    return SubjectKey(subject=name, kek_version=1, wrapped=b"\0\xff'")


def values_of(row: models.Model) -> dict[str, object]:
    found = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in found.items()}


@pytest.mark.django_db
@pytest.mark.parametrize("model", [User, Order, OrderLine, Payment, Entitlement, Journal, Fact])
def test_a_row_is_read_as_the_orm_reads_it(model):
    buy(make_user("ann", language="en"), make_offer())
    known = model.objects.last()
    found = rows.find(model, "id = %s", [known.pk])
    assert type(found) is model
    assert values_of(found) == values_of(known)
    assert (found._state.adding, found._state.db) == (False, "default")


@pytest.mark.django_db
def test_no_row_is_none():
    assert rows.find(User, "username = %s", ["nobody"]) is None


@pytest.mark.django_db
def test_a_row_is_written_as_the_orm_writes_it(set_clock):
    offer, reader = make_offer(), make_user()
    set_clock(MOMENT)

    def order(number: str) -> Order:
        return Order(number=number, user=reader, amount=990, currency="CNY", language="en", expires_at=MOMENT)

    first, second = rows.insert(order("1")), order("2")
    second.save()
    assert values_of(Order.objects.get(pk=first.pk)) | {"id": 0} == values_of(first) | {"id": 0}
    assert {**values_of(first), **dict.fromkeys(("id", "number", "created_at", "updated_at"))} == {
        **values_of(second), **dict.fromkeys(("id", "number", "created_at", "updated_at"))
    }  # fmt: skip
    line = rows.insert(OrderLine(order=first, offer=offer, title="“它”的名字", amount=1, split=[[7, 9000]]))
    assert OrderLine.objects.get(pk=line.pk).split == [[7, 9000]]
    line.title = "another"
    line.save()
    assert OrderLine.objects.get().title == "another", "known as a row that is there"


@pytest.mark.django_db
def test_bytes_come_back_as_they_were():
    raw = bytes(range(256))
    row = rows.insert(ReceivedNotice(gateway="x", notice_id="1", subject="house", sealed=raw, received_at=clock.now()))
    assert bytes(ReceivedNotice.objects.get(pk=row.pk).sealed) == raw


@pytest.mark.django_db
def test_a_refused_row_leaves_its_transaction_unusable():
    rows.insert(key())
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            rows.insert(key())
        with pytest.raises(transaction.TransactionManagementError):
            SubjectKey.objects.count()


@pytest.mark.django_db
def test_what_is_new_is_written_and_what_is_not_changes_nothing_around_it():
    with transaction.atomic():
        assert rows.insert_if_new(key())
        assert not rows.insert_if_new(key())
        assert rows.insert_if_new(key("user:2"))
    assert SubjectKey.objects.count() == 2


def test_outside_of_a_transaction_a_row_is_one_statement(transactional_db, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert rows.insert_if_new(key())
    with django_assert_num_queries(1):
        assert not rows.insert_if_new(key())
    assert not connection.needs_rollback


def test_rows_are_locked_inside_a_transaction_only(transactional_db):
    with pytest.raises(transaction.TransactionManagementError):
        rows.for_update()
    with transaction.atomic():
        rows.for_update()
