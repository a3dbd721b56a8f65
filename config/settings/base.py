"""What every installation shares. Values that differ come from the environment or `.env`; docs/reference/settings.md lists them."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from config.settings.databases import cache_database, main_database
from config.settings.keys import parse_encryption_keys, parse_key
from config.settings.plugins import plugins

BASE_DIR = Path(__file__).resolve().parents[2]
# A value may also stand in a file: NAME_FILE says which. Keys of several lines are easier so.
env = environ.FileAwareEnv()
environ.Env.read_env(BASE_DIR / ".env")

DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "var")))
# Seals backups; empty: a key derived from the primary of ENCRYPTION_KEYS.
BACKUP_KEY = parse_key("BACKUP_KEY", env.str("BACKUP_KEY", ""))
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
# Version → key, the primary first: they wrap the keys of sealed cells, and never stand in the database or a backup.
ENCRYPTION_KEYS = parse_encryption_keys(env.str("ENCRYPTION_KEYS", ""))
BLIND_INDEX_KEY = parse_key("BLIND_INDEX_KEY", env.str("BLIND_INDEX_KEY", ""))
HOST = env.str("HOST", "127.0.0.1")
PORT = env.str("PORT", "8000")
if not PORT.isdecimal() or not 0 < int(PORT) < 65536:
    raise ImproperlyConfigured(f"PORT is {PORT!r}; set it to a number from 1 to 65535.")
WEB_WORKERS = env.int("WEB_WORKERS", 2)
WEB_THREADS = env.int("WEB_THREADS", 4)
SITE_URL = env.str("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
# Never any name: a foreign page could have its own point at this machine, and read what only the person here may.
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[urlsplit(SITE_URL).hostname or "", HOST, "127.0.0.1", "[::1]", ".localhost"]
)
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# --- Applications ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "sishu.cli",
    "sishu.web",
    "sishu.reactions",
    "sishu.payouts",
    "sishu.commerce",
    "sishu.content",
    "sishu.moderation",
    "sishu.ledger",
    "sishu.accounts",
    "sishu.outbox",
    "sishu.jobs",
    "sishu.core",
    "wagtail.contrib.simple_translation",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "django_tasks",
    "modelcluster",
    "taggit",
    "allauth",
    "allauth.account",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    # Outermost, so that a kept page costs nothing else; it is kept with the headers that those below put on it.
    "sishu.web.pagecache.PageCache",
    "sishu.web.middleware.ContentSecurityPolicy",
    "django.middleware.security.SecurityMiddleware",
    "sishu.web.middleware.BadInput",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "sishu.web.middleware.ContractLocale",
    "django.middleware.common.CommonMiddleware",
    "sishu.web.csrf.OriginCsrf",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sishu.web.studio.own_pages.OwnPagesGate",
    "sishu.web.studio.people_gate.PeopleGate",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sishu.web.context.house",
            ],
        },
    },
]

# --- Data -----------------------------------------------------------------------------------------
DATABASES = {
    "default": main_database(env, DATA_DIR),
    "cache": cache_database(DATA_DIR),
}
DATABASE_ROUTERS = ["config.settings.databases.CacheRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Limits and counters are shared by all processes, and never live inside a business transaction.
CACHE_URL = env.str("CACHE_URL", "")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}
    if CACHE_URL
    else {
        "BACKEND": "sishu.core.cache.CountingDatabaseCache",
        "LOCATION": "sishu_cache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    },
    # Anonymous pages and rendered bodies, per process; keys carry a generation or a revision, so nothing goes stale.
    "pages": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "pages",
        "TIMEOUT": 3600,
        "OPTIONS": {"MAX_ENTRIES": 2_000},
    },
    "renditions": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "renditions"},
}
PAGE_CACHE_GENERATION_FILE = DATA_DIR / "generation"

# Who may read /metrics; empty: nobody.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# --- Jobs -----------------------------------------------------------------------------------------
TASKS = {"default": {"BACKEND": "sishu.jobs.backend.JobRunBackend", "QUEUES": []}}

# --- Languages and time ---------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
FORMAT_MODULE_PATH = "config.formats"
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
WAGTAIL_I18N_ENABLED = True
# Ours first; then words of Wagtail that its own catalogue lacks.
LOCALE_PATHS = [BASE_DIR / "sishu" / "locale", BASE_DIR / "sishu" / "locale_wagtail"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", "Asia/Shanghai")
CURRENCY = env.str("CURRENCY", "CNY")

# --- People ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["sishu.accounts.signin.PasswordBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "sishu.accounts.signin.NotTheDemoPassword"},
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/library"
ACCOUNT_ADAPTER = "sishu.accounts.signin.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_USERNAME_BLACKLIST = ["admin", "root", "sishu", "system", "support", "owner-of-this-house"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_CONFIRMATION_AUTHENTICATED_REDIRECT_URL = "/library"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Seconds for which a password counts, before money moves or an account changes hands.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
# per: an address (IPv6: its /64), a signed-in user, or a key, which is the name or e-mail somebody tries.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "20/m/ip",
    "confirm_email": "1/3m/key",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = SITE_URL.split(":")[0]
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("PROXY_COUNT", 0)
SESSION_COOKIE_SAMESITE = "Lax"
OPEN_PUBLISHING = env.bool("OPEN_PUBLISHING", False)
# How long versions that were only stages of writing are kept; 0: for ever.
DRAFT_HISTORY_DAYS = env.int("DRAFT_HISTORY_DAYS", 30)
if DRAFT_HISTORY_DAYS < 0:
    raise ImproperlyConfigured(f"DRAFT_HISTORY_DAYS is {DRAFT_HISTORY_DAYS}; set it to days, or to 0 to keep all.")
# For each token, person or address.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", 600)

# --- Mail -----------------------------------------------------------------------------------------
EMAIL_URL = env.str("EMAIL_URL", "")
if EMAIL_URL:
    vars().update(env.email_url_config(EMAIL_URL))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", "Sishu <sishu@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Wagtail --------------------------------------------------------------------------------------
WAGTAIL_SITE_NAME = "Sishu"
WAGTAILADMIN_BASE_URL = SITE_URL
WAGTAILADMIN_LOGIN_URL = "/login"
# An address or a password is changed at /account and /password: with the password, within limits, and with a notice.
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
# Nobody chooses another's password: who is made in the studio sets their own, by the link that /password/forgot sends.
WAGTAILUSERS_PASSWORD_ENABLED = False
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAILADMIN_PERMITTED_LANGUAGES = LANGUAGES
WAGTAILADMIN_UNSAFE_PAGE_DELETION_LIMIT = 1
WAGTAIL_WORKFLOW_REQUIRE_REAPPROVAL_ON_EDIT = True
WAGTAIL_WORKFLOW_CANCEL_ON_PUBLISH = True
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_ALLOW_UNICODE_SLUGS = True
WAGTAILIMAGES_IMAGE_MODEL = "content.Picture"
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 20 * 1024 * 1024
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 40_000_000
WAGTAILIMAGES_EXTENSIONS = ["gif", "jpg", "jpeg", "png", "webp"]
WAGTAILDOCS_DOCUMENT_MODEL = "content.Attachment"
WAGTAILDOCS_EXTENSIONS = ["csv", "docx", "epub", "md", "odt", "pdf", "pptx", "txt", "xlsx", "zip"]
WAGTAILDOCS_SERVE_METHOD = "serve_view"
WAGTAILEMBEDS_FINDERS = [{"class": "sishu.content.embeds.AllowedFinder"}]
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "sishu.content.search"}}
TAGGIT_CASE_INSENSITIVE = True

# --- Money ----------------------------------------------------------------------------------------
PLUGINS = plugins(env, gateways=env.list("GATEWAYS", default=[]))
ALLOW_SANDBOX = env.bool("SISHU_ALLOW_SANDBOX", False)
SANDBOX_SECRET = env.str("SANDBOX_SECRET", "")
ORDER_LIFETIME_MINUTES = env.int("ORDER_LIFETIME_MINUTES", 30)
PLATFORM_SHARE_BPS = env.int("PLATFORM_SHARE_BPS", 1000)
REFUND_WINDOW_DAYS = env.int("REFUND_WINDOW_DAYS", 7)
# How long notices signed for merchant keys that were replaced in the studio are still believed.
MERCHANT_KEYS_OVERLAP_HOURS = env.int("MERCHANT_KEYS_OVERLAP_HOURS", 48)
# How long what providers wrote is kept, sealed.
NOTICE_DAYS = env.int("NOTICE_DAYS", 180)
# Whether money that bought nothing (late, twice, the wrong sum) goes back by itself; else a case waits for a person.
AUTO_REFUND = env.bool("AUTO_REFUND", False)
# Currency → minor units that one person may give back alone, "CNY=50000,USD=10000"; other currencies: nothing. Empty: all.
REFUND_APPROVAL_ABOVE = env.dict("REFUND_APPROVAL_ABOVE", cast={"value": int}, default={})
# How long a changed payee account must stand before real money is paid to it, so that its owner can object.
PAYOUT_COOLDOWN_HOURS = env.int("PAYOUT_COOLDOWN_HOURS", 48)
if PAYOUT_COOLDOWN_HOURS < 0:
    raise ImproperlyConfigured(f"PAYOUT_COOLDOWN_HOURS is {PAYOUT_COOLDOWN_HOURS}; set it to hours, or to 0 for none.")
if not 0 <= PLATFORM_SHARE_BPS <= 10_000:
    raise ImproperlyConfigured(
        f"PLATFORM_SHARE_BPS is {PLATFORM_SHARE_BPS}; it counts hundredths of a percent, 0 to 10000."
    )

# --- Safety ---------------------------------------------------------------------------------------
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "sishu.web.errors.csrf_failure"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "sishu.core.logs.EnglishFormatter",
            "format": "{levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"}},
    # Wagtail tells every page's life, which its own history does too; fontTools every glyph it keeps.
    "loggers": {"wagtail": {"level": "WARNING"}, "fontTools": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
}
