"""Where payment providers write to us: signature first, then the truth, then an answer they understand."""

from __future__ import annotations

import logging
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from sishu.commerce import payments
from sishu.core import plugins
from sishu.core.errors import Missing
from sishu.core.refs import ref
from sishu.gateways.base import BadNotice, GatewayError, PaymentGateway
from sishu.moderation import cases

log = logging.getLogger(__name__)

# No provider's notice comes near it.
MAX_NOTICE_BYTES = 64 * 1024


@csrf_exempt  # the signature is the proof; a provider has no cookie
@require_POST
def receive(request: HttpRequest, gateway_name: str) -> HttpResponse:
    """One notice. 200 once it is applied (again), 4xx when it is not believed, 5xx when it must be sent again."""
    if gateway_name not in plugins.names("gateways"):
        raise Http404
    if int(request.headers.get("Content-Length") or 0) > MAX_NOTICE_BYTES:
        return HttpResponse("too large", status=413, content_type="text/plain")
    gateway: PaymentGateway = plugins.load("gateways", gateway_name)
    try:
        notice = gateway.parse_notice(request.headers, request.body)
    except BadNotice as error:
        # Why stays with us: the answer must not help whoever forges.
        log.warning("Refused a notice for %s: %s", gateway_name, error)
        return HttpResponse("refused", status=400, content_type="text/plain")
    except GatewayError as error:
        log.warning("Heard from %s, and could not ask it for the rest: %s", gateway_name, error)
        return HttpResponse("later", status=503, content_type="text/plain")
    try:
        payments.hear(gateway_name, notice)
    except GatewayError as error:
        log.warning("Heard from %s about %s, and could not ask it: %s", gateway_name, notice.reference, error)
        return HttpResponse("later", status=503, content_type="text/plain")
    except Missing:
        log.error("%s has a payment %s that we never asked for.", gateway_name, notice.reference)
        data: dict[str, Any] = {"gateway": gateway_name, "reference": notice.reference[:64]}
        if notice.snapshot and notice.snapshot.captured is not None:
            data["money"] = notice.snapshot.captured.as_json()
        cases.open(
            ref=ref(gateway_name, data["reference"]), kind="unknown_payment",
            code="unknown_money" if "money" in data else "unknown_payment", data=data,
        )  # fmt: skip
        return HttpResponse("unknown", status=404, content_type="text/plain")
    return HttpResponse("success", content_type="text/plain")


urlpatterns = [path("webhooks/<slug:gateway_name>", receive, name="webhook")]
