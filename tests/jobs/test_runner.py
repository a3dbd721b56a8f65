"""Running, failing, waiting, losing a worker, forgetting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sishu.core import clock
from sishu.jobs import heartbeat, runner, selectors
from sishu.jobs.models import JobRun, WorkerBeat
from tests.jobs import tasks

pytestmark = pytest.mark.django_db


def let_time_pass() -> None:
    """As if every pause were over."""
    JobRun.objects.filter(status=JobRun.Status.READY).update(run_after=clock.now())


def test_the_limit_is_kept():
    for word in "abc":
        tasks.note.enqueue(word)
    assert runner.run_due(limit=2) == 2
    assert runner.run_due(limit=2) == 1
    assert runner.run_due(limit=2) == 0
    assert tasks.CALLS == ["a", "b", "c"]


def test_a_failing_job_waits_longer_each_time_and_is_given_up_in_the_end():
    tasks.stumble.enqueue("stone")
    pauses = []
    for _ in range(3):
        let_time_pass()
        assert runner.run_due() == 1
        pauses.append((JobRun.objects.get().run_after - clock.now()).total_seconds())
    job = JobRun.objects.get()
    assert tasks.CALLS == ["stone"] * 3
    assert (job.status, job.attempts) == ("failed", 3)
    assert "stumbled over stone" in job.last_error
    assert 3 < pauses[0] < 7
    assert 11 < pauses[1] < 19
    let_time_pass()
    assert runner.run_due() == 0
    assert selectors.failed_count() == 1


def test_pauses_end_at_an_hour():
    assert runner.pause_after(200) <= timedelta(hours=1.2)


def test_a_job_that_was_given_up_can_be_revived():
    tasks.stumble.enqueue("stone")
    JobRun.objects.update(max_attempts=1)
    runner.run_due()
    assert runner.revive() == 1
    assert runner.run_due() == 1
    assert tasks.CALLS == ["stone", "stone"]


def test_a_failing_job_does_not_stop_the_next():
    tasks.stumble.enqueue("stone")
    tasks.leave.enqueue()
    tasks.note.enqueue("tea")
    assert runner.run_due() == 3
    assert tasks.CALLS == ["stone", "tea"]


def test_a_task_whose_code_is_gone_fails_with_its_name():
    tasks.note.enqueue("tea")
    JobRun.objects.update(task="tests.jobs.tasks.gone", max_attempts=1)
    runner.run_due()
    job = JobRun.objects.get()
    assert job.status == "failed"
    assert "gone" in job.last_error


def test_an_answer_that_json_cannot_keep_does_not_repeat_the_work():
    tasks.answer_with_a_row.enqueue()
    runner.run_due()
    job = JobRun.objects.get()
    assert (job.status, job.result) == ("succeeded", None)


def test_two_workers_never_hold_the_same_job():
    tasks.note.enqueue("tea")
    assert runner.claim("left") is not None
    assert runner.claim("right") is None


def test_the_job_of_a_dead_worker_comes_back_and_its_attempt_counts():
    tasks.note.enqueue("tea")
    runner.claim("dead")
    assert runner.reap() == 0  # the lease still holds
    assert runner.reap(clock.now() + runner.LEASE * 2) == 1
    assert JobRun.objects.get().last_error == runner.VANISHED
    let_time_pass()
    runner.run_due()
    job = JobRun.objects.get()
    assert (job.status, job.attempts, job.last_error) == ("succeeded", 2, "")
    assert tasks.CALLS == ["tea"]


def test_a_job_that_kills_its_workers_is_given_up():
    tasks.note.enqueue("poison")
    JobRun.objects.update(max_attempts=1)
    runner.claim("dead")
    runner.reap(clock.now() + runner.LEASE * 2)
    assert JobRun.objects.get().status == "failed"


def test_a_beating_worker_keeps_its_lease():
    tasks.note.enqueue("tea")
    runner.claim("alive")
    JobRun.objects.update(lease_until=clock.now() - timedelta(seconds=1))
    heartbeat.beat("alive")
    assert JobRun.objects.get().status == "running"
    heartbeat.beat("other")
    assert JobRun.objects.get().status == "running"


def test_a_worker_that_lost_its_lease_does_not_speak_for_the_job():
    tasks.note.enqueue("tea")
    slow = runner.claim("slow")
    runner.reap(clock.now() + runner.LEASE * 2)
    let_time_pass()
    assert runner.claim("quick") is not None
    runner.run(slow)
    job = JobRun.objects.get()
    assert (job.status, job.worker) == ("running", "quick")


def test_a_worker_is_seen_until_it_rests():
    assert selectors.find_last_beat() is None
    heartbeat.beat("one")
    heartbeat.beat("one")
    assert WorkerBeat.objects.count() == 1
    assert clock.now() - selectors.find_last_beat() < timedelta(seconds=5)
    heartbeat.sign_off("one")
    assert selectors.find_last_beat() is None


def test_pruning_forgets_old_successes_and_keeps_failures():
    for word in "abc":
        tasks.note.enqueue(word)
    runner.run_due()
    old, failed, recent = JobRun.objects.order_by("pk")
    long_ago = clock.now() - timedelta(days=8)
    JobRun.objects.filter(pk__in=[old.pk, failed.pk]).update(finished_at=long_ago)
    JobRun.objects.filter(pk=failed.pk).update(status=JobRun.Status.FAILED)
    assert runner.prune(days=7) == 1
    assert set(JobRun.objects.all()) == {failed, recent}
