from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "sishu.content"
    label = "content"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wagtail import signals
        from wagtail.models import AbstractPage, TaskState, WorkflowState
        from wagtail.permissions import register_permission_policy

        from sishu.content import wagtail_events
        from sishu.content.permissions import OwnPages

        register_permission_policy(AbstractPage, OwnPages())
        signals.page_published.connect(wagtail_events.page_published)
        signals.page_unpublished.connect(wagtail_events.page_unpublished)
        # Under the names by which Wagtail connects its own mails, and before it: those would be sent by the web process
        # inside the transaction, beside ours.
        for signal, announcement, sender, name in (
            (signals.workflow_submitted, wagtail_events.workflow_submitted, WorkflowState, "workflow_state_submitted"),
            (signals.task_submitted, wagtail_events.task_submitted, TaskState, "group_approval_task_submitted"),
            (signals.workflow_approved, wagtail_events.workflow_approved, WorkflowState, "workflow_state_approved"),
            (signals.workflow_rejected, wagtail_events.workflow_rejected, WorkflowState, "workflow_state_rejected"),
        ):
            signal.connect(announcement, sender=sender, dispatch_uid=f"{name}_email_notification")
        signals.workflow_cancelled.connect(wagtail_events.workflow_cancelled)
        signals.copy_for_translation_done.connect(wagtail_events.copied_for_translation)
