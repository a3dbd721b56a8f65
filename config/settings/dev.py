"""For trying and for building: everything is open to the person at the keyboard, and to nobody else."""

from config.settings.base import *  # noqa: F403
from config.settings.base import DATA_DIR, STORAGES, env
from config.settings.keys import kept_secret
from config.settings.plugins import plugins

DEBUG = env.bool("DEBUG", True)
SECRET_KEY = env.str("SECRET_KEY", "") or kept_secret(DATA_DIR / "secret.key")
SANDBOX_SECRET = env.str("SANDBOX_SECRET", "") or kept_secret(DATA_DIR / "sandbox.key")
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
PLUGINS = plugins(env, gateways=env.list("GATEWAYS", default=["sandbox"]))
