"""Find the people with whom a user can share frames, in any user model."""

from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db.models import Case, Q, QuerySet, Value, When

from ..decorators import user_can_use_frames

MIN_LETTERS = 2  # Shorter searches find nobody.
MAX_LETTERS = 100
MAX_FOUND = 10
# USER_CAN_USE_FRAMES is called for at most this many people in a search.
MAX_CHECKED = 50


class Ambiguous(LookupError):
    """Several people have this name or this e-mail address."""


def can_receive(person: AbstractBaseUser) -> bool:
    """Return whether a user can open frames that others share."""
    return person.is_active and user_can_use_frames(person)


def find_people(text: str, owner: AbstractBaseUser) -> list[AbstractBaseUser]:
    """Return up to MAX_FOUND people who match a search, except the owner.

    Each word has to be a part of the username, the first name or the last name, or the
    beginning of the e-mail address.
    """
    text = text.strip()[:MAX_LETTERS]
    if len(text) < MIN_LETTERS:
        return []
    name = get_user_model().USERNAME_FIELD
    matches = Q()
    for word in text.split():
        parts = {f"{field}__icontains": word for field in _name_fields()}
        if email := _email_field():
            parts.setdefault(f"{email}__istartswith", word)
        matches &= Q(*parts.items(), _connector=Q.OR)
    begins = When(**{f"{name}__istartswith": text}, then=Value(0))
    people = _active_users().filter(matches).exclude(pk=owner.pk)
    people = people.order_by(Case(begins, default=Value(1)), name)
    found = (person for person in people[:MAX_CHECKED] if can_receive(person))
    return list(islice(found, MAX_FOUND))


def find_person(text: str, by_full_name: bool = False) -> AbstractBaseUser | None:
    """Return the user with a username or an e-mail address, or None.

    The case of letters matters only if several users differ in nothing else.

    Args:
        by_full_name: also find a user by their first and last name.

    Raises:
        Ambiguous: several users match.
    """
    model: Any = get_user_model()
    name = model.USERNAME_FIELD
    lookups = [{name: model.normalize_username(text)}, {f"{name}__iexact": text}]
    if email := _email_field():
        lookups += [{email: text}, {f"{email}__iexact": text}]
    if by_full_name and {"first_name", "last_name"} <= set(_name_fields()):
        first, _, last = text.rpartition(" ")
        lookups.append({"first_name__iexact": first, "last_name__iexact": last})
    for lookup in lookups:
        found = model._default_manager.filter(**lookup)[:2]
        if len(found) > 1:
            raise Ambiguous(text)
        # Never choose another person instead of one who cannot receive the frame.
        if found:
            return found[0] if can_receive(found[0]) else None
    return None


def groups_of(owner: AbstractBaseUser) -> QuerySet[Group]:
    """Return the groups with which a user can share frames.

    These are the user's own groups, or all of them for a user who may view groups.
    """
    # Some user models have no groups, and some have no permissions.
    if hasattr(owner, "has_perm") and owner.has_perm("auth.view_group"):
        return Group.objects.order_by("name")
    if hasattr(owner, "groups"):
        return owner.groups.order_by("name")
    return Group.objects.none()


def full_name(person: AbstractBaseUser) -> str:
    """Return the first and last name of a user; empty if they are unknown."""
    get_full_name = getattr(person, "get_full_name", None)
    name = str(get_full_name()).strip() if get_full_name else ""
    return "" if name == person.get_username() else name


def label(person: AbstractBaseUser) -> str:
    """Return the full name of a user with the username, or only the username."""
    name, username = full_name(person), person.get_username()
    return f"{name} ({username})" if name else username


def _active_users() -> QuerySet[AbstractBaseUser]:
    users = get_user_model()._default_manager.all()
    return users.filter(is_active=True) if "is_active" in _fields() else users


def _fields() -> set[str]:
    return {field.name for field in get_user_model()._meta.concrete_fields}


def _name_fields() -> list[str]:
    names = get_user_model().USERNAME_FIELD, "first_name", "last_name"
    return [name for name in names if name in _fields()]


def _email_field() -> str | None:
    model: Any = get_user_model()
    name = model.get_email_field_name()
    return name if name in _fields() else None
