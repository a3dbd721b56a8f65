"""A tiny site that serves the built bundle under the policy every public page has."""

from __future__ import annotations

import html
import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

HERE = Path(__file__).parent
BUILD = HERE.parents[2] / "sishu/web/static/build"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TYPES = {".css": "text/css", ".js": "text/javascript", ".woff2": "font/woff2"}
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="300"><rect width="600" height="300"/></svg>'
PREVIEW, WHOLE = 30, 120  # paragraphs a stranger and a buyer get


def paragraphs(count: int) -> str:
    text = "每个月的最后一个周五，我会做一件同事觉得多余的事：随机挑一个晚上的备份，把它恢复到一台空机器上。"
    return "\n".join(f"<p>第 {number} 段。{text}</p>" for number in range(count))


class Site(ThreadingHTTPServer):
    """Runs until closed; `body` is what the writer's textarea holds, `posts` what arrived."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.body = ""
        self.paid = False
        self.version = 1
        self.answer_with: HTTPStatus | None = None
        self.posts: list[tuple[str, str, bytes]] = []
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server: Site

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = Path(self.path.split("?")[0])
        pages = {"/": "writer.html", "/article": "article.html", "/studio": "studio.html"}
        if str(path) in pages:
            page = (HERE / pages[str(path)]).read_text()
            text = paragraphs(WHOLE if self.server.paid else PREVIEW)
            page = page.replace("{{ body }}", html.escape(self.server.body)).replace("{{ paragraphs }}", text)
            self.reply(page.encode(), "text/html; charset=utf-8")
        elif path.parts[1] == "build":
            self.reply((BUILD / path.relative_to("/build")).read_bytes(), TYPES[path.suffix])
        elif path.parts[1] == "writing":
            self.reply(PICTURE, "image/svg+xml")
        elif path.parts[1] == "pay":
            self.server.paid = True
            self.reply(b"<link rel=icon href=data:,><a href='/article#continue'>back</a>", "text/html")
        else:
            self.reply(b"", "text/plain", HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, self.headers.get("X-CSRFToken", ""), body))
        if self.server.answer_with:
            self.answer({"message": "图片太大"}, self.server.answer_with)
        elif self.path == "/writing/images":
            self.answer({"id": 43, "url": "/writing/images/43", "alt": "一盏灯"})
        elif self.path == "/writing/files":
            self.answer({"id": 8, "title": "清单"})
        else:
            self.server.version += 1
            self.answer({"version": self.server.version})

    def answer(self, value: dict[str, object], status: HTTPStatus = HTTPStatus.OK) -> None:
        self.reply(json.dumps(value).encode(), "application/json", status)

    def reply(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)
