"""Links to players elsewhere, shown as cards: nothing is ever loaded from a third party, neither here nor in the browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext
from wagtail.embeds.finders.base import EmbedFinder

# Host (its subdomains included) → the name readers know.
PROVIDERS = {
    "bilibili.com": "哔哩哔哩",
    "b23.tv": "哔哩哔哩",
    "youtube.com": "YouTube",
    "youtu.be": "YouTube",
    "vimeo.com": "Vimeo",
    "v.qq.com": "腾讯视频",
    "youku.com": "优酷",
    "music.163.com": "网易云音乐",
    "y.qq.com": "QQ 音乐",
    "xiaoyuzhoufm.com": "小宇宙",
    "ximalaya.com": "喜马拉雅",
    "open.spotify.com": "Spotify",
    "podcasts.apple.com": "Apple Podcasts",
    "soundcloud.com": "SoundCloud",
    "github.com": "GitHub",
    "codepen.io": "CodePen",
}


def provider_of(url: str) -> str | None:
    """The provider's name, or None when the address is not an https one of a host on the list."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return None
    if parts.scheme != "https" or parts.username or parts.password:
        return None
    labels = host.split(".")
    for start in range(len(labels) - 1):
        if name := PROVIDERS.get(".".join(labels[start:])):
            return name
    return None


def check_url(url: str) -> None:
    """ValidationError unless the address belongs to a provider on the list."""
    if provider_of(url) is None:
        known = ", ".join(dict.fromkeys(PROVIDERS.values()))
        raise ValidationError(
            gettext(
                "%(url)s is not an https link to a site we embed. Link to it in the text, or use one of: %(known)s."
            )
            % {"url": url[:200], "known": known}
        )


class AllowedFinder(EmbedFinder):
    """Wagtail's door to embeds: answers from the list alone, without asking the network."""

    def accept(self, url: str) -> bool:
        return provider_of(url) is not None

    def find_embed(self, url: str, max_width: int | None = None, max_height: int | None = None) -> dict[str, Any]:
        name = provider_of(url)
        card = format_html('<a class="linkcard" href="{}" rel="noopener noreferrer">{}</a>', url, name)
        return {
            "title": name,
            "author_name": "",
            "provider_name": name,
            "type": "link",
            "html": card,
            "width": None,
            "height": None,
        }
