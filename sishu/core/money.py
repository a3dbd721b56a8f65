"""Money: an integer count of a currency's minor units. No floats, no Decimals, no strings pass this border."""

from __future__ import annotations

from dataclasses import dataclass

# ISO 4217 minor-unit digits of the currencies whose count is not two.
DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "JOD": 3}
SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "JP¥", "HKD": "HK$"}

# Amounts live in signed 64-bit columns; one order of magnitude is kept free for sums.
MAX_AMOUNT = 10**17


def check_amount(amount: object, *, least: int = 0) -> int:
    """Return `amount` if it is a plain int in [least, MAX_AMOUNT]; databases round or store anything else silently."""
    if type(amount) is not int:
        raise TypeError(f"Money is an int of minor units, not {type(amount).__name__} {amount!r}.")
    if not least <= amount <= MAX_AMOUNT:
        raise ValueError(f"Amount {amount} is outside {least}…{MAX_AMOUNT} minor units.")
    return amount


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units of an ISO 4217 currency: Money(990, "CNY") is nine yuan ninety."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        check_amount(self.amount, least=-MAX_AMOUNT)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other).amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        sign = "−" if self.amount < 0 else ""
        return f"{sign}{SYMBOLS.get(self.currency, self.currency + ' ')}{self.decimal(grouped=True)}"

    def as_json(self) -> dict[str, int | str]:
        """The form that JSON keeps: Money(**kept) is this again."""
        return {"amount": self.amount, "currency": self.currency}

    def decimal(self, *, grouped: bool = False) -> str:
        """The unsigned amount in major units, "9.90"; grouped by thousands where asked."""
        digits = DIGITS.get(self.currency, 2)
        whole, rest = divmod(abs(self.amount), 10**digits)
        text = f"{whole:,}" if grouped else str(whole)
        return f"{text}.{rest:0{digits}d}" if digits else text

    def short(self) -> str:
        """As str(), without a zero fraction: ¥30, ¥9.90."""
        text = str(self)
        return text.removesuffix("." + "0" * DIGITS.get(self.currency, 2)) if DIGITS.get(self.currency, 2) else text

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"Cannot mix {self.currency} and {other.currency}.")
        return other


def parse_decimal(text: str, currency: str) -> int:
    """Minor units of a major-unit decimal as people type it: "9.9" → 990. ValueError when it is not exact."""
    return parse_fixed(text, DIGITS.get(currency, 2))


def parse_fixed(text: str, digits: int) -> int:
    """A decimal as an int of its last kept place: "9.9" with two digits → 990. ValueError when it is not exact."""
    whole, _, rest = text.strip().replace(",", "").partition(".")
    if not whole.isascii() or not whole.isdigit() or (rest and (not rest.isascii() or not rest.isdigit())):
        raise ValueError(f"{text!r} is not an amount.")
    if len(rest.rstrip("0")) > digits:
        raise ValueError(f"{text!r} has more than {digits} decimals.")
    return check_amount(int(whole) * 10**digits + int((rest[:digits] or "0").ljust(digits, "0") if digits else "0"))
