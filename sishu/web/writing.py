"""The writer's desk: begin a work, write on, hand it in, take it back, take it off the shelves.

A form and a JSON client say the same things and are answered in their own way. Whose work it is decides the session
alone; a stranger's work is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from sishu.accounts import selectors as people
from sishu.accounts.models import User
from sishu.commerce import terms
from sishu.content import coauthors, uploads, workflow, writing
from sishu.content.drafts import DraftValues
from sishu.content.models import ArticlePage
from sishu.content.writing import ChangedElsewhere
from sishu.core.errors import DomainError, Invalid, NotAllowed
from sishu.web import answers, editor_input, editor_pages, paths
from sishu.web.editor_input import Sent
from sishu.web.uploads import MAX_PICTURE_FORM_BYTES, check_size

# Names the families of works begun here. See `_family`.
BEGUN = UUID("6f1f6b1c-6c0b-4ce5-9a4b-6b7f0c3f3a52")

View = Callable[..., HttpResponseBase]


def for_writers(view: View) -> View:
    """For people who may publish here: strangers are sent to sign in, others are told the way."""

    @never_cache
    @answers.explain_refusals
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if answers.wants_json(request):
                return answers.refuse(request, 401, people.why_not_publish(request.user), code="not_signed_in")
            here = request.get_full_path() if request.method == "GET" else request.path
            return redirect_to_login(here, reverse("account_login"))
        if why := people.why_not_publish(request.user):
            raise NotAllowed(why)
        return view(request, *args, **kwargs)

    return guarded


@for_writers
def publish(request: HttpRequest) -> HttpResponseBase:
    """GET is an empty sheet; POST begins a work. A program's is handed in at once, unless it says that it is a draft."""
    if request.method == "POST":
        return receive(request, None)
    if answers.wants_json(request):
        return answers.message(request, _("Send the fields by POST."), csrf_token=get_token(request))
    return editor_pages.sheet(request, None)


@for_writers
def edit(request: HttpRequest, key: int) -> HttpResponseBase:
    """GET is the sheet with the newest version; POST keeps another one."""
    page = own(request, key)
    if request.method == "POST":
        return receive(request, page)
    if answers.wants_json(request):
        values, _version = writing.latest_values(page)
        facts: dict[str, Any] = {
            "title": values.title,
            "summary": values.summary,
            "body": values.markdown,
            "tags": list(values.tags),
        }
        return answers.message(request, page.draft_title, csrf_token=get_token(request), **facts, **describe(page))
    return editor_pages.sheet(request, page)


@for_writers
@require_POST
def autosave(request: HttpRequest, key: int | None = None) -> HttpResponseBase:
    """Keeps the text while one writes; price and parts wait for the button, since they count at once."""
    page = own(request, key) if key else None
    try:
        sent = editor_input.read(answers.read_body(request))
        with transaction.atomic(durable=True):
            page = keep(request, page, sent)
    except DomainError as error:
        return refuse_json(request, error)
    facts: dict[str, Any] = {"version": page.latest_revision_id}
    if key is None:
        facts |= {"url": reverse("edit_autosave", args=[page.pk]), "location": reverse("edit", args=[page.pk])}
    return answers.message(request, pgettext("a work", "Saved."), **facts)


def receive(request: HttpRequest, page: ArticlePage | None) -> HttpResponseBase:
    """Do what a form or a program asks, all of it or nothing, and answer it. A refused form comes back as it was."""
    check_size(request, MAX_PICTURE_FORM_BYTES)
    data = answers.read_body(request)
    sent = None
    try:
        sent = _with_cover(request, editor_input.read(data))
        action = sent.action or ("save" if page else "submit")
        with transaction.atomic(durable=True):
            kept = keep(request, page, sent)
            agree(kept, _writer(request), sent)
            if action == "submit":
                hand_in(kept, _writer(request))
        kept.refresh_from_db()
        return answer(request, kept, action, is_new=page is None)
    except DomainError as error:
        if answers.wants_json(request):
            return refuse_json(request, error)
        return editor_pages.sheet(request, page, typed=editor_input.as_typed(data), sent=sent, error=error)


def keep(request: HttpRequest, page: ArticlePage | None, sent: Sent) -> ArticlePage:
    """The work with what was sent as its newest version. The caller's transaction holds it together."""
    user = _writer(request)
    if page is None:
        return begin(user, sent)
    if sent.changes:
        values, latest = writing.latest_values(page)
        version = latest if sent.version is None else sent.version
        writing.save_draft(page, user, replace(values, **sent.changes), version)
        page.refresh_from_db()  # its price is judged by what was just kept
    return page


def begin(user: User, sent: Sent) -> ArticlePage:
    """A new work. The same sheet sent twice (a double click, its own autosave) is the same work."""
    family = _family(user, sent)
    values = DraftValues(**{"title": "", **sent.changes})
    if family is not None and (begun := _begun(user, family)):
        writing.save_draft(begun, user, values, version=0)
        begun.refresh_from_db()
        return begun
    language = sent.language or get_language() or settings.LANGUAGE_CODE
    try:
        with transaction.atomic():
            return writing.create(user, language, values, family=family)
    except IntegrityError:
        begun = _begun(user, family) if family else None
        if begun is None:
            raise
        return begun


def agree(page: ArticlePage, user: User, sent: Sent) -> None:
    """Price and parts as they were typed; an empty price takes the work off sale."""
    if sent.price == "":
        terms.close(page, user)
        return
    amount = None if sent.price is None else editor_input.money(sent.price)
    terms.agree(page, user, amount, {key: editor_input.percent(text) for key, text in sent.shares.items()})


def hand_in(page: ArticlePage, user: User) -> None:
    """Publish the newest version where no reviewer is needed; submit it where one is."""
    page.refresh_from_db()
    if page.live and not page.has_unpublished_changes and not page.withdrawn_at:
        return  # readers have this version already
    values, _version = writing.latest_values(page)
    if not values.markdown.strip():
        raise Invalid(_("There is no text yet. Write it, then hand it in."), code="body")
    if writing.may_publish_at_once(page, user):
        writing.publish(page, user)
    else:
        writing.submit(page, user)


def answer(request: HttpRequest, page: ArticlePage, action: str, *, is_new: bool) -> HttpResponseBase:
    """The contract's words, or back to the sheet with them."""
    status = 200
    if action != "submit":
        words = _("Saved as a draft.") if is_new else pgettext("a work", "Saved.")
        status = 201 if is_new else 200
    elif page.live and not page.has_unpublished_changes:
        words, status = pgettext("a work", "Published."), 201 if is_new else 200
    else:
        words, status = pgettext("a work", "Submitted for review."), 202
    if answers.wants_json(request):
        return answers.message(request, words, status, **describe(page))
    messages.success(request, words)
    return redirect("edit", page.pk)


def refuse_json(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A problem document that names the field; for a conflict also who saved, when, and which version is the newest."""
    if isinstance(error, ChangedElsewhere):
        when = error.when.isoformat() if error.when else None
        return answers.message(request, error, 409, code=error.code, who=error.who, when=when, version=error.version)
    errors = {error.code: [str(error)]} if isinstance(error, Invalid) else None
    return answers.problem(error.status, error, error.code, errors)


def describe(page: ArticlePage) -> dict[str, Any]:
    """A work as JSON answers carry it."""
    facts: dict[str, Any] = {
        "id": page.pk,
        "version": page.latest_revision_id,
        "review_status": workflow.review_state(page).status,
        "url": reverse("edit", args=[page.pk]),
    }
    return facts | ({"page": paths.page_path(page)} if page.live else {})


@for_writers
@require_safe
def own_works(request: HttpRequest) -> HttpResponse:
    """What one wrote, and where each of it stands."""
    return editor_pages.own_list(request)


@for_writers
@require_safe
def preview(request: HttpRequest, key: int) -> HttpResponse:
    """The newest version as a reader would see it: ?as=stranger, signed-in or buyer."""
    return editor_pages.preview(request, own(request, key), request.GET.get("as", "stranger"))


def work_action(do: Callable[[HttpRequest, ArticlePage], str]) -> View:
    """A view that does one thing with one's own work, says so, and comes back to the sheet."""

    @for_writers
    @require_POST
    @wraps(do)
    def view(request: HttpRequest, key: int) -> HttpResponseBase:
        page = own(request, key)
        try:
            with transaction.atomic(durable=True):
                words = do(request, page)
        except DomainError as error:
            if answers.wants_json(request):
                return refuse_json(request, error)
            return editor_pages.sheet(request, page, error=error)
        page.refresh_from_db()
        if answers.wants_json(request):
            return answers.message(request, words, **describe(page))
        messages.success(request, words)
        return redirect("edit", page.pk)

    return view


@work_action
def take_back(request: HttpRequest, page: ArticlePage) -> str:
    """End the review, to go on writing."""
    writing.take_back(page, _writer(request))
    return _("Taken back. You can write on.")


@work_action
def withdraw(request: HttpRequest, page: ArticlePage) -> str:
    """Take the work off the shelves in every language, and off sale."""
    reason = str(answers.read_body(request).get("reason") or "")
    terms.withdraw(page, _writer(request), reason)
    return _("Withdrawn. Those who bought it keep it; nobody else finds it.")


@work_action
def restore(request: HttpRequest, page: ArticlePage) -> str:
    """Put it back. What it costs is for the writer to say anew."""
    writing.restore(page, _writer(request))
    return _("Back on the shelves. To sell it again, set its price.")


@work_action
def invite(request: HttpRequest, page: ArticlePage) -> str:
    """Ask somebody to write with one."""
    person = coauthors.invite(page, _writer(request), str(answers.read_body(request).get("coauthor") or ""))
    return _("%(name)s has been asked. Once they accept, they can edit this work, and you say what part is theirs.") % {
        "name": person.name
    }


@work_action
def uninvite(request: HttpRequest, page: ArticlePage) -> str:
    """Ask them no longer."""
    person_id = editor_input.whole(answers.read_body(request), "person")
    person = coauthors.uninvite(page, _writer(request), person_id or 0)
    return _("%(name)s is not asked any more.") % {"name": person.name}


@work_action
def dismiss(request: HttpRequest, page: ArticlePage) -> str:
    """Write without them."""
    person_id = editor_input.whole(answers.read_body(request), "person")
    person = coauthors.remove(page, _writer(request), person_id or 0)
    terms.share_anew(page)
    return _("%(name)s is no co-author any more. What they earned stays theirs.") % {"name": person.name}


@for_writers
@require_POST
def translate(request: HttpRequest, key: int) -> HttpResponseBase:
    """To the work's page in the other language, begun from this one when there is none."""
    with transaction.atomic(durable=True):
        twin = writing.add_translation(own(request, key), _writer(request))
    if answers.wants_json(request):
        return answers.message(request, _("Saved as a draft."), 201, **describe(twin))
    return redirect("edit", twin.pk)


def own(request: HttpRequest, key: int) -> ArticlePage:
    """One's own work; anybody else's is not there."""
    return writing.find_own(request.user, key)  # type: ignore[arg-type]


def _writer(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  for_writers saw to it
    return request.user


def _with_cover(request: HttpRequest, sent: Sent) -> Sent:
    """With the cover that came along kept first: should the rest be refused, it need not be sent again."""
    upload = request.FILES.get("cover_file")
    if not upload:
        return sent
    try:
        picture = uploads.add_picture(_writer(request), upload)
    except Invalid as error:
        raise Invalid(str(error), code="cover") from error
    return replace(sent, changes={**sent.changes, "cover_id": picture.pk})


def _family(user: User, sent: Sent) -> UUID | None:
    # Whoever is in a family reads all of it, so a client must not choose one: its word goes through a hash, with the user.
    return uuid5(BEGUN, f"{user.pk}:{sent.begun}") if sent.begun else None


def _begun(user: User, family: UUID) -> ArticlePage | None:
    return ArticlePage.objects.filter(translation_key=family, authorships__user=user).order_by("pk").first()


urlpatterns = [
    path("publish", publish, name="publish"),
    path("publish/autosave", autosave, name="publish_autosave"),
    path("edit/<int:key>", edit, name="edit"),
    path("edit/<int:key>/autosave", autosave, name="edit_autosave"),
    path("edit/<int:key>/preview", preview, name="edit_preview"),
    path("edit/<int:key>/take-back", take_back, name="edit_take_back"),
    path("edit/<int:key>/withdraw", withdraw, name="edit_withdraw"),
    path("edit/<int:key>/restore", restore, name="edit_restore"),
    path("edit/<int:key>/coauthors", invite, name="edit_invite"),
    path("edit/<int:key>/coauthors/uninvite", uninvite, name="edit_uninvite"),
    path("edit/<int:key>/coauthors/remove", dismiss, name="edit_dismiss"),
    path("edit/<int:key>/translation", translate, name="edit_translate"),
    path("writing", own_works, name="writing"),
]
