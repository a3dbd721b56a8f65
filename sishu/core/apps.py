from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "sishu.core"
    label = "core"

    def ready(self) -> None:
        from sishu.core import plugins  # noqa: F401  registers the check
