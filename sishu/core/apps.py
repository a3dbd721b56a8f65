from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "sishu.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from sishu.core import plugins  # noqa: F401  registers the check
