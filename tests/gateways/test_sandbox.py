"""What is the sandbox's own: it keeps out of production, and says its notices again until somebody answers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from sishu.commerce import merchants
from sishu.core import clock, plugins
from sishu.gateways.sandbox import SandboxGateway
from sishu.gateways.sandbox_bank import RETRY_AFTER, Refused
from tests.gateways.test_conformance import make_request


@pytest.mark.parametrize(
    ("debug", "allowed", "starts"), [(False, False, False), (False, True, True), (True, False, True)]
)
def test_row_69_it_refuses_to_start_in_production_unless_allowed(settings, debug: bool, allowed: bool, starts: bool):
    settings.DEBUG, settings.ALLOW_SANDBOX = debug, allowed
    if starts:
        assert SandboxGateway().name == "sandbox"
        return
    with pytest.raises(ImproperlyConfigured, match="SISHU_ALLOW_SANDBOX=1"):
        SandboxGateway()
    assert any("SISHU_ALLOW_SANDBOX" in problem.msg for problem in _problems())


def _problems():
    plugins.load.cache_clear()
    return merchants.check_gateways()


def test_an_unanswered_notice_is_sent_again_on_schedule_and_then_no_more(set_clock):
    bank = plugins.load("gateways", "sandbox").bank
    request = make_request()
    plugins.load("gateways", "sandbox").start(request)
    bank.pay(request.reference)
    moment, heard = clock.now(), []
    for wait in (0, *RETRY_AFTER):
        moment += timedelta(seconds=wait + 1)
        set_clock(moment)
        bank.send_notices(lambda number, charge: bool(heard.append(number)))
    assert len(heard) == 1 + len(RETRY_AFTER)
    set_clock(moment + timedelta(days=9))
    assert bank.send_notices(lambda number, charge: True) == 0


def test_what_was_decided_is_not_decided_again():
    gateway = plugins.load("gateways", "sandbox")
    request = make_request()
    gateway.start(request)
    gateway.bank.fail(request.reference)
    with pytest.raises(Refused):
        gateway.bank.pay(request.reference)
