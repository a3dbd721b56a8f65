"""How far long work is, on the error stream, while a person looks."""

from __future__ import annotations

from typing import TextIO

WIDTH = 24


class Progress:
    """One line that is written over; nothing where the stream is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream if stream.isatty() else None

    def show(self, done: int, whole: int, what: str) -> None:
        if self.stream:
            filled = WIDTH * done // max(whole, 1)
            self._write(f"[{'#' * filled}{'·' * (WIDTH - filled)}] {done}/{whole} {what}")

    def say(self, what: str) -> None:
        self._write(what)

    def clear(self) -> None:
        self._write("")

    def _write(self, text: str) -> None:
        if self.stream:
            self.stream.write(f"\r\033[K{text}")
            self.stream.flush()
