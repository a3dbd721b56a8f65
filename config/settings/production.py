"""For real readers and real money: behind TLS, nothing guessable, nothing open."""

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *  # noqa: F403
from config.settings.base import BLIND_INDEX_KEY, DEBUG, ENCRYPTION_KEYS, SECRET_KEY, SITE_URL, env
from config.settings.keys import HOW

if DEBUG:
    raise ImproperlyConfigured("DEBUG is on in production settings; unset it, or use config.settings.dev.")
if len(SECRET_KEY) < 40:
    raise ImproperlyConfigured("SECRET_KEY is missing or short; set 50 random characters in the environment.")
if not ENCRYPTION_KEYS:
    raise ImproperlyConfigured(f"ENCRYPTION_KEYS is missing; set it to 1: and a key, and keep a copy elsewhere. {HOW}")
if not BLIND_INDEX_KEY:
    raise ImproperlyConfigured(f"BLIND_INDEX_KEY is missing; set it to a key, and keep a copy elsewhere. {HOW}")

HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.int("PROXY_COUNT", 0) else None
