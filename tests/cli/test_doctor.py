"""Each check is silent on a healthy house and names one fault and its way out on an ill one."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import UniqueConstraint
from django.utils import translation

from sishu.cli import doctor
from sishu.core import clock, crypto
from sishu.gateways.base import GatewayError
from sishu.gateways.sandbox import SandboxGateway
from sishu.jobs import heartbeat
from sishu.jobs.models import JobRun, WorkerBeat
from sishu.ledger import triggers
from sishu.outbox import relay
from sishu.outbox.models import Delivery, Fact
from tests.factories.gateways import OFFLINE
from tests.gateways.keyed import entry
from tests.jobs import tasks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _living_worker():
    heartbeat.beat("alive")


def told(check: doctor.Check) -> list[str]:
    return [str(problem) for problem in doctor.examine(check).problems]


@pytest.mark.parametrize("check", doctor.CHECKS, ids=lambda check: check.__name__)
def test_a_healthy_house_has_no_problems(check, settings):
    settings.DEBUG = True  # deployment checks ask for TLS, which a test has not
    assert told(check) == []


def test_without_debug_the_checks_for_deployment_count(settings):
    settings.SECURE_CONTENT_TYPE_NOSNIFF = False
    assert any("security.W006" in problem for problem in told(doctor.check_settings))


def test_a_short_key_is_named(settings):
    settings.SECRET_KEY = "short"
    assert told(doctor.check_keys) == ["SECRET_KEY has 5 characters. Set at least 40 random ones."]


def test_a_key_others_can_read_is_named(tmp_path):
    key = tmp_path / "secret.key"
    key.write_text("k" * 50)
    key.chmod(0o600)
    assert told(doctor.check_keys) == []
    key.chmod(0o644)
    assert told(doctor.check_keys) == [f"Other users of this machine can read {key}. Run: chmod 600 {key}"]


def test_a_data_folder_that_takes_no_file_is_named(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.DATA_DIR = tmp_path / "file"
    assert told(doctor.check_storage) == [
        f"Cannot write in {tmp_path / 'file'}: File exists. Set DATA_DIR to a folder of yours."
    ]


def test_a_file_storage_that_refuses_is_named(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.MEDIA_ROOT = str(tmp_path / "file")
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    }
    assert "The file storage refuses a file" in told(doctor.check_storage)[0]


def test_a_migration_that_waits_is_named():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'jobs'")
        waiting = cursor.rowcount
    assert told(doctor.check_migrations) == [
        f"{waiting} migrations are not applied, jobs.0001_initial first. Run: sishu migrate"
    ]
    assert told(doctor.check_constraints) == ["Not looked at while migrations wait. Run: sishu migrate"]


@pytest.mark.usefixtures("transactional_db")
def test_a_lost_constraint_and_a_lost_trigger_are_named(monkeypatch):
    lost = UniqueConstraint(fields=["fact", "attempts"], name="delivery_lost")
    monkeypatch.setattr(Delivery._meta, "constraints", [*Delivery._meta.constraints, lost])
    triggers.drop()
    try:
        problems = told(doctor.check_constraints)
    finally:
        triggers.create()
    assert problems[0] == "outbox.Delivery has lost its constraint delivery_lost. Restore the table from a backup."
    assert "The ledger's trigger ledger_transfer_kept is missing. Run: sishu migrate, which makes it anew." in problems


def test_keys_that_do_not_open_are_counted(settings):
    crypto.seal("user:1", "t.c|1", "")
    crypto.seal("user:2", "t.c|1", "")
    assert told(doctor.check_encryption) == []
    settings.ENCRYPTION_KEYS = {2: b"n" * 32}
    (problem,) = told(doctor.check_encryption)
    assert problem.startswith("2 subjects' keys cannot be opened; the first: ENCRYPTION_KEYS has no version 1.")
    settings.ENCRYPTION_KEYS = {}
    assert told(doctor.check_encryption)[0].startswith("ENCRYPTION_KEYS is empty")


def test_a_house_without_a_worker_is_told_to_start_one():
    heartbeat.sign_off("alive")
    assert told(doctor.check_jobs) == ["No worker is at work. Start one: sishu worker, or sishu run."]
    heartbeat.beat("alive")
    WorkerBeat.objects.update(seen_at=clock.now() - timedelta(minutes=2))
    assert "No worker was seen since" in told(doctor.check_jobs)[0]


def test_given_up_jobs_and_failing_reactions_are_counted():
    tasks.note.enqueue("tea")
    JobRun.objects.update(status=JobRun.Status.FAILED)
    fact = Fact.objects.create(name="TeaPoured", body={})
    Delivery.objects.create(fact=fact, reaction="drink", attempts=relay.MANY_ATTEMPTS)
    jobs, reactions = told(doctor.check_jobs)
    assert jobs.startswith("1 jobs were given up.")
    assert reactions.startswith("1 reactions to facts keep failing.")


def test_the_command_tells_people_and_machines_and_the_shell(capsys):
    heartbeat.sign_off("alive")
    with pytest.raises(SystemExit) as refusal:
        call_command("doctor")
    assert refusal.value.code == 1
    assert "PROBLEM  jobs: No worker is at work." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        call_command("doctor", json=True)
    findings = {finding["name"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert findings["clock"] == {"name": "clock", "status": "OK", "problems": [], "notes": []}
    assert findings["jobs"]["problems"][0]["fact"] == "No worker is at work."


def test_every_check_has_a_name_and_a_sentence():
    assert Path(doctor.__file__).read_text().count("\ndef check_") == len([*doctor.CHECKS, *doctor.ONLINE_CHECKS])
    assert all(check.__doc__ and check.__name__.startswith("check_") for check in doctor.CHECKS)


def test_each_gateway_is_named_and_one_without_keys_says_why(settings):
    (note,) = doctor.examine(doctor.check_gateways).notes
    assert str(note) == "sandbox can be used, with sandbox money."
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"keyed": entry()}}
    (problem,) = doctor.examine(doctor.check_gateways).problems
    assert problem.fact == "keyed cannot be used: The keyed gateway needs merchant_id, secret."
    assert "Merchant keys" in problem.way_out


def test_gateways_speak_english_to_the_doctor_in_a_chinese_house(settings):
    assert translation.get_language() == "zh-hans"
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"offline": (OFFLINE[0], {"currency": "CNY", "days": 7})}}
    (problem,) = doctor.examine(doctor.check_gateways).problems
    assert problem.fact.startswith("offline cannot be used: The offline gateway has no account to name.")


def test_providers_are_asked_only_online(capsys, monkeypatch):
    assert [str(note) for note in doctor.examine(doctor.check_providers).notes] == ["sandbox answers."]

    def silent(self, reference, provider_reference=""):
        raise GatewayError("401 the signature is not ours")

    monkeypatch.setattr(SandboxGateway, "query", silent)
    with suppress(SystemExit):
        call_command("doctor", "--json")
    assert "401" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        call_command("doctor", "--json", "--online")
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["providers"]["status"] == "PROBLEM"
    assert "401 the signature is not ours" in found["providers"]["problems"][0]["fact"]
