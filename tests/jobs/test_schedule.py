"""Entries come back at their moments, once each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sishu.core import clock
from sishu.jobs.models import JobRun, Periodic
from sishu.jobs.schedule import Every, tick
from tests.jobs import tasks

HOURLY = Every("hourly", tasks.leave, seconds=3600)


def make_due(name: str = "hourly", *, ago: timedelta = timedelta(seconds=1)) -> None:
    Periodic.objects.update_or_create(name=name, defaults={"next_run_at": clock.now() - ago})


@pytest.mark.django_db
def test_a_new_entry_waits_for_its_first_moment():
    assert tick([HOURLY]) == 0
    assert Periodic.objects.get().next_run_at > clock.now() + timedelta(minutes=59)
    assert not JobRun.objects.exists()


@pytest.mark.django_db
def test_a_due_entry_is_enqueued_once():
    make_due()
    assert [tick([HOURLY]), tick([HOURLY])] == [1, 0]
    assert JobRun.objects.get().task == "tests.jobs.tasks.leave"


@pytest.mark.django_db
def test_moments_missed_in_the_night_are_made_up_by_one_run():
    make_due(ago=timedelta(hours=9))
    assert [tick([HOURLY]), tick([HOURLY])] == [1, 0]


@pytest.mark.django_db
def test_an_entry_made_more_frequent_does_not_wait_for_its_old_moment():
    tick([HOURLY])
    tick([Every("hourly", tasks.leave, seconds=60)])
    assert Periodic.objects.get().next_run_at < clock.now() + timedelta(seconds=61)


def test_cron_lines_are_read_in_the_sites_time_zone(settings):
    settings.TIME_ZONE = "Asia/Shanghai"
    entry = Every("night", tasks.leave, cron="15 4 * * *")
    assert entry.after(datetime(2026, 1, 1, 12, tzinfo=UTC)).astimezone(UTC) == datetime(2026, 1, 1, 20, 15, tzinfo=UTC)


@pytest.mark.parametrize("when", [{}, {"seconds": 1, "cron": "* * * * *"}, {"seconds": -1}, {"cron": "now and then"}])
def test_an_entry_needs_one_way_to_tell_the_time(when):
    with pytest.raises(ValueError, match="Schedule entry 'odd'"):
        Every("odd", tasks.leave, **when)
