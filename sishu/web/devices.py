"""What the buyer holds, and where they are, as far as a payment provider asks."""

from __future__ import annotations

import re

from allauth.account.adapter import get_adapter
from django.http import HttpRequest

from sishu.gateways.base import Device

# WeChat at a desk carries its name too, but one pays there as at any desk: by scanning.
WEIXIN = re.compile(r"MicroMessenger/")
DESK = re.compile(r"WindowsWechat|MacWechat|Windows NT|Macintosh")
MOBILE = re.compile(r"Mobile|Android|iPhone|iPod")


def device_of(request: HttpRequest) -> Device:
    """The device by the browser's own word; a desk when it says nothing."""
    agent = request.headers.get("User-Agent", "")[:1000]
    if DESK.search(agent):
        return Device.DESKTOP
    if WEIXIN.search(agent):
        return Device.WEIXIN
    return Device.MOBILE if MOBILE.search(agent) else Device.DESKTOP


def client_ip(request: HttpRequest) -> str:
    """The buyer's address, behind as many proxies as the settings trust."""
    return str(get_adapter(request).get_client_ip(request))
