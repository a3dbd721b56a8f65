"""Why a gateway cannot be used: to each reader in their language, on the command line in English, and at start."""

from __future__ import annotations

import environ
import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.utils import translation

from config.settings import gateways
from sishu.commerce import merchants
from tests.gateways.keyed import entry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _anew():
    merchants.forget()
    yield
    merchants.forget()


@pytest.fixture
def keyless(settings):
    """Lets the house have one of its own gateways alone, with nothing in the environment."""

    def use(name: str) -> None:
        env = environ.Env()
        env.ENVIRON = {}
        settings.PLUGINS = {**settings.PLUGINS, "gateways": {name: gateways.options(env)[name]}}

    return use


def complaints() -> list[checks.CheckMessage]:
    return [found for found in checks.run_checks() if found.id in {"sishu.E001", "sishu.W001"}]


def test_each_reader_is_told_in_their_language(keyless):
    keyless("alipay")
    english = "Alipay needs ALIPAY_APP_ID, ALIPAY_SELLER_ID, ALIPAY_PRIVATE_KEY; or take alipay out of GATEWAYS."
    chinese = (
        "支付宝缺少ALIPAY_APP_ID、ALIPAY_SELLER_ID、ALIPAY_PRIVATE_KEY；如果不用支付宝，请把alipay从GATEWAYS中去掉。"
    )
    for language, said in [("en", english), ("zh-hans", chinese), ("en", english)]:
        with translation.override(language):
            assert merchants.problem("alipay") == said


def test_what_a_plug_in_says_stays_as_it_is(settings):
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"keyed": entry()}}
    with translation.override("zh-hans"):
        assert merchants.problem("keyed") == "The keyed gateway needs merchant_id, secret."


def test_what_is_remembered_of_a_failure_holds_no_key(keyless):
    """Why it failed, but not the failure: its frames have the keys in them."""
    keyless("stripe")
    with translation.override("en"):
        assert merchants.problem("stripe").startswith("STRIPE_SECRET_KEY is not set")
    (_stamp, sentence) = merchants._remembered.failed["stripe"]
    assert not isinstance(sentence, Exception)


def test_the_command_line_says_in_english_what_a_gateway_misses(keyless):
    keyless("wechat")
    with translation.override("zh-hans"):
        (found,) = complaints()
        with pytest.raises(CommandError, match="WeChat Pay needs WECHAT_APP_ID, WECHAT_MCH_ID"):
            call_command("reconcile")
        assert translation.get_language() == "zh-hans"
    assert "WeChat Pay needs WECHAT_APP_ID, WECHAT_MCH_ID" in found.msg


def test_the_house_starts_without_keys_that_can_be_entered_later(settings):
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"keyed": entry()}}
    (found,) = complaints()
    assert (found.level, found.id) == (checks.WARNING, "sishu.W001")
    assert "needs merchant_id, secret" in found.msg
    assert "Merchant keys" in found.hint


@pytest.mark.parametrize(
    "broken",
    [
        ("tests.gateways.keyed.KeydGateway", {}),
        entry(secrte="typed wrongly"),
        ("tests.gateways.keyed.KeyedGateway", {}),
    ],
)
def test_the_house_does_not_start_with_a_typing_error(settings, broken):
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"keyed": broken}}
    assert [found.id for found in complaints()] == ["sishu.E001"]


def test_row_69_play_money_where_it_must_not_be_is_no_start(settings):
    settings.DEBUG = settings.ALLOW_SANDBOX = False
    sandbox = ("sishu.gateways.sandbox.SandboxGateway", {})
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {"keyed": entry(), "sandbox": sandbox}}
    assert {(found.level, "SISHU_ALLOW_SANDBOX" in found.msg) for found in complaints()} == {(checks.ERROR, True)}
