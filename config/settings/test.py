"""For the test suite: the same house with quick locks."""

from config.settings.base import *  # noqa: F403
from config.settings.base import CACHES, DATABASES, STORAGES
from config.settings.plugins import plugins

SECRET_KEY = "tests-only-" + "k" * 40
SANDBOX_SECRET = "tests-only-sandbox-secret"
ALLOW_SANDBOX = True
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # argon2 itself is tested in tests/accounts
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# One database per process is enough: the counters' real file is tested over processes in tests/accounts.
CACHES = {**CACHES, "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "limits"}}
DATABASES = {"default": DATABASES["default"]}
DATABASE_ROUTERS: list[str] = []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
PLUGINS = plugins(gateways=["sandbox"])
