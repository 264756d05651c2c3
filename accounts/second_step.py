"""The admin's second step: after the password a code, and for whoever must have an app and has none, setting it up."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

import segno
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views import View
from rest_framework.exceptions import APIException

from accounts import second_factor
from accounts.models import SecondFactor, User
from audit import trail
from audit.models import Action
from avicenna.errors import ActionError

PROOF = "second_factor"
TOLD = "told_to_the_trail"


class SecondStepMiddleware:
    """Nothing of the admin opens on a password alone where a second factor is set up or required."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(_admin()) and request.path not in _open_pages():
            user = request.user
            if isinstance(user, User) and user.is_staff:
                if not _has_proven(request, user):
                    return redirect(f"{reverse('second-step')}?{urlencode({'next': request.get_full_path()})}")
                _tell_once(request, user)
        return self.get_response(request)


@cache
def _admin() -> str:
    """Asked for with every request."""
    return reverse("admin:index")


def _open_pages() -> set[str]:
    return {reverse(name) for name in ("second-step", "admin:login", "admin:logout", "admin:jsi18n")}


def _has_proven(request: HttpRequest, user: User) -> bool:
    factor = second_factor.of(user)
    if factor is None:
        return not second_factor.is_required(user)
    return bool(request.session.get(PROOF) == _proof(factor))


def _tell_once(request: HttpRequest, user: User) -> None:
    """The audit trail hears of the sign-in when the admin opens by it."""
    if not request.session.get(TOLD):
        request.session[TOLD] = True
        with transaction.atomic():
            trail.signed(user, Action.SIGNED_IN)


def _proof(factor: SecondFactor) -> str:
    """Another app proves anew."""
    return factor.confirmed_at.isoformat() if factor.confirmed_at else ""


class SecondStepView(View):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (isinstance(request.user, User) and request.user.is_staff):
            return redirect("admin:login")
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        user, code = cast(User, request.user), request.POST.get("code", "")[:40]
        recovery_codes: list[str] = []
        try:
            if second_factor.of(user):
                second_factor.spend(user, code)
            else:
                recovery_codes = second_factor.confirm(user, code)
        except (ActionError, APIException) as error:
            messages.error(request, str(getattr(error, "message", error)))
            return self._page(request)
        request.session.cycle_key()
        request.session[PROOF] = _proof(cast(SecondFactor, second_factor.of(user)))
        if recovery_codes:
            return self._page(request, recovery_codes=recovery_codes)
        return HttpResponseRedirect(_onward(request))

    def _page(self, request: HttpRequest, recovery_codes: list[str] | None = None) -> HttpResponse:
        user = cast(User, request.user)
        context = admin.site.each_context(request) | {"onward": _onward(request), "recovery_codes": recovery_codes}
        # The page is not the admin yet: without its menus.
        context |= {"title": _("Second step"), "is_nav_sidebar_enabled": False, "available_apps": []}
        if not second_factor.of(user):
            factor = second_factor.begin(user)
            address = second_factor.address_for_app(factor)
            # On white also where the admin is dark: an app reads nothing else.
            picture = segno.make(address, micro=False).svg_data_uri(scale=5, light="white")
            context |= {"picture": picture, "secret": factor.secret}
        return render(request, "accounts/second_step.html", context | {"words": _words()})


def _onward(request: HttpRequest) -> str:
    asked = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if is_ours else reverse("admin:index")


def _words() -> dict[str, str]:
    return {
        "set_up": _("Your account needs an authenticator app. Scan the picture with it, then type the code it shows."),
        "by_hand": _("Or type this key into the app:"),
        "prove": _("Type the code that your authenticator app shows, or one of your recovery codes."),
        "code": _("Code"),
        "go_on": _("Go on"),
        "keep": _("Keep these recovery codes. Each opens once when the app is lost; they are not shown again."),
    }
