"""The Task API: what is enqueued, when it exists, what comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django_tasks import TaskResultStatus, default_task_backend
from django_tasks.exceptions import TaskResultDoesNotExist

from sishu.core import clock
from sishu.jobs import runner
from sishu.jobs.models import JobRun
from tests.jobs import tasks

pytestmark = pytest.mark.django_db


def test_enqueueing_is_one_insert_of_the_callers_transaction(django_assert_num_queries):
    with django_assert_num_queries(1):
        tasks.note.enqueue("tea", loud=True)
    job = JobRun.objects.get()
    assert (job.task, job.args, job.kwargs) == ("tests.jobs.tasks.note", ["tea"], {"loud": True})
    assert (job.status, job.attempts, job.max_attempts) == ("ready", 0, 10)


def test_a_job_of_a_rolled_back_transaction_does_not_exist():
    with transaction.atomic():
        tasks.note.enqueue("tea")
        transaction.set_rollback(True)
    assert not JobRun.objects.exists()


def test_arguments_that_json_cannot_keep_are_refused_at_once():
    with pytest.raises(TypeError):
        tasks.note.enqueue(clock.now())
    assert not JobRun.objects.exists()


def test_a_result_is_found_again_by_its_id():
    result = tasks.note.enqueue("tea")
    assert result.status == TaskResultStatus.READY
    runner.run_due()
    result.refresh()
    assert result.status == TaskResultStatus.SUCCESSFUL
    assert result.return_value == "tea"
    assert result.attempts == 1
    assert tasks.note.get_result(result.id).finished_at is not None


def test_a_failed_result_shows_its_error():
    result = tasks.stumble.enqueue("stone")
    JobRun.objects.update(max_attempts=1)
    runner.run_due()
    result.refresh()
    assert result.status == TaskResultStatus.FAILED
    assert result.errors[0].exception_class is ValueError
    assert "stumbled over stone" in result.errors[0].traceback


@pytest.mark.parametrize("result_id", ["1", "tea", "9" * 40, ""])
def test_an_unknown_result_is_said_to_be_unknown(result_id):
    with pytest.raises(TaskResultDoesNotExist):
        default_task_backend.get_result(result_id)


def test_urgency_and_patience_are_kept():
    later = clock.now() + timedelta(hours=1)
    tasks.note.using(run_after=later).enqueue("later")
    tasks.note.using(priority=-5).enqueue("last")
    tasks.note.enqueue("second")
    tasks.note.using(priority=5).enqueue("first")
    assert runner.run_due() == 3
    assert tasks.CALLS == ["first", "second", "last"]


def test_a_task_says_how_often_it_is_tried():
    tasks.stumble.using(priority=1).enqueue("stone")
    assert JobRun.objects.get().max_attempts == 3


def test_a_task_may_be_async_and_may_ask_for_its_context():
    tasks.note_later.enqueue("tea")
    result = tasks.count_attempt.enqueue()
    runner.run_due()
    result.refresh()
    assert tasks.CALLS == ["tea"]
    assert result.return_value == 1
