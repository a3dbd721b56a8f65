"""The bank behind all protocols."""

from __future__ import annotations

from datetime import timedelta

from paysim.bank import Bank, Charge
from paysim.clock import Clock
from paysim.faults import Faults


def test_no_money_moves_on_a_day_whose_bill_is_written():
    clock = Clock()
    bank, ends = Bank(clock, Faults()), clock.now() + timedelta(minutes=30)
    bank.open_charge(Charge("wechat", "attempt01", "4200", 990, "CNY", "title", "native", clock.now(), ends))
    two_days_on = clock.advance(2 * 86_400)
    late = bank.pay("wechat", "attempt01", at=ends + timedelta(minutes=1))
    assert late.paid_at is not None
    assert late.paid_at >= two_days_on
