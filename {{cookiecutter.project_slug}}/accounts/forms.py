import logging
from threading import Thread
from typing import Any

from django.contrib.auth import forms
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)


class PasswordResetForm(forms.PasswordResetForm):
    """Django's form, except that it does not wait for the mail server.

    Only addresses with an account receive an e-mail. The response time must not reveal
    which addresses these are.
    """

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        # Render it here, because threads lack the request's language and SCRIPT_NAME.
        message = EmailMessage(
            "".join(render_to_string(subject_template_name, context).splitlines()),
            render_to_string(email_template_name, context),
            from_email,
            [to_email],
        )
        Thread(target=_send, args=[message, context["user"].pk]).start()


def _send(message: EmailMessage, pk: object) -> None:
    try:
        message.send()
    except Exception:
        logger.exception(
            "The e-mail to reset the password of user %s could not be sent", pk
        )
