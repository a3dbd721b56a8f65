"""The payment simulator as a test runs it: over real sockets, beside the house, moved by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from threading import Thread

import environ
from django.conf import settings

from config.settings.plugins import plugins
from paysim import app, providers
from paysim.simulator import Simulator

# Keys are slow to make, and may serve every run.
KEYS = Path(gettempdir()) / "sishu-test-paysim-keys"


@contextmanager
def running(*, seed: int = 0) -> Iterator[Simulator]:
    """A simulator of its own that answers until the block ends. Its notices go out by `sim.notifier.run_due()`."""
    sim = Simulator(KEYS, seed=seed)
    for provider in providers.all_of(sim):
        sim.add(provider)
    server = app.serve(sim)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield sim
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def use(sim: Simulator, *names: str) -> None:
    """Let the house take money through these gateways of the simulator, and its own sandbox."""
    env = environ.Env()  # not the one that reads files: copying it would open every NAME_FILE of this machine
    env.ENVIRON = {**os.environ, **sim.environment()}
    settings.PLUGINS = {**settings.PLUGINS, **plugins(env, gateways=[*names, "sandbox"])}
