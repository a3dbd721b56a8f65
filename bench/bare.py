"""The baseline of bench.pages: the same pages through Wagtail's own view with a plain template, and a constant.

Settings and addresses of a site with the same database and server, and nothing of ours around the pages.
"""

from config.settings.production import *  # noqa: F403
from config.settings.production import TEMPLATES

ROOT_URLCONF = "bench.bare_urls"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"
TEMPLATES = [{**TEMPLATES[0], "DIRS": [Path(__file__).parent / "templates"]}]  # noqa: F405
