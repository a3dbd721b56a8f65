from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "sishu.content"
    label = "content"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wagtail import signals
        from wagtail.models import AbstractPage
        from wagtail.permissions import register_permission_policy

        from sishu.content import announce
        from sishu.content.permissions import OwnPages

        register_permission_policy(AbstractPage, OwnPages())
        signals.page_published.connect(announce.page_published)
        signals.page_unpublished.connect(announce.page_unpublished)
        signals.workflow_submitted.connect(announce.workflow_submitted)
        signals.task_submitted.connect(announce.task_submitted)
        signals.workflow_approved.connect(announce.workflow_approved)
        signals.workflow_rejected.connect(announce.workflow_rejected)
        signals.workflow_cancelled.connect(announce.workflow_cancelled)
        signals.copy_for_translation_done.connect(announce.copied_for_translation)
