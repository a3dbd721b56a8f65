"""The log is read by operators."""

from __future__ import annotations

import logging

from django.apps import apps
from django.utils import translation
from django.utils.translation import gettext_lazy

from sishu.core.logs import EnglishFormatter
from sishu.gateways.base import GatewayError

ERROR = GatewayError(gettext_lazy("WeChat Pay answered {said}."), said=500)
RECORD = logging.LogRecord("sishu", logging.WARNING, "", 0, "No answer: %s", (ERROR,), None)


def test_a_line_is_english_whoever_reads_the_page():
    with translation.override("zh-hans"):
        assert str(ERROR) == "微信支付返回500。"
        assert EnglishFormatter().format(RECORD) == "No answer: WeChat Pay answered 500."
        assert translation.get_language() == "zh-hans"


def test_the_log_of_the_house_is_written_so(settings):
    assert settings.LOGGING["formatters"]["line"]["class"] == f"{EnglishFormatter.__module__}.EnglishFormatter"


def test_before_there_are_languages_a_line_is_written_all_the_same(monkeypatch):
    monkeypatch.setattr(apps, "ready", False)
    plain = logging.LogRecord("sishu", logging.INFO, "", 0, "Starting", (), None)
    assert EnglishFormatter().format(plain) == "Starting"
