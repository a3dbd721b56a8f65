"""What drivers say, and rows that go in steps."""

from __future__ import annotations

import pytest
from django.db import DatabaseError

from sishu.core.database import delete_in_steps, first_line
from sishu.jobs.models import JobRun


@pytest.mark.parametrize(
    ("words", "line"), [("no route:\n  is it running?", "no route"), ("", "DatabaseError"), ("  \n", "DatabaseError")]
)
def test_a_driver_is_quoted_without_its_advice(words, line):
    assert first_line(DatabaseError(words)) == line


@pytest.mark.django_db
def test_all_rows_go_and_no_others():
    JobRun.objects.bulk_create(JobRun(task=name) for name in "aaaaab")
    assert delete_in_steps(JobRun.objects.filter(task="a"), step=2) == 5
    assert [job.task for job in JobRun.objects.all()] == ["b"]
