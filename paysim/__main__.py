"""`python -m paysim`: serve the simulator, and move it from a second terminal."""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from paysim import app, control, providers
from paysim.simulator import Simulator

DEFAULT_PORT = 8020


def main(arguments: list[str] | None = None) -> int:
    """Serve, or say one thing to a simulator that runs. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="paysim", description=__doc__)
    address = argparse.ArgumentParser(add_help=False)
    address.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"default {DEFAULT_PORT}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", parents=[address], help="run until Ctrl-C")
    serve.add_argument("--folder", type=Path, default=Path("var/paysim"), help="where its keys are kept")
    serve.add_argument("--seed", type=int, default=0, help="for faults that come by chance")
    commands.add_parser("state", parents=[address], help="everything it knows, as JSON")
    commands.add_parser(
        "environment", parents=[address], help="the settings with which a merchant reaches it, as lines for .env"
    )
    for name, function in control.ACTIONS.items():
        action = commands.add_parser(name.replace("_", "-"), parents=[address], help=function.__doc__)
        action.add_argument("said", nargs="*", metavar="name=value")
    chosen = parser.parse_args(arguments)
    if chosen.command == "serve":
        return run(chosen.folder, chosen.port, chosen.seed)
    return ask(chosen.port, chosen.command, getattr(chosen, "said", []))


def run(folder: Path, port: int, seed: int) -> int:
    """Serve all protocols until Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="paysim: %(message)s")
    sim = Simulator(folder, seed=seed)
    for provider in providers.all_of(sim):
        sim.add(provider)
    try:
        server = app.serve(sim, port=port)
    except OSError as error:
        print(f"Port {port} cannot be had: {error.strerror}. Name another: --port", file=sys.stderr)
        return 1
    sim.notifier.serve()
    print(f"paysim is at {server.url} (Ctrl-C ends it). Settings for a merchant:\n")
    print("\n".join(lines(sim.environment())), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sim.notifier.stop()
    return 0


def ask(port: int, command: str, said: list[str]) -> int:
    """Say one thing to the simulator that runs at this port."""
    name = command.replace("-", "_")
    pairs = dict(pair.partition("=")[::2] for pair in said)
    body = (
        None if name in ("state", "environment") else json.dumps({key: value_of(text) for key, text in pairs.items()})
    )
    try:
        with urlopen(
            Request(f"http://127.0.0.1:{port}/control/{name}", None if body is None else body.encode())
        ) as answer:
            data = json.load(answer)
    except HTTPError as error:
        print(error.read().decode(), file=sys.stderr)
        return 1
    except URLError as error:
        print(f"No simulator at port {port}: {error.reason}. Start one: paysim serve", file=sys.stderr)
        return 1
    print("\n".join(lines(data)) if name == "environment" else json.dumps(data, ensure_ascii=False, indent=2))
    return 0


def lines(environment: dict[str, str]) -> list[str]:
    """As a shell and a .env file read them."""
    return [f"{key}={shlex.quote(value)}" for key, value in environment.items()]


def value_of(text: str) -> str | int | float | bool:
    """A number or a truth as JSON has it; else the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | bool) and len(text) < 12 else text


if __name__ == "__main__":
    sys.exit(main())
