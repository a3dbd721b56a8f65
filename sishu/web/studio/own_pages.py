"""Where Wagtail's studio does not ask the page policy: a gate before its page views, and own uploads in its API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from wagtail.documents.api.admin.views import DocumentsAdminAPIViewSet
from wagtail.images.api.admin.views import ImagesAdminAPIViewSet
from wagtail.models import Page
from wagtail.permissions import policy_registry

from sishu.content.permissions import is_page_staff, own_uploads

PAGE_ARGUMENTS = ("page_id", "parent_page_id", "page_to_move_id")


class OwnPagesGate:
    """Middleware: in the studio, a page that a person may not explore does not exist.

    Several of Wagtail's views name the page in a message before they refuse (workflow actions, cancellation).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Answer 404 before the view is called."""
        keys = {int(kwargs[name]) for name in PAGE_ARGUMENTS if name in kwargs}
        if not keys or not request.path.startswith(reverse("wagtailadmin_home")):
            return
        if not request.user.is_authenticated or is_page_staff(request.user):
            return
        policy = policy_registry.get_by_type(Page)
        if policy.explorable_instances(request.user).filter(pk__in=keys).count() < len(keys):
            raise Http404


class OwnImages(ImagesAdminAPIViewSet):
    """The studio's list of pictures: a creator's own."""

    def get_queryset(self) -> QuerySet[Any]:
        return own_uploads(super().get_queryset(), self.request.user)


class OwnDocuments(DocumentsAdminAPIViewSet):
    """The studio's list of files: a creator's own."""

    def get_queryset(self) -> QuerySet[Any]:
        return own_uploads(super().get_queryset(), self.request.user)
