"""Where payment providers write to us: signature first, then the truth, then an answer they understand."""

from __future__ import annotations

import logging

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from sishu.commerce import merchants, notices
from sishu.core.cache import count
from sishu.core.errors import Missing
from sishu.gateways.base import BadNotice, GatewayError

log = logging.getLogger(__name__)

# No provider's notice comes near it.
MAX_NOTICE_BYTES = 64 * 1024
# So many that were not believed, from one address within a minute, and no more is verified for it.
MAX_FORGERIES, MINUTE = 60, 60


@csrf_exempt  # the signature is the proof; a provider has no cookie
@require_POST
def receive(request: HttpRequest, gateway_name: str) -> HttpResponse:
    """One notice. 200 once it is applied (again), 4xx when it is not believed, 5xx when it must be sent again."""
    if gateway_name not in merchants.names():
        raise Http404
    if int(request.headers.get("Content-Length") or 0) > MAX_NOTICE_BYTES:
        return HttpResponse("too large", status=413, content_type="text/plain")
    forgeries = f"forgeries:{gateway_name}:{get_adapter().get_client_ip(request)}"
    if cache.get(forgeries, 0) >= MAX_FORGERIES:
        return HttpResponse("too many", status=429, content_type="text/plain")
    try:
        notices.receive(gateway_name, request.headers, request.body)
    except BadNotice as error:
        count(forgeries, MINUTE)
        # Why stays with us: the answer must not help whoever forges.
        log.warning("Refused a notice for %s: %s", gateway_name, error)
        return HttpResponse("refused", status=400, content_type="text/plain")
    except GatewayError as error:
        log.warning("Heard from %s, and could not ask it: %s", gateway_name, error)
        return HttpResponse("later", status=503, content_type="text/plain")
    except Missing:
        return HttpResponse("unknown", status=404, content_type="text/plain")
    return HttpResponse("success", content_type="text/plain")


urlpatterns = [path("webhooks/<slug:gateway_name>", receive, name="webhook")]
