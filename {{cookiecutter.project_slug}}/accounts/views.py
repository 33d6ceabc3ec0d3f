from django.conf import settings
from django.contrib.auth import views

from . import throttle
from .forms import PasswordResetForm


class PasswordResetView(views.PasswordResetView):
    """Django's own, asked no more often than one may try to sign in.

    The answer is the same, whether anybody has an account with that address.
    """

    template_name = "accounts/reset.html"
    email_template_name = "accounts/reset_email.txt"
    subject_template_name = "accounts/reset_subject.txt"
    extra_email_context = {"site_name": settings.SITE_NAME}
    form_class = PasswordResetForm

    def form_valid(self, form):
        # Not as a name that signs in: these tries are counted apart.
        throttle.count(self.request, f"reset {form.cleaned_data['email'].lower()}")
        return super().form_valid(form)
