"""Where Wagtail's studio does not ask who may see a page or an upload: a gate before its views, and its API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import ResolverMatch, reverse
from wagtail.documents.api.admin.views import DocumentsAdminAPIViewSet
from wagtail.images.api.admin.views import ImagesAdminAPIViewSet
from wagtail.models import Page
from wagtail.permissions import policy_registry

from sishu.content.models import Attachment, Picture
from sishu.content.permissions import is_page_staff, own_paths, own_uploads

PAGE_ARGUMENTS = ("page_id", "parent_page_id", "page_to_move_id")
UPLOAD_ARGUMENTS = ("image_id", "document_id", "pk")
# The views that take their pages or uploads as ?id=, once for each.
CHOSEN_PAGES = "wagtailadmin_choose_page_chosen_multiple"
BULK = "wagtail_bulk_action"
UPLOADS: dict[str, type[Model]] = {
    "wagtailimages": Picture,
    "wagtailimages_chooser": Picture,
    "wagtaildocs": Attachment,
    "wagtaildocs_chooser": Attachment,
}


class OwnPagesGate:
    """Middleware: in the studio, a page that a person may not explore does not exist, nor does another's upload.

    Several of Wagtail's views name it in a message before they refuse, or never ask (workflow actions, cancellation, what
    was chosen, bulk actions).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Answer 404 before the view is called."""
        if not request.path.startswith(reverse("wagtailadmin_home")):
            return
        if not request.user.is_authenticated or is_page_staff(request.user):
            return
        for seen, keys in _named(request, kwargs):
            if seen.filter(pk__in=keys).count() < len(keys):
                raise Http404


def _named(request: HttpRequest, kwargs: dict[str, Any]) -> Iterator[tuple[QuerySet[Any], set[int]]]:
    """The pages and uploads that an address names, each with those that may be named there."""
    if keys := _numbers(kwargs[name] for name in PAGE_ARGUMENTS if name in kwargs):
        yield policy_registry.get_by_type(Page).explorable_instances(request.user), keys
    match, listed = request.resolver_match, set(request.GET.getlist("id"))
    model = _model_of(match, kwargs) if match else None
    if model == Page:
        yield Page.objects.filter(path__in=own_paths(request.user)), _numbers(listed)
    elif model is not None:
        # By "all" Wagtail means, of uploads, those that one may change. Of pages it does mean all.
        named = [*listed - {"all"}, *(kwargs[name] for name in UPLOAD_ARGUMENTS if name in kwargs)]
        yield own_uploads(model._default_manager.all(), request.user), _numbers(named)


def _model_of(match: ResolverMatch, kwargs: dict[str, Any]) -> type[Model] | None:
    """What the ids of an address are ids of, beside its page's."""
    if match.view_name == CHOSEN_PAGES:
        return Page
    if match.view_name == BULK:
        label = f"{kwargs['app_label']}.{kwargs['model_name']}".lower()
        return next((model for model in (Page, Picture, Attachment) if model._meta.label_lower == label), None)
    return UPLOADS.get(match.namespace)


def _numbers(values: Iterable[object]) -> set[int]:
    texts = [str(value) for value in values]
    if not all(text.isdecimal() for text in texts):
        raise Http404
    return {int(text) for text in texts}


class OwnImages(ImagesAdminAPIViewSet):
    """The studio's list of pictures: a creator's own."""

    def get_queryset(self) -> QuerySet[Any]:
        return own_uploads(super().get_queryset(), self.request.user)


class OwnDocuments(DocumentsAdminAPIViewSet):
    """The studio's list of files: a creator's own."""

    def get_queryset(self) -> QuerySet[Any]:
        return own_uploads(super().get_queryset(), self.request.user)
