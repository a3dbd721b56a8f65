"""For the test suite: the same house with quick locks."""

import os
from pathlib import Path
from tempfile import gettempdir

from config.settings.base import *  # noqa: F403
from config.settings.base import CACHES, DATABASES, env
from config.settings.databases import SQLITE_MONEY
from config.settings.plugins import plugins

SECRET_KEY = "tests-only-" + "k" * 40
ENCRYPTION_KEYS = {1: b"tests-only-wrapping-key-32-bytes"}
BLIND_INDEX_KEY = b"tests-only-blind-index-key-32-b."
SANDBOX_SECRET = "tests-only-sandbox-secret"
ALLOW_SANDBOX = True
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # argon2 itself is tested in tests/accounts
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# One database per process is enough: the counters' real file is tested over processes in tests/accounts.
CACHES = {**CACHES, "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "limits"}}
DATABASES = {"default": DATABASES["default"]}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, so that tests can race real processes on it; it need not outlive the machine.
    quick = str(SQLITE_MONEY["init_command"]).replace("synchronous=FULL", "synchronous=OFF")
    DATABASES["default"]["OPTIONS"] = {**SQLITE_MONEY, "init_command": quick}
    DATABASES["default"]["TEST"] = {"NAME": Path(gettempdir()) / f"sishu-test-{os.getuid()}-{os.getppid()}.sqlite3"}
DATABASE_ROUTERS = []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
PLUGINS = plugins(env, gateways=["sandbox"])
