"""For trying and for building: everything is open to the person at the keyboard, and to nobody else."""

from config.settings.base import *  # noqa: F403
from config.settings.base import BLIND_INDEX_KEY, DATA_DIR, ENCRYPTION_KEYS, STORAGES, env
from config.settings.keys import kept_secret, new_key, parse_encryption_keys, parse_key
from config.settings.plugins import plugins

DEBUG = env.bool("DEBUG", True)
SECRET_KEY = env.str("SECRET_KEY", "") or kept_secret(DATA_DIR / "secret.key")
ENCRYPTION_KEYS = ENCRYPTION_KEYS or parse_encryption_keys(
    kept_secret(DATA_DIR / "encryption.key", lambda: f"1:{new_key()}")
)
BLIND_INDEX_KEY = BLIND_INDEX_KEY or parse_key("BLIND_INDEX_KEY", kept_secret(DATA_DIR / "index.key", new_key))
SANDBOX_SECRET = env.str("SANDBOX_SECRET", "") or kept_secret(DATA_DIR / "sandbox.key")
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
PLUGINS = plugins(env, gateways=env.list("GATEWAYS", default=["sandbox"]))
