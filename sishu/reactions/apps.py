from django.apps import AppConfig


class ReactionsConfig(AppConfig):
    name = "sishu.reactions"
    label = "reactions"
    default_auto_field = "django.db.models.BigAutoField"
