"""Gateways are made with the environment's keys and with those entered in the studio; changed keys overlap."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import cast

import environ
import pytest
from django.core import mail
from django.test import Client
from django.utils import translation

from config.settings import gateways
from sishu.accounts import roles
from sishu.commerce import merchant_keys, merchant_mail, merchants, orders, payments, upkeep
from sishu.commerce.models import MerchantKeys, MerchantKeysChange, Order, Payment
from sishu.core import clock
from sishu.core.errors import Invalid
from sishu.core.models import WrongStatus
from sishu.gateways.base import Outcome, Snapshot
from sishu.jobs.models import JobRun
from sishu.moderation.models import Case
from tests.factories.accounts import make_user
from tests.factories.commerce import make_offer
from tests.factories.gateways import ACCOUNT
from tests.gateways.keyed import OTHER_SECRET, SECRET, THIRD_SECRET, KeyedGateway, entry

pytestmark = pytest.mark.django_db
ALL = {"merchant_id": "M-1234567890", "secret": SECRET}


@pytest.fixture(autouse=True)
def _two_gateways(settings):
    use(settings)
    merchants.forget()
    with translation.override("en"):
        yield
    merchants.forget()


def use(settings, **options) -> None:
    two = {"keyed": entry(**options), "sandbox": ("sishu.gateways.sandbox.SandboxGateway", {})}
    settings.PLUGINS = {**settings.PLUGINS, "gateways": two}


@pytest.fixture
def owner():
    user = make_user("owner")
    roles.assign(user, roles.OWNER)
    return user


def keyed() -> KeyedGateway:
    return cast(KeyedGateway, merchants.gateway("keyed"))


# --- What a gateway is made with --------------------------------------------------------------------------------------


def test_a_gateway_without_keys_is_not_offered_and_says_why():
    assert merchants.names() == ["keyed", "sandbox"]
    assert merchants.usable() == ["sandbox"]
    assert merchants.problem("keyed") == "The keyed gateway needs merchant_id, secret."
    assert payments.choose_gateway("", "CNY") == "sandbox"
    with pytest.raises(Invalid):
        payments.choose_gateway("keyed", "CNY")


def test_a_gateway_is_usable_once_its_keys_are_kept(owner):
    merchant_keys.change("keyed", {**ALL, "notice_secrets": " one \r\n\r\ntwo\n"}, by=owner)
    assert merchants.usable() == ["keyed", "sandbox"]
    assert (keyed().merchant_id, keyed().key, keyed().region) == ("M-1234567890", SECRET.encode(), "home")
    assert keyed().notice_secrets == ["one", "two"]
    assert keyed() is keyed()


def test_what_the_environment_sets_counts_and_a_kept_key_fills_the_rest(owner, settings):
    merchant_keys.change("keyed", ALL, by=owner)
    use(settings, secret=OTHER_SECRET, url="https://provider.example")
    assert (keyed().merchant_id, keyed().key) == ("M-1234567890", OTHER_SECRET.encode())
    slots = {slot.name: slot for slot in merchants.slots("keyed")}
    assert set(slots) == {"merchant_id", "secret", "notice_secrets", "region"}  # an address is the environment's alone
    assert [name for name, slot in slots.items() if slot.is_fixed] == ["secret"]
    assert slots["notice_secrets"].takes_several
    with pytest.raises(Invalid, match="every key is as it was"):
        merchant_keys.change("keyed", {"secret": THIRD_SECRET, "url": "https://elsewhere.example"}, by=owner)


@pytest.mark.parametrize(
    ("name", "given", "together"),
    [
        ("offline", "payee", {"payee", "account", "bank", "accounts"}),
        ("offline", "accounts", {"payee", "account", "bank", "accounts"}),
        ("alipay", "public_key", {"public_key", "app_cert", "alipay_cert", "root_cert"}),
        ("alipay", "root_cert", {"public_key", "app_cert", "alipay_cert", "root_cert"}),
        ("wechat", "public_key", {"public_key", "public_key_id", "platform_certs"}),
    ],
)
def test_one_that_the_environment_sets_fixes_what_goes_with_it(settings, name, given, together):
    path, options = gateways.options(environ.Env())[name]
    by_environment = {argument: value for argument, value in options.items() if argument == "currency"}
    for value, fixed in (("", set()), ("set", together)):
        entries = {name: (path, {**dict.fromkeys(options, ""), **by_environment, given: value})}
        settings.PLUGINS = {**settings.PLUGINS, "gateways": entries}
        found = {slot.name for slot in merchants.slots(name) if slot.is_fixed}
        assert found - {"currency", "desktop_product", "days"} == fixed


def test_a_kept_account_takes_no_transfers_from_the_environments(owner, settings):
    path, options = gateways.options(environ.Env())["offline"]
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"offline": (path, {**options, **ACCOUNT})}}
    theirs = json.dumps({"CNY": {**ACCOUNT, "payee": "Somebody else"}})
    with pytest.raises(Invalid, match="every key is as it was"):
        merchant_keys.change("offline", {"accounts": theirs}, by=owner)
    made = merchants.make("offline", {"accounts": theirs})  # as it was kept before the environment had one
    assert {currency: there.payee for currency, there in made.accounts.items()} == {"CNY": ACCOUNT["payee"]}


def test_keys_changed_in_another_process_count_within_seconds(owner, monkeypatch):
    merchant_keys.change("keyed", ALL, by=owner)
    assert keyed().key == SECRET.encode()
    now = merchants.time.monotonic()
    monkeypatch.setattr(merchants, "forget", lambda: None)  # what another process knows of our change: nothing
    merchant_keys.change("keyed", {"secret": OTHER_SECRET}, by=owner)
    monkeypatch.undo()
    assert keyed().key == SECRET.encode()
    monkeypatch.setattr(merchants.time, "monotonic", lambda: now + merchants.LOOK_AFTER + 1)
    assert keyed().key == OTHER_SECRET.encode()


def test_looking_costs_one_query_and_then_none(django_assert_num_queries):
    merchants.forget()
    with django_assert_num_queries(1):
        merchants.usable()
    with django_assert_num_queries(0):
        merchants.usable()
        merchants.gateway("sandbox")


# --- Changing them ----------------------------------------------------------------------------------------------------


def test_keys_with_which_no_gateway_can_be_made_are_refused_in_its_words(owner):
    with pytest.raises(Invalid, match="begins with secret-; this one does not"):
        merchant_keys.change("keyed", {**ALL, "secret": "oops"}, by=owner)
    assert not MerchantKeys.objects.exists()
    assert not MerchantKeysChange.objects.exists()
    merchant_keys.change("keyed", ALL, by=owner)
    with pytest.raises(Invalid, match="needs secret"):
        merchant_keys.change("keyed", {}, removed=["secret"], by=owner)
    assert merchants.usable() == ["keyed", "sandbox"]


def test_all_keys_can_be_removed(owner):
    merchant_keys.change("keyed", ALL, by=owner)
    merchant_keys.change("keyed", {}, removed=list(ALL), by=owner)
    assert merchants.usable() == ["sandbox"]


def test_keys_stand_nowhere_in_the_open(owner, caplog):
    merchant_keys.change("keyed", ALL, by=owner)
    merchant_keys.change("keyed", {"secret": OTHER_SECRET}, by=owner)
    rows = [*MerchantKeys.objects.values(), *MerchantKeysChange.objects.values(), *JobRun.objects.values()]
    said = "".join(
        bytes(v).decode("latin-1") if isinstance(v, memoryview | bytes) else str(v) for r in rows for v in r.values()
    )
    for value in (SECRET, OTHER_SECRET, ALL["merchant_id"]):
        assert value not in said
        assert value not in caplog.text
    assert "keyed were" not in said
    assert "owner" in caplog.text


def test_every_change_is_written_down_and_told_to_every_owner(owner, settings):
    second = make_user("second", language="en")
    roles.assign(second, roles.OWNER)
    make_user("reader")
    change = merchant_keys.change("keyed", ALL, by=owner)
    assert (change.changed_by, change.names) == (owner, ["merchant_id", "secret"])
    merchant_mail.send_keys_changed.call(change.pk)
    assert sorted(letter.to[0] for letter in mail.outbox) == sorted([owner.email, second.email])
    (english,) = [letter for letter in mail.outbox if letter.to == [second.email]]
    assert "owner changed the keys" in english.body
    assert "merchant_id, secret" in english.body
    assert SECRET not in english.body


def test_of_two_changes_at_once_one_is_refused(owner, monkeypatch):
    merchant_keys.change("keyed", ALL, by=owner)
    real = merchants.make

    def overtaken(name, keys):
        monkeypatch.undo()
        merchant_keys.change("keyed", {"secret": THIRD_SECRET}, by=owner)
        return real(name, keys)

    monkeypatch.setattr(merchants, "make", overtaken)
    with pytest.raises(WrongStatus, match="at this moment"):
        merchant_keys.change("keyed", {"secret": OTHER_SECRET}, by=owner)
    assert keyed().key == THIRD_SECRET.encode()


def test_lost_keys_make_the_gateway_unusable_and_can_be_entered_anew(owner):
    merchant_keys.change("keyed", ALL, by=owner)
    MerchantKeys.objects.update(stamp="another", sealed=MerchantKeys.objects.get().sealed)
    merchants.forget()
    assert "cannot be read" in merchants.problem("keyed")
    with translation.override("zh-hans"):
        assert merchants.problem("keyed").startswith("工作室里保存的密钥无法读取：")
    assert merchants.usable() == ["sandbox"]
    merchant_keys.change("keyed", ALL, by=owner)
    assert merchants.usable() == ["keyed", "sandbox"]


# --- Overlap ----------------------------------------------------------------------------------------------------------


def begun(reader) -> str:
    """A payment of ours at the keyed gateway, paid there; its reference."""
    order = orders.place(reader, make_offer().pk, language="zh-hans")
    payment, _started = payments.start(
        order.pk, "keyed", notify_url="http://testserver/webhooks/keyed", return_url="http://testserver/"
    )
    keyed().bank.pay(payment.reference)
    return payment.reference


def told_by(gateway: KeyedGateway, reference: str) -> int:
    """The status with which we answer a notice signed with that gateway's key."""
    body = gateway.notice(1, reference)
    return (
        Client()
        .post("/webhooks/keyed", body, content_type="application/json", headers=gateway.signed(body))
        .status_code
    )


