"""Months of a plan: each renewal adds one, and keeps the day on which the row of them began."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils.timezone import localtime
from django.utils.timezone import override as in_zone
from hypothesis import given
from hypothesis import strategies as st

from sishu.commerce.fulfil import month_after, months_on
from sishu.commerce.models import Entitlement
from sishu.core import clock
from tests.factories.accounts import make_user
from tests.factories.commerce import buy, make_plan

ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati")
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


def renewals(first: datetime, count: int) -> list[datetime]:
    """The start of a row of months and the end of each, renewed one by one."""
    ends = [first]
    for _month in range(count):
        ends.append(month_after(first, ends[-1]))
    return ends


def days(*moments: datetime) -> list[tuple[int, int]]:
    return [(localtime(moment).month, localtime(moment).day) for moment in moments]


def test_row_56_a_short_month_does_not_shorten_the_next():
    first = datetime(2026, 1, 31, 4, 5, tzinfo=UTC)
    assert days(*renewals(first, 4)) == [(1, 31), (2, 28), (3, 31), (4, 30), (5, 31)]


def test_the_day_is_the_one_on_the_calendar_of_the_house():
    first = datetime(2026, 2, 28, 18, tzinfo=UTC)  # 1 March in Shanghai, at two in the night
    assert days(*renewals(first, 2)) == [(3, 1), (4, 1), (5, 1)]


@given(first=MOMENTS, count=st.integers(1, 40), zone=st.sampled_from(ZONES))
def test_every_month_of_a_row_ends_on_the_day_it_began_or_on_the_last(first: datetime, count: int, zone: str):
    with in_zone(ZoneInfo(zone)):
        ends = renewals(first, count)
        began = localtime(first)
        for number, end in enumerate(ends):
            local = localtime(end)
            assert (local.year * 12 + local.month) - (began.year * 12 + began.month) == number
            assert local.day == min(began.day, calendar.monthrange(local.year, local.month)[1])
            assert end == months_on(first, number)
        for earlier, later in pairwise(ends):
            assert timedelta(days=27, hours=22) < later - earlier < timedelta(days=31, hours=2)


@given(first=MOMENTS, count=st.integers(0, 24), late=st.timedeltas(timedelta(hours=3), timedelta(days=26)))
def test_what_is_no_end_of_a_row_begins_its_own(first: datetime, count: int, late: timedelta):
    start = months_on(first, count) + late
    assert month_after(first, start) == months_on(start, 1)


# --- As it is bought ----------------------------------------------------------------------------------------------------

LAST_OF_JANUARY = datetime(2091, 1, 31, 4, 5, tzinfo=UTC)


@pytest.fixture
def reader():
    return make_user()


@pytest.fixture
def first_month(reader) -> Entitlement:
    """A month that began on a 31st and ended on a 28th."""
    buy(reader, make_plan())
    held = Entitlement.objects.get(user=reader)
    held.starts_at, held.ends_at = LAST_OF_JANUARY, months_on(LAST_OF_JANUARY, 1)
    held.save()
    return held


@pytest.mark.django_db
@pytest.mark.money
def test_row_56_renewals_keep_the_day_of_the_first(reader, first_month):
    for _month in range(3):
        buy(reader, make_plan())
    held = list(Entitlement.objects.order_by("starts_at"))
    assert [end for one in held for end in days(one.ends_at)] == [(2, 28), (3, 31), (4, 30), (5, 31)]
    assert all(earlier.ends_at == later.starts_at for earlier, later in pairwise(held))


@pytest.mark.django_db
@pytest.mark.money
def test_a_first_month_given_back_does_not_shift_the_others(reader, first_month):
    buy(reader, make_plan())
    Entitlement.objects.filter(pk=first_month.pk).update(revoked_at=clock.now())
    buy(reader, make_plan())
    assert days(Entitlement.objects.latest("ends_at").ends_at) == [(4, 30)]


@pytest.mark.django_db
@pytest.mark.money
def test_after_a_gap_a_new_row_begins_today(reader, first_month):
    past = clock.now() - timedelta(days=40)
    Entitlement.objects.filter(pk=first_month.pk).update(starts_at=past, ends_at=past + timedelta(days=28))
    buy(reader, make_plan())
    held = Entitlement.objects.latest("ends_at")
    assert held.starts_at > clock.now() - timedelta(minutes=1)
    assert held.ends_at == months_on(held.starts_at, 1)
