"""The buyers and the worker of bench.contention."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from django.db import connections

from bench.inside import shop
from sishu.accounts.models import User
from sishu.commerce import orders, payments
from sishu.commerce.models import Order
from sishu.core import plugins
from sishu.ledger import check


def buy(offer_id: int, readers: list[int], seconds: float) -> tuple[list[float], list[str]]:
    """One buyer's life: purchase after purchase, each by another reader."""
    bank = plugins.load("gateways", "sandbox").bank
    times, errors = [], []
    end = time.perf_counter() + seconds
    for user in User.objects.filter(pk__in=readers):
        if time.perf_counter() > end:
            break
        began = time.perf_counter()
        try:
            order = orders.place(user, offer_id, language="en")
            payment, _ = payments.start(order.pk, "sandbox", notify_url="http://127.0.0.1:9/", return_url="/")
            bank.pay(payment.reference)
            payments.refresh(payment)
        except Exception as error:  # noqa: BLE001  whatever it is, it is what we came to count
            errors.append(f"{type(error).__name__}: {error}")
        times.append(time.perf_counter() - began)
    return times, errors


def run(buyers: int, seconds: float) -> dict[str, Any]:
    """Figures of one run on this installation."""
    offer_id, readers = shop.fill(readers=buyers * max(200, int(seconds * 40)))
    connections.close_all()
    share = len(readers) // buyers
    worker = subprocess.Popen([sys.executable, "-m", "sishu.cli.main", "worker"], stderr=subprocess.PIPE, text=True)
    parts = [readers[n * share : (n + 1) * share] for n in range(buyers)]
    with ProcessPoolExecutor(buyers, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(buy, [offer_id] * buyers, parts, [seconds] * buyers))
    worker.terminate()
    complaints = worker.communicate(timeout=60)[1]
    times = sorted(t for part, _ in results for t in part)
    errors = [e for _, part in results for e in part]
    return {
        "buyers": buyers, "seconds": seconds, "orders": len(times), "orders_per_s": round(len(times) / seconds, 1),
        "p50_ms": round(1000 * statistics.median(times), 1), "p99_ms": round(1000 * times[int(len(times) * 0.99)], 1),
        "max_ms": round(1000 * times[-1], 1), "errors": len(errors), "first_error": errors[0] if errors else "",
        "locked": sum("locked" in e for e in errors) + complaints.count("locked"),
        "paid": Order.objects.filter(status=Order.Status.PAID).count(), "faults": [str(f) for f in check.faults()],
    }  # fmt: skip


if __name__ == "__main__":
    figures = run(int(sys.argv[1]), float(sys.argv[2]))
    print(json.dumps(figures))
    if figures["locked"] or figures["errors"] or figures["faults"]:
        sys.exit(1)
