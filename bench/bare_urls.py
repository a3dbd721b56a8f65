from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from wagtail import urls as wagtail_urls


def constant(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("constant", constant), path("", include(wagtail_urls))]
