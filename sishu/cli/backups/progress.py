"""How far long work has come, for somebody who watches."""

from __future__ import annotations

import sys


class Meter:
    """Prints a percentage, or megabytes where the whole is not known; nothing where nobody watches."""

    def __init__(self, label: str, total: int = 0) -> None:
        self._label, self._total, self._done, self._shown = label, total, 0, ""
        self._is_watched = sys.stderr.isatty()

    def __call__(self, count: int) -> None:
        """So many bytes more."""
        self._done += count
        if not self._is_watched:
            return
        share = min(100, self._done * 100 // self._total) if self._total else 0
        text = f"{share} %" if self._total else f"{self._done // 1_000_000} MB"
        if text != self._shown:
            self._shown = text
            sys.stderr.write(f"\r{self._label} … {text} ")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._shown:
            sys.stderr.write("\n")
