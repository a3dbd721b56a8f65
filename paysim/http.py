"""The little HTTP that the protocols need: a request, an answer, and a server with a thread for each."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

log = logging.getLogger(__name__)

# How long a request hangs that is never answered: longer than any client waits.
SILENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: `target` is path and query in bytes' order, as signatures need it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The body's fields, form-urlencoded, UTF-8."""
        return dict(parse_qsl(self.body.decode("utf-8"), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. `is_silent`: nothing at all, until the client gives up."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_silent: bool = False

    @classmethod
    def of_json(cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        body = json.dumps(data, ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})

    @classmethod
    def of_html(cls, text: str, status: int = 200) -> Answer:
        return cls(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"})

    @classmethod
    def redirect(cls, url: str) -> Answer:
        return cls(303, b"", {"Location": url})


App = Callable[[Asked], Answer]


class Server(ThreadingHTTPServer):
    """Serves an App on loopback; port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, app: App, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.app = app
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        try:
            answer = self.server.app(asked)
        except Exception:
            log.exception("%s %s", self.command, asked.path)
            answer = Answer.of_json({"error": "the simulator failed; see its log"}, 500)
        if answer.is_silent:
            time.sleep(SILENCE_SECONDS)
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815  the base class's names

    def log_message(self, format: str, *args: Any) -> None:  # the base class's name
        log.debug(format, *args)
