"""DATABASE_URL to Django's DATABASES, with the options each engine needs to keep money safe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

# FULL: a commit that was answered survives a power cut. IMMEDIATE: writers queue instead of failing half-way.
SQLITE_MONEY = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-16000",
}
# Counters may lose the last second; they must never make a purchase wait for the disk.
SQLITE_COUNTERS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 5,
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=OFF",
}
MYSQL = {
    "charset": "utf8mb4",
    "init_command": "SET sql_mode='STRICT_ALL_TABLES', innodb_lock_wait_timeout=20",
    "isolation_level": "read committed",
}


def main_database(env: environ.Env, data_dir: Path) -> dict[str, Any]:
    """The database of DATABASE_URL, or SQLite in the data folder."""
    url = env.str("DATABASE_URL", "")
    config: dict[str, Any] = env.db_url_config(url) if url else {}
    engine = config.get("ENGINE", "django.db.backends.sqlite3")
    if engine.endswith("sqlite3"):
        name = config.get("NAME") or data_dir / "sishu.sqlite3"
        return {"ENGINE": engine, "NAME": name, "OPTIONS": SQLITE_MONEY, "CONN_MAX_AGE": None}
    if engine.endswith("postgresql"):
        return {**config, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    if engine.endswith("mysql"):
        _use_pymysql()
        return {**config, "OPTIONS": MYSQL, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    raise ImproperlyConfigured(f"DATABASE_URL names {engine}; use sqlite://, postgres:// or mysql://.")


def cache_database(data_dir: Path) -> dict[str, Any]:
    """The SQLite file of the shared counters, apart from the business data."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": data_dir / "cache.sqlite3",
        "OPTIONS": SQLITE_COUNTERS,
        "CONN_MAX_AGE": None,
        "TEST": {"DEPENDENCIES": [], "MIGRATE": False},
    }


def _use_pymysql() -> None:
    # Optional: only installations on MySQL or MariaDB carry the driver.
    try:
        pymysql = __import__("pymysql")
    except ImportError as error:
        raise ImproperlyConfigured(
            "DATABASE_URL is mysql://; install the driver: pip install 'sishu[mysql]'."
        ) from error
    pymysql.install_as_MySQLdb()


class CacheRouter:
    """Sends Django's cache table, and nothing else, to the counters' file."""

    def db_for_read(self, model: type, **_hints: Any) -> str | None:
        return "cache" if model._meta.app_label == "django_cache" else None  # type: ignore[attr-defined]

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool:
        return (db == "cache") == (app_label == "django_cache")
