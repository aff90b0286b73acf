"""A web application by Django and mozilla-django-oidc, as its documentation has it, in one file."""
import os

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse
from django.urls import include, path


settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY=os.urandom(32).hex(),
    ROOT_URLCONF=__name__,
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    USE_X_FORWARDED_HOST=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "mozilla_django_oidc"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    LOGGING={"version": 1, "handlers": {"console": {"class": "logging.StreamHandler"}}, "root": {"handlers": ["console"]}},
    OIDC_RP_CLIENT_ID=os.environ["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["CLIENT_SECRET"],
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_RP_SCOPES="openid profile email",
    OIDC_USE_PKCE=True,
    OIDC_OP_AUTHORIZATION_ENDPOINT=os.environ["AUTHORIZATION_ENDPOINT"],
    OIDC_OP_TOKEN_ENDPOINT=os.environ["TOKEN_ENDPOINT"],
    OIDC_OP_USER_ENDPOINT=os.environ["USERINFO_ENDPOINT"],
    OIDC_OP_JWKS_ENDPOINT=os.environ["JWKS_URI"],
    LOGIN_REDIRECT_URL="/",
    LOGIN_REDIRECT_URL_FAILURE="/failure",
)
django.setup()


def home(request):
    return HttpResponse(f"Hello, {request.user.email}" if request.user.is_authenticated else "nobody")


class Refusals:
    """Says what was refused."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, error):
        return HttpResponse(f"{type(error).__name__}: {error}", status=403)


settings.MIDDLEWARE.append(f"{__name__}.Refusals")
urlpatterns = [
    path("", home),
    path("healthz", lambda request: HttpResponse("ok")),
    path("failure", lambda request: HttpResponse("not signed in", status=403)),
    path("oidc/", include("mozilla_django_oidc.urls")),
]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    call_command("runserver", f"127.0.0.1:{os.environ['PORT']}", use_reloader=False)
