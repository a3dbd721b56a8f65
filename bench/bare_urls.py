from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from wagtail import urls as wagtail_urls


@csrf_exempt  # payments are compared with it, which are POSTs
def constant(request: HttpRequest) -> HttpResponse:
    request.read()  # granian hangs up on who sends a body that nobody reads
    return HttpResponse("ok")


urlpatterns = [path("constant", constant), path("", include(wagtail_urls))]
