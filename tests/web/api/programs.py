"""Programs that talk to the API."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from sishu.accounts import tokens
from sishu.accounts.models import User


class Program:
    """A client that sends JSON, and a token if it speaks for somebody."""

    def __init__(self, user: User | None = None, *, scope: str = "write", **headers: str) -> None:
        self.client = Client()
        self.headers = headers
        if user is not None:
            _token, secret = tokens.issue(user, "test", scope=scope)
            self.headers["Authorization"] = f"Bearer {secret}"

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1{path}", query, headers=self.headers)

    def post(self, path: str, data: Any = None) -> Any:
        return self.send("POST", path, data)

    def put(self, path: str, data: Any = None) -> Any:
        return self.send("PUT", path, data)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path)

    def send(self, method: str, path: str, data: Any = None, content_type: str = "application/json") -> Any:
        body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
        return self.client.generic(method, f"/api/v1{path}", body, content_type, headers=self.headers)


def is_problem(response: Any, status: int, code: str) -> bool:
    """Whether a response is that refusal, in the form of RFC 9457."""
    assert response["Content-Type"] == "application/problem+json", response.content
    body = response.json()
    return (response.status_code, body["status"], body["code"]) == (status, status, code) and bool(body["detail"])
