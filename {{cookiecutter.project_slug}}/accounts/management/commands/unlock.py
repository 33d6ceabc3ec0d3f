from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import SignInTry
from accounts.throttle import network_of


class Command(BaseCommand):
    help = "Let users sign in again after too many failed attempts."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("address", nargs="?", help="IP address of the users")
        which.add_argument("--all", action="store_true", help="unlock all addresses")

    def handle(self, *, address: str | None, all: bool, **options: Any) -> None:
        tries = SignInTry.objects.all()
        if not all:
            network = network_of(address or "")
            if not network:
                raise CommandError(f"{address} is not an IP address.")
            tries = tries.filter(address=network)
        count, _ = tries.delete()
        self.stdout.write(f"Deleted {count} failed sign-in attempts.")
