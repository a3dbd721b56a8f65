"""The page of merchant keys: owners alone, after the password; keys come in and never go out."""

from __future__ import annotations

import re

import environ
import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as site
from django.test import Client
from django.urls import reverse
from django.utils import translation

from config.settings import gateways
from paysim.keys import private_pem
from sishu.accounts import roles
from sishu.commerce import merchants
from sishu.commerce.models import MerchantKeysChange, TrialPurchase
from sishu.gateways.base import GatewayError, ScanCode, Started
from sishu.gateways.sandbox import SandboxGateway
from tests.factories.accounts import make_user
from tests.factories.commerce import bank
from tests.gateways.keyed import OTHER_SECRET, SECRET, entry

pytestmark = pytest.mark.django_db
ALL = {"merchant_id": "M-1234567890", "secret": SECRET, "notice_secrets": "a\nb", "region": ""}


@pytest.fixture(autouse=True)
def _two_gateways(settings):
    use(settings)
    yield
    merchants.forget()


def use(settings, **options) -> None:
    gateways = {"keyed": entry(**options), "sandbox": ("sishu.gateways.sandbox.SandboxGateway", {})}
    settings.PLUGINS = {**settings.PLUGINS, "gateways": gateways}
    merchants.forget()


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(make_user("owner", roles.OWNER))
    return client


URL = "/studio/merchants/keyed/"


def text(answer) -> str:
    return answer.content.decode()


def test_the_list_says_which_can_be_used_and_where_notices_go(owner):
    shown = text(owner.get(reverse("merchants:index")))
    assert "The keyed gateway needs merchant_id, secret." in shown
    assert f"{site.SITE_URL}/webhooks/keyed" in shown
    assert "Sandbox" in shown


