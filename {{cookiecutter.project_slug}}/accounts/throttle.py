"""Limits on sign-in attempts, counted in the database.

Attempts are counted for each address, and for each pair of a name and an address, so
that no client can lock out a user at another address. All processes and machines share
the rows. An attempt is counted before its password is checked; otherwise,
parallel attempts could exceed the limit.

django-axes (8.3) is not used, for five reasons. It counts after the check. Its counter
restarts a fixed time after the last failure, so it has no sliding window and cannot
tell users how long to wait. It has one limit for all combinations of name and address.
It stores names as typed, and people sometimes type their password there. It does not
count password resets.
"""

import logging
import math
from datetime import timedelta
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .models import SignInTry

logger = logging.getLogger(__name__)


class TooManyTries(Exception):
    """Too many attempts have failed. No password is checked for `seconds` seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Try again in {seconds} seconds.")
        self.seconds = seconds


def count(request: HttpRequest, name: str) -> None:
    """Count a sign-in attempt. It counts as failed until `forget` is called.

    Raises:
        TooManyTries: There were too many attempts. This one is not counted.
    """
    now, window = timezone.now(), timedelta(seconds=settings.SIGN_IN_WINDOW)
    SignInTry.objects.filter(at__lte=now - window).delete()
    this = SignInTry.objects.create(
        person=salted_hmac(__name__, str(name), algorithm="sha256").hexdigest(),
        address=address_of(request),
        at=now,
    )
    rows = SignInTry.objects.filter(address=this.address).order_by("-at", "-pk")
    tries = list(rows.values_list("at", "person"))
    of_person = [at for at, person in tries if person == this.person]
    of_address = [at for at, _ in tries]
    for times, limit in (
        (of_person, settings.SIGN_IN_TRIES),
        (of_address, settings.SIGN_IN_TRIES_OF_ADDRESS),
    ):
        if len(times) > limit:
            this.delete()
            logger.warning("Too many attempts to sign in from %s.", this.address)
            # The first entry is this attempt. The next attempt is allowed when the
            # oldest of the `limit` attempts before this one leaves the window.
            raise TooManyTries(math.ceil((times[limit] + window - now).total_seconds()))
    request.sign_in_try = this  # type: ignore[attr-defined]


@receiver(user_logged_in)
def forget(
    sender: object, request: HttpRequest, user: object, **kwargs: object
) -> None:
    """Delete the attempts of a user who has signed in."""
    this = getattr(request, "sign_in_try", None)
    if this:
        SignInTry.objects.filter(person=this.person, address=this.address).delete()


def address_of(request: HttpRequest) -> str:
    """Return the client's network, as defined by `network_of`."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        # The proxy adds the last part. Clients may have sent the parts before it.
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", address)
        address = forwarded.rpartition(",")[2].strip()
    return network_of(address)


def network_of(address: str) -> str:
    """Return the network that counts as one client.

    This is an IPv4 address, or the first half of an IPv6 address, because clients can
    choose the second half. All clients without an IP address (on Unix sockets) count
    as one.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    bits = 64 if ip.version == 6 else 32
    return str(ip_network((ip, bits), strict=False))
