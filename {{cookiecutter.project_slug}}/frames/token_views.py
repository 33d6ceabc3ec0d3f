"""The page where people make tokens for their programs, see them, and revoke them."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from .tokens import MAX_TOKENS, Token


class TokenForm(forms.ModelForm):
    class Meta:
        model = Token
        fields = ["name"]

    def clean(self):
        count = Token.objects.filter(user=self.instance.user).count()
        if count >= MAX_TOKENS:
            text = _("You have %(count)s tokens, and nobody may have more. Revoke one.")
            raise forms.ValidationError(text % {"count": count})
        return super().clean()


@login_required
@never_cache  # A token is shown once.
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request):
    """List a person's tokens; by POST, make another one and show it."""
    form, made = TokenForm(), None
    if request.method == "POST":
        form = TokenForm(request.POST, instance=Token(user=request.user))
        if form.is_valid():
            made = Token.objects.issue(request.user, form.cleaned_data["name"])
            form = TokenForm()
    context = {
        "form": form,
        "made": made,
        "push_url": request.build_absolute_uri(reverse("frames:push")),
        "tokens": Token.objects.filter(user=request.user),
    }
    return render(request, "frames/tokens.html", context)


@login_required
@require_POST
def revoke(request, pk):
    """Delete a person's token: what uses it is refused from now on."""
    get_object_or_404(Token, pk=pk, user=request.user).delete()
    return redirect("frames:tokens")