PEM = private_pem(rsa.generate_private_key(65537, 2048))
# The commonest mistake with each: what was filled in, and what a Chinese owner reads.
MISTAKES = {
    "alipay": (
        {"app_id": "2021000100000001", "seller_id": "2088000000000001", "private_key": PEM, "public_key": "MIIB"},
        "ALIPAY_PUBLIC_KEY不是RSA公钥；请粘贴支付宝公钥，不要填自己的应用公钥。",
    ),
    "wechat": (
        {"app_id": "wx1", "mch_id": "1900000109", "private_key": PEM, "cert_serial": "5157F09E", "api_v3_key": "short"},
        "WECHAT_API_V3_KEY（APIv3密钥）应为32个字符，现在的长度不对。",
    ),
    "stripe": ({"secret_key": "pk_live_1"}, "STRIPE_SECRET_KEY没有设置，或不是Stripe的私钥："),
    "offline": ({"payee": "灯下私塾"}, "CNY收款账户缺少account、bank，没有人能向它转账。"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_chinese_owner_reads_chinese_about_a_gateway_without_keys_and_with_wrong_ones(owner, settings, name):
    env = environ.Env()
    env.ENVIRON = {}
    settings.PLUGINS = {**settings.PLUGINS, "gateways": {name: gateways.options(env)[name]}}
    merchants.forget()
    with translation.override("zh-hans"):
        without_keys = merchants.problem(name)
    keys, mistake = MISTAKES[name]
    page, chinese = f"/studio/merchants/{name}/", {"language": "zh-hans"}
    for answer in (owner.get(reverse("merchants:index"), chinese), owner.get(page, chinese)):
        assert without_keys in text(answer)
    assert re.search("缺少|没有", without_keys)
    answer = owner.post(f"{page}?language=zh-hans", keys)
    assert answer.status_code == 422
    assert mistake in text(answer)


def test_keys_come_in_and_never_go_out(owner):
    assert owner.post(URL, ALL).status_code == 302
    assert merchants.usable() == ["keyed", "sandbox"]
    shown = text(owner.get(URL))
    assert "ends in …7890" in shown
    for value in (SECRET, "M-1234567890", "a\nb"):
        assert value not in shown
    (change,) = MerchantKeysChange.objects.all()
    assert (change.changed_by.username, change.names) == ("owner", ["merchant_id", "notice_secrets", "secret"])
    assert "Merchant number, Notice secrets, Secret" in shown


def test_an_empty_field_stays_as_it_is_and_a_tick_removes(owner):
    owner.post(URL, ALL)
    owner.post(URL, {"secret": OTHER_SECRET, "remove:notice_secrets": "on"})
    made = merchants.gateway("keyed")
    assert (made.merchant_id, made.key, made.notice_secrets) == ("M-1234567890", OTHER_SECRET.encode(), [])


def test_what_was_refused_is_not_sent_back(owner):
    answer = owner.post(URL, {**ALL, "secret": "typed-wrongly-4711"})
    assert answer.status_code == 422
    assert "begins with secret-; this one does not" in text(answer)
    assert "typed-wrongly-4711" not in text(answer)
    assert not MerchantKeysChange.objects.exists()


def test_what_the_environment_sets_is_shown_as_such_and_has_no_field(owner, settings):
    use(settings, merchant_id="M-987654321", secret=SECRET)
    answer = owner.get(URL)
    shown = text(answer)
    assert "Set in the environment; ends in …4321." in shown
    assert "Set in the environment." in shown
    assert set(answer.context["form"].fields) == {"notice_secrets", "region", "stop_believing"}
    assert SECRET not in shown


def test_the_password_is_asked_first_and_keys_do_not_wait_in_the_session(owner):
    session = owner.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1
    session.save()
    answer = owner.post(URL, ALL)
    assert answer["Location"].startswith("/reauthenticate?next=")
    assert SECRET not in str(dict(owner.session))
    assert not MerchantKeysChange.objects.exists()


@pytest.mark.parametrize("role", [roles.FINANCE, roles.REVIEWER, roles.CREATOR, roles.SUPPORT, roles.MEMBER])
def test_nobody_else_changes_them(client, role):
    client.force_login(make_user("other", role))
    assert client.post(URL, ALL).status_code in {302, 403}
    assert not MerchantKeysChange.objects.exists()


def test_a_gateway_that_is_not_there_is_not_found(owner):
    assert owner.get("/studio/merchants/none/").status_code == 404


def test_a_gateway_without_keys_says_so(owner):
    assert "takes no keys" in text(owner.get("/studio/merchants/sandbox/"))


@pytest.mark.parametrize(
    "secret", ["%00", "x" * 20_001, "%E5%AF%86", "%ED%A0%BD", "%FF%FE", "-----BEGIN+PRIVATE+KEY-----"]
)
def test_bad_bytes_are_no_fault_of_ours(owner, secret):
    answer = owner.post(URL, f"merchant_id=M&secret={secret}", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 422
    assert not MerchantKeysChange.objects.exists()


# --- Trying a gateway -------------------------------------------------------------------------------------------------

TRIAL = "/studio/merchants/sandbox/trial/"


@pytest.mark.money
def test_a_trial_is_begun_paid_at_the_cashier_and_given_back(owner):
    begin = text(owner.get(TRIAL))
    assert "This is play money." in begin
    assert "¥0.01" in begin
    assert owner.post(TRIAL, {"amount": "1"})["Location"] == TRIAL
    trial = TrialPurchase.objects.get()
    shown = text(owner.get(TRIAL))
    assert f"/cashier/{trial.reference}" in shown
    assert 'http-equiv="refresh"' in shown
    assert owner.post(f"/cashier/{trial.reference}", {"ending": "pay"}).status_code == 303
    shown = text(owner.get(TRIAL))
    assert "It works: the money came, was booked, and went back." in shown
    assert 'http-equiv="refresh"' not in shown
    assert TrialPurchase.objects.get().status == "returned"
    assert bank().totals() == {"CNY": 0}


def test_a_code_is_drawn_for_who_pays_by_scanning(owner, monkeypatch):
    monkeypatch.setattr(SandboxGateway, "start", lambda self, request: Started(ScanCode("weixin://pay/abc")))
    owner.post(TRIAL, {"amount": "1"})
    assert 'src="data:image/svg+xml' in text(owner.get(TRIAL))


def test_what_the_provider_says_is_shown(owner, monkeypatch):
    def refuse(self, request):
        raise GatewayError("the merchant has no such product")

    monkeypatch.setattr(SandboxGateway, "start", refuse)
    owner.post(TRIAL, {"amount": "1"})
    assert "the merchant has no such product" in text(owner.get(TRIAL))


@pytest.mark.parametrize("amount", ["", "0", "7", "-1", "1e9", "\0"])
def test_an_amount_that_is_no_choice_begins_nothing(owner, amount):
    assert owner.post(TRIAL, {"amount": amount}).status_code == 422
    assert not TrialPurchase.objects.exists()


def test_a_gateway_without_keys_is_not_tried(owner):
    assert "needs merchant_id" in text(owner.get("/studio/merchants/keyed/trial/"))
    assert owner.post("/studio/merchants/keyed/trial/", {"amount": "1"}).status_code == 422
    assert not TrialPurchase.objects.exists()


@pytest.mark.parametrize("role", [roles.FINANCE, roles.MEMBER])
def test_nobody_else_tries_a_gateway(client, role):
    client.force_login(make_user("other", role))
    assert client.post(TRIAL, {"amount": "1"}).status_code in {302, 403}
    assert not TrialPurchase.objects.exists()
