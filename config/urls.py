"""Every address of the site. A feature's own addresses stand in its module of sishu.web."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path
from django.views.generic import RedirectView
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls

from sishu.web import feeds

# Under the language of their path.
by_language = [
    path("", include("sishu.web.discovery")),
    path("", include("sishu.web.feeds")),
    path("", include("sishu.web.lists")),
    path("", include("sishu.web.pages")),  # last: it takes every path that looks like a page's
    path("", include(wagtail_urls)),
]

urlpatterns = [
    path("", include("sishu.web.health")),
    path("", include("sishu.web.media")),
    path("", include("sishu.web.covers")),
    path("", include(feeds.site_urlpatterns)),
    path("", include("sishu.web.joining")),
    path("", include("sishu.web.account")),
    path("", include("sishu.web.writing")),
    path("", include("sishu.web.invitations")),
    path("", include("sishu.web.uploads")),
    path("", include("sishu.web.shop")),
    path("", include("sishu.web.asking_back")),
    path("", include("sishu.web.paying")),
    path("", include("sishu.web.cashier")),
    path("", include("sishu.web.library")),
    path("", include("sishu.web.statement")),
    path("", include("sishu.web.payouts")),
    path("", include("sishu.web.webhooks")),
    path("", include("sishu.web.api")),
    path("", include("sishu.web.devmail")),
    # Wagtail's own door knows no limits; nobody comes in by it.
    path("studio/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("studio/", include(wagtailadmin_urls)),
    *i18n_patterns(*by_language, prefix_default_language=False),
]

handler400 = "sishu.web.errors.bad_request"
handler403 = "sishu.web.errors.forbidden"
handler404 = "sishu.web.errors.not_found"
handler429 = "sishu.web.errors.too_many"  # allauth's limits answer with it
handler500 = "sishu.web.errors.server_error"
