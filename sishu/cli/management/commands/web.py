"""`sishu web`: the web server alone."""

from __future__ import annotations

import gc
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import get_resolver
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels


class Command(BaseCommand):
    help = (
        "Serve the site on HOST and PORT until told to stop. `sishu run` calls this, and prepares the database before."
    )

    # `sishu run` and `sishu doctor` check; here they would only delay the first page.
    requires_system_checks: list[str] = []

    def handle(self, **_options: Any) -> None:
        # Django is loaded by now, and so are our addresses; where processes fork, all workers share that one copy.
        _ = get_resolver().url_patterns
        gc.collect()
        gc.freeze()
        Granian(
            "config.wsgi:application",
            address=settings.HOST,
            port=int(settings.PORT),
            interface=Interfaces.WSGI,
            workers=settings.WEB_WORKERS,
            blocking_threads=settings.WEB_THREADS,
            # A thread keeps its database connection; do not end threads between two readers.
            blocking_threads_idle_timeout=600,
            websockets=False,
            log_level=LogLevels.warning,
            respawn_failed_workers=True,
            workers_kill_timeout=10,
        ).serve()
