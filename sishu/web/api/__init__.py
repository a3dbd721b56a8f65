"""The same house for programs: REST at /api/v1/, described by OpenAPI, and by a page for people."""

from __future__ import annotations

from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from sishu.web.api import auth, docs, entitlements, me, offers, orders, problems, works, writing
from sishu.web.api.description import DescribedAPI, PlainRenderer

api = DescribedAPI(
    title="Sishu 私塾",
    version="1",
    urls_namespace="api",
    docs_url=None,
    throttle=auth.RateLimit(),
    parser=problems.JsonParser(),
    renderer=PlainRenderer(),
)
problems.add_exception_handlers(api)
for noun in (works, offers, orders, entitlements, me, writing):
    api.add_router("", noun.router)

below = api.urls
for pattern in below[0]:
    pattern.callback = problems.with_problems(pattern.callback)  # type: ignore[arg-type]

urlpatterns = [
    path("api/docs", docs.page_of(api), name="api_docs"),
    path("api/v1/", below),
    re_path(r"^api(?:/.*)?$", csrf_exempt(problems.not_found)),
]
