import logging
from threading import Thread

from django.contrib.auth import forms
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


class PasswordResetForm(forms.PasswordResetForm):
    """Django's own, which does not wait for the mail server.

    Only who has an account is sent something: that must not be seen by how long it takes.
    """

    def send_mail(self, subject, body, context, from_email, to_email, **_options):
        # Here, where the request's language and the site's path are known.
        message = EmailMessage(
            "".join(render_to_string(subject, context).splitlines()),
            render_to_string(body, context),
            from_email,
            [to_email],
        )
        Thread(target=_send, args=[message, context["user"].pk]).start()


def _send(message, pk):
    try:
        message.send()
    except Exception:
        logger.exception("No e-mail for another password reached user %s", pk)
