"""The page where a buyer pays at a provider; here with a button for each way in which that can end."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from string import Template

from paysim.bank import Charge, Refused, Status
from paysim.http import Answer, Asked
from paysim.simulator import Simulator

ENDINGS = {
    "pay": "付款成功 · The payment succeeds",
    "twice": "重复付款 · It is paid twice",
    "late": "过期后付款 · It is paid after its time",
    "fail": "付款失败 · The payment fails",
    "leave": "关闭窗口 · The window is closed",
}

STATUSES = {
    Status.WAITING: "待付款 · waiting",
    Status.PAID: "已付款 · paid",
    Status.FAILED: "失败 · failed",
    Status.CLOSED: "已关闭 · closed",
}

WITHOUT_MINOR_UNITS = {"JPY", "KRW", "VND"}

HEAD = """\
<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>paysim</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif }
body { max-width: 28rem; margin: 3rem auto; padding: 0 1rem }
h1 { font-size: 1.25rem; overflow-wrap: anywhere }
button { display: block; width: 100%; margin: .6rem 0; padding: .8rem; font: inherit; text-align: start }
strong { font-size: 2rem } p.note { opacity: .75 }
</style></head><body><p class="note">模拟收银台，不动真钱 · <span lang="en">Simulated cashier: no real money moves</span></p>
"""
UNKNOWN = HEAD + '<h1>没有这笔付款 · <span lang="en">No such payment</span></h1></body></html>'
PAGE = Template(
    HEAD
    + """<h1>$provider · $title</h1><p><strong>$money</strong></p>
<p class="note">$status<br>$reference</p><form method="post">$buttons</form></body></html>"""
)


def handle(sim: Simulator, asked: Asked) -> Answer:
    """/cashier/<provider>/<reference>: GET shows the charge, POST ends it as chosen and leads back to the merchant."""
    parts = asked.path.strip("/").split("/")
    charge = sim.bank.find(parts[1], parts[2]) if len(parts) == 3 else None
    if charge is None:
        return Answer.of_html(UNKNOWN, 404)
    if asked.method == "POST":
        end(sim, charge, asked.form.get("ending", ""))
        return Answer.redirect(charge.return_url) if charge.return_url else Answer.of_html(show(charge))
    return Answer.of_html(show(charge))


def end(sim: Simulator, charge: Charge, ending: str) -> None:
    """Let the bank do what was chosen; what was decided before stays so."""
    try:
        if ending == "pay":
            sim.bank.pay(charge.provider, charge.reference)
        elif ending == "twice":
            sim.bank.pay(charge.provider, charge.reference, times=2)
        elif ending == "late" and charge.expires_at is not None:
            sim.bank.pay(charge.provider, charge.reference, at=charge.expires_at + timedelta(minutes=1))
        elif ending == "fail":
            sim.bank.fail(charge.provider, charge.reference)
    except Refused:
        return


def show(charge: Charge) -> str:
    """The page."""
    buttons = "".join(
        f'<button name="ending" value="{key}">{label}</button>' for key, label in ENDINGS.items()
    ) if charge.status == Status.WAITING else ""  # fmt: skip
    return PAGE.substitute(
        provider=escape(charge.provider), title=escape(charge.title), reference=escape(charge.reference),
        money=f"{escape(charge.currency)} {in_major_units(charge.amount, charge.currency)}", status=STATUSES[charge.status], buttons=buttons,
    )  # fmt: skip


def in_major_units(amount: int, currency: str) -> str:
    """As people write it: 990 fen are 9.90."""
    return str(amount) if currency in WITHOUT_MINOR_UNITS else f"{amount // 100}.{amount % 100:02d}"
