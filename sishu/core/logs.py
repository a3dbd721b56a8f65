"""How lines of the log are written."""

from __future__ import annotations

import logging

from django.apps import apps
from django.utils import translation


class EnglishFormatter(logging.Formatter):
    """Writes what is translated lazily in English, whatever language the person reads for whom something was done."""

    def format(self, record: logging.LogRecord) -> str:
        if not apps.ready:
            return super().format(record)  # no language can be chosen yet
        with translation.override("en"):
            return super().format(record)
