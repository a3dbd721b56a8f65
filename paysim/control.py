"""Moving the simulator from outside, as JSON over HTTP: for tests in any language, and for `python -m paysim`.

GET /control/state. POST /control/<action> with a JSON body; what each takes stands in `ACTIONS`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from paysim.bank import Refused
from paysim.faults import Fault, FaultKind
from paysim.http import Answer, Asked
from paysim.simulator import Simulator


def pay(sim: Simulator, said: dict[str, Any]) -> Any:
    """provider, reference; times=1, late=seconds after its end, again=false: the buyer pays."""
    charge = sim.bank.find(said["provider"], said["reference"])
    at = None
    if "late" in said and charge is not None and charge.expires_at is not None:
        at = charge.expires_at + timedelta(seconds=float(said["late"]))
    return sim.bank.pay(
        said["provider"], said["reference"], times=int(said.get("times", 1)), at=at, again=bool(said.get("again"))
    )


def fail(sim: Simulator, said: dict[str, Any]) -> Any:
    """provider, reference: the buyer's bank says no."""
    return sim.bank.fail(said["provider"], said["reference"])


def refund(sim: Simulator, said: dict[str, Any]) -> Any:
    """provider, reference, amount: money goes back by the provider's own console."""
    number = sim.bank.new_number()
    return sim.bank.refund(
        said["provider"], said["reference"], refund_reference=number, amount=int(said["amount"]), is_external=True
    )[0]


def settle_refund(sim: Simulator, said: dict[str, Any]) -> Any:
    """provider, reference, refund_reference; ok=true: a refund on its way arrives, or comes to nothing."""
    return sim.bank.settle_refund(
        said["provider"], said["reference"], said["refund_reference"], ok=bool(said.get("ok", True))
    )


def dispute(sim: Simulator, said: dict[str, Any]) -> Any:
    """provider, reference; amount=all, fee=0: the buyer objects."""
    return sim.bank.dispute(said["provider"], said["reference"], amount=said.get("amount"), fee=int(said.get("fee", 0)))


def decide_dispute(sim: Simulator, said: dict[str, Any]) -> Any:
    """provider, reference, won: the objection is decided."""
    return sim.bank.decide_dispute(said["provider"], said["reference"], won=bool(said["won"]))


def fault(sim: Simulator, said: dict[str, Any]) -> Any:
    """kind; reference=any, value=0, times=1: something goes wrong at the next moment that fits."""
    one = Fault(
        FaultKind(said["kind"]), str(said.get("reference", "")), said.get("value", 0), int(said.get("times", 1))
    )
    sim.faults.add(one)
    return one


def chance(sim: Simulator, said: dict[str, Any]) -> Any:
    """kind, rate; value=0: something goes wrong with that probability each time it could."""
    sim.faults.by_chance(FaultKind(said["kind"]), float(said["rate"]), said.get("value", 0))
    return said


def calm(sim: Simulator, said: dict[str, Any]) -> Any:
    """Nothing goes wrong any more."""
    sim.faults.clear()
    return said


def advance(sim: Simulator, said: dict[str, Any]) -> Any:
    """seconds: the clock moves on; what is due is sent with the next `deliver`, or by itself."""
    return {"now": sim.clock.advance(float(said["seconds"]))}


def bills_at_once(sim: Simulator, said: dict[str, Any]) -> Any:
    """A day's bill is there at once, and not only on the next morning: for whoever cannot wait."""
    sim.bills_at_once = True
    return said


def deliver(sim: Simulator, said: dict[str, Any]) -> Any:
    """Send the notices that are due."""
    return {"sent": sim.notifier.run_due()}


ACTIONS: dict[str, Callable[[Simulator, dict[str, Any]], Any]] = {
    function.__name__: function
    for function in (
        pay,
        fail,
        refund,
        settle_refund,
        dispute,
        decide_dispute,
        fault,
        chance,
        calm,
        advance,
        bills_at_once,
        deliver,
    )
}


def handle(sim: Simulator, asked: Asked) -> Answer:
    """One order from outside. 400 for what cannot be understood, 409 for what the bank refuses."""
    name = asked.path.rpartition("/")[2]
    if asked.method == "GET" and name == "state":
        return Answer.of_json(_plain(state(sim)))
    if asked.method == "GET" and name == "environment":
        return Answer.of_json(sim.environment())
    if asked.method != "POST" or name not in ACTIONS:
        known = {name: function.__doc__ for name, function in ACTIONS.items()}
        return Answer.of_json({"error": f"No action {name!r}.", "known": known}, 404)
    try:
        said = json.loads(asked.body or b"{}")
        return Answer.of_json(_plain(ACTIONS[name](sim, said)))
    except Refused as error:
        return Answer.of_json({"error": str(error), "code": error.code}, 409)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Answer.of_json({"error": f"{type(error).__name__}: {error}", "takes": ACTIONS[name].__doc__}, 400)


def state(sim: Simulator) -> dict[str, Any]:
    """All charges, the totals of each provider, and what became of the notices."""
    return {
        "now": sim.clock.now(),
        "charges": [charge for name in sim.providers for charge in sim.bank.charges(name)],
        "books": {name: sim.bank.books(name) for name in sim.providers},
        "notices": [
            {"reference": one.reference, "url": one.url, "answers": one.answers, "is_done": one.is_done}
            for one in sim.notifier.deliveries
        ],
    }


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value))
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value
