"""Tell people by e-mail that a frame was shared with them."""

import logging
from collections.abc import Iterable
from threading import Thread
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from ..models import Role, Share
from .people import full_name

logger = logging.getLogger(__name__)

THREAD = "share mails"  # The name of the threads.
# These backends of Django send nothing to people.
NOT_SENDING = {
    f"django.core.mail.backends.{name}.EmailBackend"
    for name in ("console", "dummy", "locmem")
}


def sends_mail() -> bool:
    """Return whether the site is configured to send e-mails.

    Without any setting, Django would try to use a mail server on this machine.
    """
    site: Any = settings
    if hasattr(site, "MAILERS"):  # Django 6.1 replaces EMAIL_* with MAILERS.
        backend = site.MAILERS.get("default", {}).get("BACKEND", "")
    elif site.is_overridden("EMAIL_BACKEND") or site.is_overridden("EMAIL_HOST"):
        backend = site.EMAIL_BACKEND
    else:
        return False
    return bool(backend) and backend not in NOT_SENDING


def send_share_mails(
    shares: Iterable[Share], sharer: AbstractBaseUser, url: str
) -> None:
    """Send an e-mail to each user of these shares who has an address.

    The mails are sent in a thread, so that nobody waits for the mail server. Errors are
    logged.

    Args:
        url: the URL of the frame, with the host.
    """
    messages = [
        (share.user_id, message)
        for share in shares
        if (message := _message(share, sharer, url)) is not None
    ]
    if messages:
        thread = Thread(target=_send, args=[messages], name=THREAD)
        transaction.on_commit(thread.start)


def _message(share: Share, sharer: AbstractBaseUser, url: str) -> EmailMessage | None:
    person = share.user
    address = getattr(person, get_user_model().get_email_field_name(), "")
    if person is None or not address:
        return None
    context = {
        "person": full_name(person) or person.get_username(),
        "sharer": full_name(sharer) or sharer.get_username(),
        "title": share.frame.title,
        "is_editor": share.role == Role.EDITOR,
        "url": url,
        "site_name": getattr(settings, "SITE_NAME", ""),
    }
    # Threads do not have the language of the request, so render the text here.
    with translation.override(_language_of(person)):
        subject = gettext("%(sharer)s has shared “%(title)s” with you") % context
        text = render_to_string("frames/share_mail.txt", context)
    return EmailMessage(" ".join(subject.split()), text, None, [address])


def _language_of(person: AbstractBaseUser) -> str | None:
    """Return the ``language`` of a user, if the user model has this field.

    Otherwise, return the language of the request.
    """
    language = getattr(person, "language", "")
    known = dict(settings.LANGUAGES)
    return language if language in known else translation.get_language()


def _send(messages: Iterable[tuple[object, EmailMessage]]) -> None:
    for pk, message in messages:
        try:
            message.send()
        except Exception:
            logger.exception("The e-mail to user %s about a share was not sent", pk)