def test_row_67_notices_signed_for_replaced_keys_are_believed_during_the_overlap(owner, set_clock):
    merchant_keys.change("keyed", ALL, by=owner)
    old = keyed()
    reference = begun(make_user("reader"))
    merchant_keys.change("keyed", {"secret": OTHER_SECRET}, by=owner)
    merchant_keys.change(
        "keyed", {"notice_secrets": THIRD_SECRET}, by=owner
    )  # a second change does not end the first's
    assert told_by(old, reference) == 200
    assert Order.objects.get().status == Order.Status.PAID
    assert told_by(keyed(), reference) == 200
    third = KeyedGateway(merchant_id=ALL["merchant_id"], secret=THIRD_SECRET)
    assert told_by(third, reference) == 200
    set_clock(clock.now() + timedelta(hours=47))
    assert told_by(old, reference) == 200
    set_clock(clock.now() + timedelta(hours=2))
    assert told_by(old, reference) == 400
    assert told_by(keyed(), reference) == 200
    assert upkeep.forget_replaced_keys.call() == 2
    assert not MerchantKeysChange.objects.filter(replaced__isnull=False).exists()


def test_row_67_keys_in_wrong_hands_are_believed_no_more(owner):
    merchant_keys.change("keyed", ALL, by=owner)
    spring = keyed()
    reference = begun(make_user("reader"))
    merchant_keys.change("keyed", {"secret": OTHER_SECRET}, by=owner)
    summer = keyed()
    merchant_keys.change("keyed", {"secret": THIRD_SECRET}, by=owner, stop_believing=True)
    assert [told_by(gateway, reference) for gateway in (spring, summer)] == [400, 400]
    assert Order.objects.get().status == Order.Status.AWAITING_PAYMENT
    assert told_by(keyed(), reference) == 200


