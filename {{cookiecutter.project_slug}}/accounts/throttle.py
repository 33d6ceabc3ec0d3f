"""How often signing in may fail before whoever tries has to wait.

Tries are counted for a name from one address, so that nobody can lock a person out from
elsewhere, and for an address whatever the names are. They are rows: all processes and
machines see the same ones. A try is counted before its password is looked at, or many
at once would all come through.
"""

import logging
import math
from datetime import timedelta
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .models import SignInTry

logger = logging.getLogger(__name__)


class TooManyTries(Exception):
    """No password is looked at for a while.

    Attributes:
        seconds (int): how long that is.
    """

    def __init__(self, seconds):
        super().__init__(f"Try again in {seconds} seconds.")
        self.seconds = seconds


def count(request, name):
    """Count a try to sign in as ``name`` (str), as a failed one until `forget`.

    Raises:
        TooManyTries: it is one too many, and is not counted.
    """
    now, window = timezone.now(), timedelta(seconds=settings.SIGN_IN_WINDOW)
    SignInTry.objects.filter(at__lte=now - window).delete()
    this = SignInTry.objects.create(
        # No name is kept: people type their passwords there by mistake.
        person=salted_hmac(__name__, str(name), algorithm="sha256").hexdigest(),
        address=address_of(request),
        at=now,
    )
    tries = SignInTry.objects.filter(address=this.address).order_by("-at", "-pk")
    tries = list(tries.values_list("at", "person"))
    of_person = [at for at, person in tries if person == this.person]
    of_address = [at for at, _ in tries]
    for times, limit in (
        (of_person, settings.SIGN_IN_TRIES),
        (of_address, settings.SIGN_IN_TRIES_OF_ADDRESS),
    ):
        if len(times) > limit:
            this.delete()
            logger.warning("Too many tries to sign in from %s.", this.address)
            # The newest is this one. There is room again when as many as are
            # allowed have become one fewer.
            raise TooManyTries(math.ceil((times[limit] + window - now).total_seconds()))
    request.sign_in_try = this


def forget(sender, request, user, **kwargs):
    """Forget the tries of who has signed in: a receiver of user_logged_in."""
    this = getattr(request, "sign_in_try", None)
    if this:
        SignInTry.objects.filter(person=this.person, address=this.address).delete()


def address_of(request):
    """Return where a request comes from (str), as far as it tells people apart.

    That is an IPv4 address, or half of an IPv6 one: the other half is everybody's own
    to choose. What is no address, such as a Unix socket, is the same for all.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        # The proxy's own word is the last one; what stands before it, anybody can send.
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", address)
        address = forwarded.rpartition(",")[2].strip()
    try:
        address = ip_address(address)
    except ValueError:
        return ""
    address = getattr(address, "ipv4_mapped", None) or address
    bits = 64 if address.version == 6 else 32
    return str(ip_network((address, bits), strict=False))
