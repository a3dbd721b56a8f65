"""What a buyer's browser meets of WeChat: the page that recognises them, and the ways to the cashier."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from paysim.bank import Charge
from paysim.http import Answer, Asked
from paysim.providers.wechat_merchant import Counterpart

# How long the address of an H5 payment may be opened.
H5_LIFETIME = timedelta(minutes=5)


class Pages:
    """Who the buyers are, and where they pay."""

    def __init__(self, provider: Counterpart) -> None:
        self.provider = provider
        self.sim = provider.sim
        self._codes: dict[str, str] = {}
        self._people: set[str] = set()

    def handle(self, path: str, asked: Asked) -> Answer:
        """All that is not below /v3/."""
        pages = {"/oauth2/authorize": self.authorize, "/sns/oauth2/access_token": self.token, "/h5": self.h5}
        return pages[path](asked) if path in pages else Answer.of_html("<p>Nothing here.</p>", 404)

    def knows(self, openid: str) -> bool:
        """Whether this is a buyer of ours."""
        return openid in self._people

    def somebody(self) -> str:
        """A buyer nobody asked after."""
        openid = f"o{secrets.token_urlsafe(20)[:27]}"
        self._people.add(openid)
        return openid

    def way_to_pay(self, charge: Charge) -> dict[str, Any]:
        """What beginning a payment answers. The code of a scan leads to the cashier, not to an app nobody has here."""
        if charge.product == "native":
            return {"code_url": f"{self.sim.base_url}/cashier/{charge.provider}/{charge.reference}"}
        if charge.product == "h5":
            package = urlencode({"prepay_id": charge.extra["prepay_id"], "package": charge.provider_reference})
            return {"h5_url": f"{self.provider.url}/h5?{package}"}
        return {"prepay_id": charge.extra["prepay_id"]}

    def h5(self, asked: Asked) -> Answer:
        """The page of an H5 payment, which calls the app, and later leads to `redirect_url`."""
        charge = self.sim.bank.find(self.provider.name, asked.query.get("package", ""))
        if charge is None or charge.created_at + H5_LIFETIME < self.sim.clock.now():
            return Answer.of_html("<p>支付链接已失效 · This address has expired.</p>", 410)
        charge.return_url = asked.query.get("redirect_url", "")
        return Answer.redirect(f"{self.sim.base_url}/cashier/{charge.provider}/{charge.reference}")

    def authorize(self, asked: Asked) -> Answer:
        """Recognise the buyer without asking (snsapi_base), and lead back with a code."""
        said = asked.query
        back = said.get("redirect_uri", "")
        if said.get("appid") != self.provider.app or said.get("scope") != "snsapi_base" or not back.startswith("http"):
            return Answer.of_html("<p>参数错误 · appid, scope or redirect_uri is wrong.</p>", 400)
        code = secrets.token_hex(16)
        self._codes[code] = self.somebody()
        found = urlencode({"code": code, "state": said.get("state", "")})
        return Answer.redirect(f"{back}{'&' if urlsplit(back).query else '?'}{found}")

    def token(self, asked: Asked) -> Answer:
        """The openid that a code stands for, once. WeChat answers 200 to everything here, as text/plain."""
        said = asked.query
        if said.get("appid") != self.provider.app or said.get("secret") != self.provider.keys.app_secret:
            answer: dict[str, Any] = {"errcode": 40125, "errmsg": "invalid appsecret"}
        elif (openid := self._codes.pop(said.get("code", ""), None)) is None:
            answer = {"errcode": 40029, "errmsg": "invalid code"}
        else:
            answer = {
                "access_token": secrets.token_urlsafe(40), "expires_in": 7200,
                "refresh_token": secrets.token_urlsafe(40), "openid": openid, "scope": "snsapi_base",
            }  # fmt: skip
        return Answer.of_json(answer, headers={"Content-Type": "text/plain"})
