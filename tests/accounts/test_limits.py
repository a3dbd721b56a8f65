"""Who tries too often waits: whatever they call themselves, whichever worker they meet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from sishu.accounts.models import User
from tests.factories.accounts import PASSWORD, make_user

ROOT = Path(__file__).resolve().parents[2]
WRONG = {"login": "shen", "password": "not-the-password"}
JSON = {"accept": "application/json"}


@pytest.mark.django_db
def test_the_sixth_guess_at_one_person_waits_five_minutes_even_with_the_right_password():
    make_user("shen")
    spellings = ["shen", "SHEN", "ｓｈｅｎ", "Shen", "shEN"]
    for spelling in spellings:
        response = Client().post("/login", {**WRONG, "login": spelling}, headers=JSON)
        assert response.status_code == 401
    response = Client().post("/login", {"login": "shen", "password": PASSWORD}, headers=JSON)
    assert response.status_code == 429
    assert response["Retry-After"] == "300"
    assert response.json()["message"]
    page = Client().post("/login", WRONG)
    assert (page.status_code, page["Content-Type"]) == (429, "text/html; charset=utf-8")


@pytest.mark.django_db
def test_a_limit_does_not_tell_names_either():
    make_user("shen")
    texts = set()
    for login in ("shen", "nobody"):
        for _attempt in range(5):
            Client().post("/login", {**WRONG, "login": login}, headers=JSON)
        texts.add(Client().post("/login", {**WRONG, "login": login}, headers=JSON).content)
    assert len(texts) == 1


def sign_up(number: int, **headers: str) -> int:
    data = {"username": f"person{number}", "email": f"person{number}@example.org", "password": PASSWORD}
    return Client().post("/register", data, headers={**JSON, **headers}).status_code


@pytest.mark.django_db
@pytest.mark.parametrize("voice", ["application/json", "text/html"])
def test_one_network_signs_up_twenty_a_minute(voice: str):
    assert [sign_up(number) for number in range(20)] == [201] * 20
    response = Client().post("/register", {}, headers={"accept": voice})
    assert response.status_code == 429
    assert response["Retry-After"] == "60"
    assert User.objects.count() == 20


@pytest.mark.django_db
@pytest.mark.parametrize(("proxies", "real"), [(0, ""), (1, ", 203.0.113.7"), (2, ", 203.0.113.7, 10.0.0.1")])
def test_a_forged_forwarded_for_evades_nothing(settings, proxies: int, real: str):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    answers = [sign_up(number, **{"x-forwarded-for": f"198.51.100.{number}{real}"}) for number in range(21)]
    assert answers == [201] * 20 + [429]


@pytest.mark.django_db
def test_behind_a_proxy_two_networks_are_two(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    answers = [sign_up(number, **{"x-forwarded-for": f"203.0.113.{number % 2}"}) for number in range(40)]
    assert answers == [201] * 40


def test_the_proxy_count_comes_from_the_environment():
    code = "from allauth import app_settings; import django; django.setup(); print(app_settings.TRUSTED_PROXY_COUNT)"
    assert run(code, PROXY_COUNT="2").strip().endswith("2")


COUNT = """
import django; django.setup()
from django.test import RequestFactory
from allauth.core import ratelimit
request = RequestFactory().post("/register")
print(sum(ratelimit.consume(request, action="signup") for _ in range(30)))
"""


@pytest.mark.processes
def test_two_processes_count_together(tmp_path: Path):
    make_counters(tmp_path)
    both = [start(COUNT, DATA_DIR=str(tmp_path)) for _ in range(2)]
    allowed = [int(process.communicate(timeout=60)[0].split()[-1]) for process in both]
    assert sum(allowed) == 20


COUNT_REQUESTS = """
import sys
import django; django.setup()
from django.db import connections
from django.test import RequestFactory
from sishu.web.api import auth
auth.time.time = lambda: 4_000_000_020.0  # no minute ends in the middle
connections["cache"].ensure_connection()
request = RequestFactory().get("/api/v1/works")
print("ready", flush=True)
sys.stdin.readline()
print(sum(auth.RateLimit().allow_request(request) for _ in range(100)))
"""


@pytest.mark.processes
def test_processes_that_ask_at_the_same_moment_lose_no_count(tmp_path: Path):
    make_counters(tmp_path)
    crowd = [start(COUNT_REQUESTS, DATA_DIR=str(tmp_path), API_REQUESTS_PER_MINUTE="250") for _ in range(4)]
    for process in crowd:
        assert process.stdout.readline() == "ready\n"
    for process in crowd:
        process.stdin.write("go\n")
        process.stdin.flush()
    allowed = [int(process.communicate(timeout=60)[0]) for process in crowd]
    assert sum(allowed) == 250, allowed


def make_counters(data_dir: Path) -> None:
    code = "from django.core.management import execute_from_command_line as run; run(['x', 'createcachetable', '--database', 'cache'])"
    run(code, DATA_DIR=str(data_dir))


def run(code: str, **environment: str) -> str:
    process = start(code, **environment)
    output, problems = process.communicate(timeout=60)
    assert process.returncode == 0, problems
    return output


def start(code: str, **environment: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.dev", **environment}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )
