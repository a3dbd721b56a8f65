"""What one may read because one bought it."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Query, Router

from sishu.commerce.models import Entitlement
from sishu.core import addresses, clock
from sishu.web import paths
from sishu.web.api import auth, offers, schemas
from sishu.web.api.paging import Paging

router = Router(tags=["entitlements"], auth=auth.KNOWN)


@router.get(
    "/entitlements",
    response=schemas.EntitlementList,
    summary=gettext_noop("List what you bought"),
    description=gettext_noop("What is valid now, newest first. It opens the work in every language."),
)
def list_entitlements(request: HttpRequest, paging: Query[Paging]) -> schemas.EntitlementList:
    own = Entitlement.objects.filter(user=auth.person(request))
    held = own.valid(clock.now()).select_related("page__locale")
    return schemas.EntitlementList(items=[_describe(one) for one in paging.cut(held)], **paging.of(held.count()))


def _describe(held: Entitlement) -> schemas.Entitlement:
    return schemas.Entitlement(
        id=held.pk,
        title=held.page.title,
        url=addresses.absolute(paths.page_path(held.page)),
        work_id=offers.work_id_of(held.page),
        starts_at=held.starts_at,
        ends_at=held.ends_at,
    )
