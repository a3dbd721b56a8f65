"""Sending notices as providers do: again and again on their schedule until the merchant says that it understood."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, RLock, Thread
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from paysim.clock import Clock
from paysim.faults import FaultKind, Faults

log = logging.getLogger(__name__)

# Seconds that a merchant has to answer.
TIMEOUT = 5.0

# Made when it is sent, so that a retry is signed anew: headers and body.
Compose = Callable[[], tuple[dict[str, str], bytes]]
# Whether a status and a body mean that the merchant understood.
Understood = Callable[[int, bytes], bool]


@dataclass(slots=True)
class Delivery:
    """One notice on its way; `answers` are the statuses the merchant gave (0: none at all)."""

    reference: str
    url: str
    compose: Compose
    understood: Understood
    schedule: Sequence[float]
    due_at: datetime
    answers: list[int] = field(default_factory=list)
    is_done: bool = False


# Sends headers and a body to an address: the status it got (0: no answer) and the answer's body.
Transport = Callable[[str, dict[str, str], bytes], tuple[int, bytes]]


class Notifier:
    """Deliveries of all protocols. `run_due` sends what is due by the simulator's clock; `serve` does so by itself.

    `transport` is HTTP, unless somebody who tests without a server puts another in its place.
    """

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self.clock = clock
        self.faults = faults
        self.transport: Transport = over_http
        self.deliveries: list[Delivery] = []
        self._lock = RLock()
        self._stop = Event()

    def add(
        self, *, reference: str, url: str, compose: Compose, understood: Understood, schedule: Sequence[float]
    ) -> None:
        """Owe a notice: the first time at once, then after each of `schedule`'s seconds."""
        if not url or self.faults.take(FaultKind.DROP_NOTICE, reference):
            return
        delay = self.faults.take(FaultKind.DELAY_NOTICE, reference)
        more = self.faults.take(FaultKind.DUPLICATE_NOTICE, reference)
        due_at = self.clock.now() + timedelta(seconds=float(delay.value) if delay else 0)
        with self._lock:
            for _ in range(1 + (int(more.value) or 1 if more else 0)):
                self.deliveries.append(Delivery(reference, url, compose, understood, schedule, due_at))
            if self.faults.take(FaultKind.REORDER_NOTICES, reference) and len(self.deliveries) > 1:
                self.deliveries.insert(-1, self.deliveries.pop())

    def run_due(self, *, limit: int = 1000) -> int:
        """Send what is due, oldest first. Returns how many were sent."""
        with self._lock:
            due = [one for one in self.deliveries if not one.is_done and one.due_at <= self.clock.now()][:limit]
            for one in due:
                later = one.schedule[len(one.answers)] if len(one.answers) < len(one.schedule) else None
                one.due_at = self.clock.now() + timedelta(seconds=later) if later is not None else datetime.max.replace(
                    tzinfo=self.clock.now().tzinfo
                )  # fmt: skip
        for one in due:
            status, body = self.transport(one.url, *one.compose())
            one.answers.append(status)
            one.is_done = one.understood(status, body)
        return len(due)

    def serve(self, *, every: float = 0.2) -> Thread:
        """Send what is due, until `stop`."""
        thread = Thread(target=self._loop, args=(every,), name="paysim-notices", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """End `serve`."""
        self._stop.set()

    def _loop(self, every: float) -> None:
        while not self._stop.wait(every):
            self.run_due()


def over_http(url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """POST, as providers do."""
    try:
        with urlopen(Request(url, data=body, headers=headers), timeout=TIMEOUT) as answer:  # noqa: S310
            return answer.status, answer.read(4096)
    except HTTPError as error:
        return error.code, error.read(4096)
    except (URLError, OSError) as error:
        log.info("No answer from %s: %s", url, error)
        return 0, b""
