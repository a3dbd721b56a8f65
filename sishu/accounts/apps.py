from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sishu.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
