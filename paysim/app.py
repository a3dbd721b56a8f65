"""One address for all of it: what merchants' clients talk to, the cashier, and what moves the simulator from outside."""

from __future__ import annotations

from paysim import cashier, control
from paysim.http import Answer, Asked, Server
from paysim.simulator import Simulator


def serve(sim: Simulator, *, host: str = "127.0.0.1", port: int = 0) -> Server:
    """A server for a simulator, bound and not yet running; its address is known from here on."""
    server = Server(lambda asked: handle(sim, asked), host=host, port=port)
    sim.base_url = server.url
    return server


def handle(sim: Simulator, asked: Asked) -> Answer:
    """Lead a request to whom it is for."""
    first = asked.path.split("/")[1]
    if first in sim.providers:
        return sim.providers[first].handle(asked)
    if first == "cashier":
        return cashier.handle(sim, asked)
    if first == "control":
        return control.handle(sim, asked)
    return Answer.of_json({"error": f"Nothing at {asked.path}.", "providers": list(sim.providers)}, 404)
