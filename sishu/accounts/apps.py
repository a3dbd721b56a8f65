from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "sishu.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from sishu.accounts import roles

        post_migrate.connect(roles.sync_after_migrate, dispatch_uid="sishu.accounts.roles")
