"""How Alipay writes things: JSON, money, moments, and what is wrong with a request."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from paysim.china import CHINA

AMOUNT = re.compile(r"(\d{1,9})(?:\.(\d{1,2}))?")
MESSAGES = {
    "10000": "Success", "20000": "Service Currently Unavailable", "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments", "40004": "Business Failed",
}  # fmt: skip


class Problem(Exception):
    """An error as Alipay says it. Those of the gateway itself are not signed."""

    def __init__(self, code: str, sub_code: str, message: str, *, is_signed: bool = True) -> None:
        super().__init__(message)
        self.code, self.sub_code, self.is_signed = code, sub_code, is_signed

    def said(self) -> dict[str, str]:
        return {"code": self.code, "msg": MESSAGES[self.code], "sub_code": self.sub_code, "sub_msg": str(self)}


def business(sub_code: str, message: str) -> Problem:
    """A no to what was asked."""
    return Problem("40004", sub_code, message)


def unsigned(code: str, sub_code: str, message: str) -> Problem:
    """A no of the gateway's, which does not know who asks."""
    return Problem(code, sub_code, message, is_signed=False)


def require(fits: bool, field: str) -> None:
    if not fits:
        raise business("ACQ.INVALID_PARAMETER", f"参数无效: {field}")


def dumps(data: Any) -> str:
    """UTF-8, with every slash escaped."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")


def moment(at: datetime) -> str:
    """China's time, without saying so."""
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def read_moment(text: str) -> datetime:
    """With seconds or without."""
    for shape in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"):
        try:
            return datetime.strptime(text, shape).replace(tzinfo=CHINA)
        except ValueError:
            continue
    raise business("ACQ.INVALID_PARAMETER", "参数无效: time_expire")


def fen(text: object) -> int:
    """What a sum in yuan is."""
    found = AMOUNT.fullmatch(str(text))
    if found is None:
        raise business("ACQ.INVALID_PARAMETER", "参数无效: 金额")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
