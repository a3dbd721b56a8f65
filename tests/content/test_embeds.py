"""Which links become cards; nothing is asked of the network."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from wagtail.embeds.embeds import get_embed
from wagtail.embeds.exceptions import EmbedUnsupportedProviderException

from sishu.content import embeds


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://www.bilibili.com/video/BV1xx", "哔哩哔哩"),
        ("https://youtu.be/abc", "YouTube"),
        ("https://m.youtube.com/watch?v=abc", "YouTube"),
        ("https://v.qq.com/x/page/a.html", "腾讯视频"),
        ("https://music.163.com/#/song?id=1", "网易云音乐"),
        ("https://open.spotify.com/track/1", "Spotify"),
        ("https://vimeo.com./1", "Vimeo"),
        ("http://youtu.be/abc", None),
        ("https://qq.com/", None),
        ("https://evilyoutube.com/", None),
        ("https://youtube.com.evil.example/", None),
        ("https://youtube.com@evil.example/", None),
        ("https://user:word@youtube.com/", None),
        ("https://evil.example/?https://youtube.com", None),
        ("javascript:alert(1)//youtube.com", None),
        ("https://[youtube.com", None),
        ("//youtube.com/a", None),
        ("", None),
    ],
)
def test_a_provider_is_known_by_its_host_over_https(url, provider):
    assert embeds.provider_of(url) == provider
    if provider is None:
        with pytest.raises(ValidationError):
            embeds.check_url(url)
    else:
        embeds.check_url(url)


@pytest.mark.django_db
def test_wagtail_gets_a_card_without_a_request():
    embed = get_embed("https://youtu.be/abc")
    assert (embed.provider_name, embed.type) == ("YouTube", "link")
    assert "<iframe" not in embed.html
    with pytest.raises(EmbedUnsupportedProviderException):
        get_embed("https://evil.example/")