def test_row_67_the_overlap_can_be_ended_without_another_change(owner):
    merchant_keys.change("keyed", ALL, by=owner)
    old = keyed()
    reference = begun(make_user("reader"))
    merchant_keys.change("keyed", {"secret": OTHER_SECRET}, by=owner)
    merchant_keys.change("keyed", {}, by=owner, stop_believing=True)
    assert told_by(old, reference) == 400
    assert told_by(keyed(), reference) == 200


@pytest.fixture
def one_account_each(monkeypatch) -> None:
    """A provider whose notices only say that something happened, and whose accounts know nothing of each other."""
    parse_notice, query, close = KeyedGateway.parse_notice, KeyedGateway.query, KeyedGateway.close

    def asked(ask):
        def answer(self, reference, provider_reference=""):
            is_theirs = self.merchant_id == ALL["merchant_id"]
            return ask(self, reference, provider_reference) if is_theirs else Snapshot(reference, Outcome.UNKNOWN)

        return answer

    def told(self, headers, body):
        return replace(parse_notice(self, headers, body), snapshot=None)

    monkeypatch.setattr(KeyedGateway, "parse_notice", told)
    monkeypatch.setattr(KeyedGateway, "query", asked(query))
    monkeypatch.setattr(KeyedGateway, "close", asked(close))


