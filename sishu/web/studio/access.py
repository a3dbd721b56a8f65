"""Why can, or can't, this person open this page? For whoever answers a reader's letter."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.models import Page

from sishu.accounts import roles
from sishu.accounts import selectors as people
from sishu.accounts.models import User
from sishu.commerce import selectors
from sishu.commerce.selectors import Explanation
from sishu.content.models import HomePage
from sishu.content.paywall import Level
from sishu.web.paths import prefix_of


class QuestionForm(forms.Form):
    """Who, and which page."""

    person = forms.CharField(label=_("Person"), max_length=254, help_text=_("Their user name or e-mail address."))
    page = forms.CharField(label=_("Page"), max_length=2000, help_text=_("Its address, copied from the browser."))

    def clean_person(self) -> User:
        person = people.find_by_login(self.cleaned_data["person"])
        if person is None:
            raise forms.ValidationError(_("Nobody here has this name or address. Check the spelling."))
        return person

    def clean_page(self) -> Page:
        page = find_page(self.cleaned_data["page"])
        if page is None:
            raise forms.ValidationError(_("There is no page at this address. Copy it from the browser once more."))
        return page


class ExplainView(WagtailAdminTemplateMixin, FormView):
    """The question, and under it the answer with all its grounds. A question is a GET, so that it can be linked to."""

    form_class = QuestionForm
    template_name = "studio/access.html"
    page_title = _("Why can, or can’t, this person open this page?")
    header_icon = "key"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm(roles.EXPLAIN_ACCESS):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": gettext("Who may read what")}]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form_class(request.GET or None)
        answer = answer_to(**form.cleaned_data) if form.is_bound and form.is_valid() else {}
        return self.render_to_response(self.get_context_data(form=form, **answer))

    http_method_names = ["get", "head", "options"]


def answer_to(person: User, page: Page) -> dict[str, Any]:
    """The verdict in a sentence, and what it rests on."""
    work = page.specific
    found = selectors.explain(person, page)
    needed = Level(getattr(work, "level", Level.PUBLIC))
    withdrawn_at = getattr(work, "withdrawn_at", None)
    return {
        "person": person,
        "work": work,
        "found": found,
        "needed": needed,
        "withdrawn_at": withdrawn_at,
        "sources": [(held, selectors.source_label(held, order), order) for held, order in found.entitlements],
        "roles": list(person.groups.order_by("name").values_list("name", flat=True)),
        "opens": opens(person, work.live, bool(withdrawn_at), needed, found),
    }


def opens(person: User, is_live: bool, is_withdrawn: bool, needed: Level, found: Explanation) -> str:
    """What this person sees at the page's address, in one sentence."""
    name = {"name": person.name}
    if not person.is_active:
        return gettext("%(name)s cannot sign in: the account is inactive. They read what strangers read.") % name
    if not is_live:
        return gettext("Nobody can open it: the page is not published.")
    if is_withdrawn and found.verdict.level < Level.PAID:
        return gettext("%(name)s cannot open it: the work was withdrawn, and they own nothing that opens it.") % name
    if found.verdict.level >= needed:
        return gettext("%(name)s can read all of it.") % name
    return gettext("%(name)s can read up to the paywall, and no further.") % name


def find_page(address: str) -> Page | None:
    """The page at an address of this site: a whole one, or only its path. None when there is no such page."""
    try:
        wanted = unquote(urlsplit(address.strip()).path).strip("/")
    except ValueError:  # not an address at all
        return None
    if "\0" in wanted:
        return None
    for code, _name in sorted(settings.LANGUAGES, key=lambda pair: pair[0] == settings.LANGUAGE_CODE):
        prefix = prefix_of(code).strip("/")
        if prefix and wanted != prefix and not wanted.startswith(f"{prefix}/"):
            continue
        home = HomePage.objects.filter(locale__language_code=code).first()
        below = wanted[len(prefix) :].strip("/")
        if home and (
            page := Page.objects.filter(url_path=f"{home.url_path}{below}/" if below else home.url_path).first()
        ):
            return page
    return None


class ExplainMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(roles.EXPLAIN_ACCESS))


class ExplainViewSet(ViewSet):
    """The page of the question."""

    name = "access"
    icon = "key"
    menu_label = _("Who may read what")
    menu_item_class = ExplainMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        return [path("", ExplainView.as_view(), name="index")]
