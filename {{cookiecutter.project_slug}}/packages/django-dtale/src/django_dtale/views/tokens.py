"""The page on which users create, list and revoke access tokens for their programs."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ..conf import dtale_settings
from ..decorators import frames_login_required
from ..models.tokens import MAX_TOKENS, Scope, Token

YEAR = 365  # Days.
LIFETIMES = 30, 90, YEAR


class TokenForm(forms.ModelForm):
    scope = forms.TypedChoiceField(
        label=gettext_lazy("Scope"),
        choices=Scope.choices,
        initial=Scope.WRITE,
        required=False,
        empty_value=Scope.WRITE,
        help_text=gettext_lazy(
            "Reading includes the tables that others share with you."
        ),
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("Expires"), coerce=int, required=False, empty_value=None
    )

    class Meta:
        model = Token
        fields = ["name"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        limit, field = dtale_settings.MAX_TOKEN_DAYS, self.fields["days"]
        allowed = sorted({min(days, limit or days) for days in LIFETIMES})
        choices: list[tuple[Any, str]] = [(days, _lifetime(days)) for days in allowed]
        if not limit:
            choices.append(("", _("Never")))
        field.choices = choices  # type: ignore[attr-defined]
        field.required = bool(limit)
        field.initial = min(90, allowed[-1])

    def clean(self) -> dict[str, Any] | None:
        count = Token.objects.filter(user=self.instance.user).count()
        if count >= MAX_TOKENS:
            text = _("You have %(count)s tokens, which is the limit. Revoke one first.")
            raise forms.ValidationError(text % {"count": count})
        return super().clean()


def _lifetime(days: int) -> str:
    if days == YEAR:
        return _("In 1 year")
    return ngettext("In %(days)s day", "In %(days)s days", days) % {"days": days}


@login_required
@frames_login_required
@never_cache  # A new token is shown only once.
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """List the user's tokens. A POST creates a token and shows it."""
    user: Any = request.user
    form, made, scopes = TokenForm(), None, []
    if request.method == "POST":
        form = TokenForm(request.POST, instance=Token(user=user))
        if form.is_valid():
            made = Token.objects.create_token(user, **form.cleaned_data)
            scopes = form.cleaned_data["scope"].split()
            form = TokenForm()
    context = {
        "form": form,
        "made": made,
        "scopes": scopes,
        "push_url": request.build_absolute_uri(reverse("frames:push")),
        "parquet_url": request.build_absolute_uri(reverse("frames:parquet", args=[1])),
        "tokens": Token.objects.filter(user=user),
    }
    return render(request, "frames/tokens.html", context)


@login_required
@frames_login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a token of the user. Requests with it are refused from then on."""
    get_object_or_404(Token, pk=pk, user=request.user).delete()
    return redirect("frames:tokens")