def move_to_another_account(owner) -> None:
    merchant_keys.change("keyed", {"merchant_id": "M-1999999999", "secret": OTHER_SECRET}, by=owner)


def test_row_67_the_account_that_told_is_the_one_that_is_asked(owner, one_account_each):
    merchant_keys.change("keyed", ALL, by=owner)
    old = keyed()
    reference = begun(make_user("reader"))
    move_to_another_account(owner)
    assert told_by(old, reference) == 200
    assert Order.objects.get().status == Order.Status.PAID


def test_row_67_a_payment_that_only_the_former_account_may_know_ends_with_a_case(owner, one_account_each, set_clock):
    merchant_keys.change("keyed", ALL, by=owner)
    begun(make_user("reader"))
    move_to_another_account(owner)
    payment = Payment.objects.get()
    assert payments.give_up(payment).status == Payment.Status.PENDING
    assert not Case.objects.exists()
    set_clock(payment.expires_at + payments.WATCH_MARGIN)
    assert [payments.give_up(payment).status for _ in range(2)] == [Payment.Status.CLOSED] * 2
    case = Case.objects.get()
    assert (case.kind, case.ref, case.data["gateway"]) == ("former_account", payment.ref, "keyed")


def test_what_nobody_opened_ends_without_a_case_while_the_keys_are_those_it_was_begun_with(
    owner, one_account_each, set_clock
):
    merchant_keys.change("keyed", {**ALL, "merchant_id": "M-1999999999"}, by=owner)
    begun(make_user("reader"))
    payment = Payment.objects.get()
    set_clock(payment.expires_at + payments.WATCH_MARGIN)
    assert payments.give_up(payment).status == Payment.Status.CLOSED
    assert not Case.objects.exists()


def test_an_attempt_with_another_kind_of_money_is_not_asked_of_the_keys_of_today(owner, monkeypatch, set_clock):
    merchant_keys.change("keyed", ALL, by=owner)
    begun(make_user("reader"))
    payment = Payment.objects.get()
    monkeypatch.setattr(KeyedGateway, "book", "live")
    assert payments.give_up(payment).open_key is None
    set_clock(payment.expires_at + payments.WATCH_MARGIN)
    assert payments.give_up(payment).status == Payment.Status.CLOSED


def test_a_notice_for_a_gateway_that_waits_for_keys_must_be_sent_again():
    answer = Client().post("/webhooks/keyed", b"{}", content_type="application/json")
    assert answer.status_code == 503


def test_a_payment_of_a_gateway_whose_keys_are_gone_waits(owner):
    merchant_keys.change("keyed", ALL, by=owner)
    begun(make_user("reader"))
    order = Order.objects.get()
    merchant_keys.change("keyed", {}, removed=list(ALL), by=owner)
    assert payments.refresh(order.payments.get()).status == "pending"
    with pytest.raises(payments.ProviderSilent):
        payments.start(order.pk, "keyed", notify_url="", return_url="")


def test_a_kept_row_is_bound_to_its_gateway(owner):
    merchant_keys.change("keyed", ALL, by=owner)
    row = MerchantKeys.objects.get()
    with pytest.raises(merchants.Unusable):
        merchants.unseal(merchants.place("sandbox", row.stamp), row.sealed)
    assert json.loads(json.dumps(merchants.kept("keyed"))) == ALL
