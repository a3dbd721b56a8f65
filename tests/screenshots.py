"""`make screenshots`: photographs the pages for the README and for looking at.

    python -m tests.screenshots [name …]

Starts a house of its own by `sishu run` on a scratch folder and a free port, buys a few works at the sandbox as a reader
would, and writes docs/images/<page>-<language>-<theme>-<width>.png. With names, only those pages are taken.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "images"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
PASSWORD = "sishu-demo"
START_SECONDS = 300
HEIGHTS = {1440: 900, 390: 844}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
COLOURS = 255  # ink on paper needs no more, and the files get small

MAIN = "/en/shen-yan/why-the-queue-jams-on-mondays/"
BOUGHT = (MAIN, "/en/zhou-lan/one-sheet-for-a-small-shop/", "/en/he-qi/instructions-for-a-stranger/")
UNSOLD = "/en/shen-yan/no-villains-in-the-incident-report/"


class House:
    """A running site with the demo in it, and what the camera does on its pages."""

    def __init__(self, address: str, browser: Browser) -> None:
        self.address = address
        self.browser = browser
        self.known: dict[str, str] = {}

    def open(self, who: str = "", language: str = "en", theme: str = "light", width: int = 1440) -> Page:
        """A page of a person, or of a stranger, on a screen of that width."""
        context = self.browser.new_context(
            base_url=self.address, locale=LOCALES[language], color_scheme="dark" if theme == "dark" else "light",
            viewport={"width": width, "height": HEIGHTS[width]}, device_scale_factor=2 if width < 800 else 1,
            timezone_id="Asia/Shanghai", reduced_motion="reduce",
            storage_state=json.loads(self.known[who]) if who in self.known else None,
        )  # fmt: skip
        page = context.new_page()
        page.set_default_timeout(30_000)
        if who and who not in self.known:
            page.goto("/login")
            page.fill("[name=login]", who)
            page.fill("[name=password]", PASSWORD)
            page.press("[name=password]", "Enter")
            page.wait_for_url("**/library")
            self.known[who] = json.dumps(context.storage_state())
        return page

    def give_half_back(self) -> None:
        """As the one who looks after the money: of the oldest order a half, and the work stays open."""
        page = self.open("finance")
        orders(page, "en")
        page.locator("td.title a").last.click()
        page.locator("a[href*='/orders/refund/']").first.click()
        held = page.locator("main [name^=line_]")
        held.fill(f"{float(held.input_value()) / 2:.2f}")
        page.uncheck("main [name=closes_access]")
        page.fill("main [name=reason]", "Half of it was read")
        page.click("main form .button.serious")
        page.wait_for_selector("main time")
        page.context.close()

    def buy(self, who: str, path: str) -> None:
        """The whole way of a purchase, at the sandbox."""
        page = self.open(who)
        page.goto(path)
        page.click("#offer a.btn-seal")
        page.click("main .btn-seal")
        page.wait_for_url("**/cashier/**")
        page.click("main .btn-seal")
        page.wait_for_url(f"**{path}#continue")
        page.context.close()


@dataclass(frozen=True, slots=True)
class Scene:
    """One page to be photographed: who looks at it, how they get there, and on which screens (language, theme, width)."""

    name: str
    who: str
    go: Callable[[Page, str], object]
    screens: tuple[tuple[str, str, int], ...]


def in_language(page: Page, path: str, language: str) -> None:
    """Open a page in that language: by itself, or through the link to its twin."""
    page.goto(path)
    if language == "zh":
        twin = page.locator("link[rel=alternate][hreflang='zh-Hans']").first.get_attribute("href")
        page.goto(str(twin))


def home(page: Page, language: str) -> None:
    page.goto("/" if language == "zh" else "/en/")


def preview(page: Page, language: str) -> None:
    in_language(page, UNSOLD, language)
    show(page, "#offer", 0.42)


def checkout(page: Page, language: str) -> None:
    in_language(page, UNSOLD, language)
    page.click("#offer a.btn-seal")


def article(page: Page, language: str) -> None:
    in_language(page, MAIN, language)
    page.goto(page.url.split("#")[0] + "#continue")


def writer(page: Page, language: str) -> None:
    in_language(page, UNSOLD, language)
    title = page.locator("h1").first.inner_text().strip()
    page.goto("/writing")
    page.locator(".row-title a", has_text=title).first.click()
    page.wait_for_selector("sishu-editor .cutline")


def orders(page: Page, _language: str) -> None:
    page.goto("/studio/orders/")
    page.wait_for_selector("main table")


def transfer(page: Page, language: str) -> None:
    checkout(page, language)
    page.check("[name=gateway][value=offline]")
    page.click("main .btn-seal")
    page.wait_for_selector(".transfer")


def timeline(page: Page, _language: str) -> None:
    """The order of which a half went back."""
    orders(page, _language)
    page.locator("td.title a").last.click()
    page.wait_for_selector("main time")
    page.locator("main time").last.evaluate("element => element.scrollIntoView({block: 'end'})")


def show(page: Page, selector: str, at: float) -> None:
    """Scroll so that an element begins at that part of the screen's height."""
    page.locator(selector).first.evaluate(
        "(element, at) => scrollTo(0, scrollY + element.getBoundingClientRect().top - innerHeight * at)", at
    )


