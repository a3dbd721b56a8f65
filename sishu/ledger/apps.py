from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    name = "sishu.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from sishu.ledger import triggers

        # SQLite drops a table's triggers whenever a migration rebuilds it, so they are made anew each time.
        post_migrate.connect(triggers.create, sender=self)
