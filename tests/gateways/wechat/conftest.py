"""WeChat Pay and its merchant's gateway."""

from __future__ import annotations

import pytest

from sishu.gateways.wechat import WechatGateway


@pytest.fixture
def gateway_class():
    return WechatGateway


@pytest.fixture
def wechat(simulator):
    """The provider's side."""
    return simulator.providers["wechat"]