# Before anything is bought, and after.
WINDOW = (
    Scene("home", "", home, (("en", "light", 1440), ("zh", "dark", 1440), ("zh", "light", 390))),
    Scene("preview", "", preview, (("en", "light", 1440), ("zh", "dark", 390))),
    Scene("checkout", "reader", checkout, (("en", "light", 1440), ("zh", "light", 390))),
)
INSIDE = (
    Scene("article", "reader", article, (("zh", "light", 1440), ("en", "dark", 1440), ("en", "light", 390))),
    Scene(
        "library", "reader", lambda page, _language: page.goto("/library"), (("zh", "light", 1440), ("en", "dark", 390))
    ),
    Scene("writer", "creator", writer, (("zh", "light", 1440), ("en", "dark", 1440))),
    Scene(
        "statement",
        "creator",
        lambda page, _language: page.goto("/statement"),
        (("zh", "light", 1440), ("en", "light", 390)),
    ),
    Scene("orders", "finance", orders, (("zh", "light", 1440), ("en", "light", 1440))),
    Scene("transfer", "reader", transfer, (("en", "light", 1440), ("zh", "dark", 390))),
    Scene("timeline", "finance", timeline, (("en", "light", 1440), ("zh", "light", 390))),
)


def photograph(house: House, scene: Scene) -> None:
    """Take a scene on each of its screens."""
    for language, theme, width in scene.screens:
        if scene.who not in house.known and scene.who:
            house.open(scene.who).context.close()
        page = house.open(scene.who, language, theme, width)
        scene.go(page, language)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        target = PICTURES / f"{scene.name}-{language}-{theme}-{width}.png"
        save(page.screenshot(), target)
        print(f"{target.relative_to(ROOT)}  {target.stat().st_size // 1024} kB")
        page.context.close()


def save(picture: bytes, target: Path) -> None:
    """Keep a screenshot small: a palette instead of sixteen million colours."""
    drawn = Image.open(io.BytesIO(picture)).convert("RGB")
    drawn.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(target, optimize=True)


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """`sishu run` with the demo in a scratch folder; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    settings = {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev", "DATA_DIR": str(folder), "PORT": str(port), "HOST": "127.0.0.1",
        "SITE_URL": address, "DEBUG": "1", "DATABASE_URL": "", "CACHE_URL": "", "EMAIL_URL": "", "GATEWAYS": "sandbox,offline",
        "OFFLINE_PAYEE": "Lamplight 灯下", "OFFLINE_ACCOUNT": "6222 0210 0111 6245 702", "OFFLINE_BANK": "China Merchants Bank, Hangzhou",
    }  # fmt: skip
    with (folder / "log").open("w+") as log:
        command = [sys.executable, "-m", "sishu.cli.main", "run"]
        house = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdout=log, stderr=log)
        try:
            wait_for(address + "/readyz", house)
            yield address
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read()[-4000:])
            raise
        finally:
            house.send_signal(signal.SIGTERM)
            house.wait(timeout=60)


def wait_for(url: str, house: subprocess.Popen[bytes]) -> None:
    """Return when the house answers; its end or five minutes of silence end us too."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if house.poll() is not None:
            sys.exit(f"The house ended with {house.returncode} before it answered.")
        try:
            with urlopen(url, timeout=5):  # noqa: S310  our own address
                return
        except (URLError, OSError):
            time.sleep(0.5)
    sys.exit(f"{url} did not answer within {START_SECONDS} seconds.")


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium, or the one that CHROMIUM names, or Playwright's own."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])


def main() -> None:
    wanted = set(sys.argv[1:]) or {scene.name for scene in WINDOW + INSIDE}
    if unknown := wanted - {scene.name for scene in WINDOW + INSIDE}:
        sys.exit(f"No page {', '.join(sorted(unknown))}; known: {', '.join(s.name for s in WINDOW + INSIDE)}.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="sishu-pictures-") as folder,
        running(Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        house = House(address, launch(playwright))
        for scene in WINDOW:
            if scene.name in wanted:
                photograph(house, scene)
        for path in BOUGHT:
            house.buy("reader", path)
        house.buy("finance", MAIN)
        house.give_half_back()
        for scene in INSIDE:
            if scene.name in wanted:
                photograph(house, scene)
        house.browser.close()


if __name__ == "__main__":
    main()
