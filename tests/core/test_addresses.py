"""The addresses that lower packages write are those that `web` answers."""

from __future__ import annotations

from django.urls import reverse

from sishu.core import addresses


def test_every_address_is_a_route():
    assert addresses.picture(7, 960) == reverse("picture", args=[7, 960])
    assert addresses.attachment(7) == reverse("attachment", args=[7])
    assert addresses.webhook("alipay") == reverse("webhook", args=["alipay"])
    assert addresses.cashier("pay0001") == reverse("cashier", args=["pay0001"])
    assert reverse("account_email_verification_sent") == addresses.VERIFY_EMAIL


def test_an_absolute_address_is_ascii(settings):
    settings.SITE_URL = "https://example.org"
    assert addresses.absolute("/私塾/") == "https://example.org/%E7%A7%81%E5%A1%BE/"
