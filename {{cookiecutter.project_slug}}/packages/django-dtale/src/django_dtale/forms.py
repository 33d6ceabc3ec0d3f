"""Forms of the app's own pages."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .decorators import may_list_users
from .models import EVERYONE, Frame, People, RemovedShare, Role, Share
from .models.names import MAX_LENGTH, clean_name
from .sharing import people

MAX_PEOPLE = 50  # The limit for the users with whom a form shares a frame.


class NameForm(forms.Form):
    """A form that renames a frame.

    Args:
        taken: the other frames that the user can see. Their names are taken, because
            D-Tale can also look up frames by name.
    """

    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_LENGTH,
        required=False,
        help_text=_("Without a name, its number is shown."),
    )

    def __init__(self, *args: Any, taken: QuerySet[Frame], **options: Any) -> None:
        super().__init__(*args, **options)
        self.taken = taken

    def clean_name(self) -> str:
        name = clean_name(self.cleaned_data["name"])
        if name and self.taken.filter(name=name).exists():
            raise forms.ValidationError(
                gettext(
                    "You already have a table named %(name)s. Choose another name."
                ),
                params={"name": name},
            )
        return name


class DownloadForm(forms.Form):
    """A form that chooses what to download from a frame, and in which format.

    Everything but the format has a default: what the user sees in the grid.
    """

    SHOWN, ALL, STORED, FORMATTED = "shown", "all", "stored", "formatted"
    # Formats whose files can have the formats of the grid.
    TEXT_FORMATS = "csv", "xlsx", "tsv"

    format = forms.ChoiceField(
        label=_("Format"),
        choices={
            "csv": _("CSV: any program can read it"),
            "xlsx": _("Excel (.xlsx)"),
            "parquet": _("Parquet: keeps data types, for pandas, DuckDB and others"),
            "json": _("JSON: a list of records"),
            "jsonl": _("JSON Lines: one record in each line"),
            "tsv": _("TSV: like CSV, with tabs"),
        },
    )
    rows = forms.ChoiceField(
        label=_("Rows"), choices={SHOWN: "", ALL: ""}, required=False
    )
    columns = forms.ChoiceField(
        label=_("Columns"), choices={SHOWN: "", ALL: ""}, required=False
    )
    values = forms.ChoiceField(
        label=_("Values"),
        choices={
            STORED: _("As they are stored"),
            FORMATTED: _("With the formats of numbers and dates in the grid"),
        },
        required=False,
    )
    safe = forms.BooleanField(
        label=_("Safe for spreadsheets"),
        help_text=_(
            "Text that begins with =, +, - or @ gets an apostrophe before it, so that no "
            "spreadsheet runs it as a formula. Leave this off if a program reads the "
            "file."
        ),
        required=False,
    )


class PeopleField(forms.CharField):
    """A field for the names of several users, separated by commas."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        text = super().to_python(value) or ""
        names = (name.strip() for name in text.split(","))
        return list(dict.fromkeys(filter(None, names)))


class RoleForm(forms.Form):
    """A form for what the people of a share may do."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    all_history = forms.BooleanField(
        label=_("They can see the whole history"),
        help_text=_("Otherwise, they see the changes from now on."),
        required=False,
    )


class ShareForm(RoleForm):
    """A form that shares frames with users, with groups, or with everyone.

    Args:
        frames: the frames.
        owner: their owner, who shares them.
        sends_mail: whether the site can send e-mails.
    """

    person = PeopleField(
        label=_("Share with"),
        max_length=2_000,
        required=False,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    groups = forms.ModelMultipleChoiceField(
        label=_("Groups"),
        queryset=Group.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    everyone = forms.BooleanField(label=_("Everyone who is signed in"), required=False)
    send_mail = forms.BooleanField(label=_("Send them an e-mail"), required=False)

    def __init__(
        self,
        *args: Any,
        frames: Sequence[Frame],
        owner: AbstractBaseUser,
        sends_mail: bool,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.frames, self.owner = frames, owner
        self.lists_users = may_list_users(owner)
        self.fields["person"].help_text = (
            _("Names or e-mail addresses, separated by commas.")
            if self.lists_users
            else _("Exact usernames or e-mail addresses, separated by commas.")
        )
        groups = people.groups_of(owner)
        self.fields["groups"].queryset = groups  # type: ignore[attr-defined]
        if not groups.exists():
            del self.fields["groups"]
        if not sends_mail:
            del self.fields["send_mail"]

    def clean_person(self) -> list[AbstractBaseUser]:
        """Return the users whose names were typed."""
        names, found, errors = self.cleaned_data["person"], [], []
        if len(names) > MAX_PEOPLE:
            text = gettext("You can share with at most %(limit)s users at a time.")
            raise forms.ValidationError(text % {"limit": MAX_PEOPLE})
        for name in names:
            try:
                found.append(self._person(name))
            except forms.ValidationError as error:
                errors.append(error)
        if errors:
            raise forms.ValidationError(errors)
        return found

    def _person(self, name: str) -> AbstractBaseUser:
        try:
            person = people.find_person(name, by_full_name=self.lists_users)
        except people.Ambiguous:
            text = gettext("Several users match %(name)s. Type the exact username.")
            raise forms.ValidationError(text, params={"name": name}) from None
        if person is None:
            text = gettext(
                "There is no user %(name)s. Type the exact username or e-mail address."
            )
            raise forms.ValidationError(text, params={"name": name})
        if person.pk == self.owner.pk:
            raise forms.ValidationError(gettext("This table belongs to you already."))
        return person

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not self.chosen_people:
            text = gettext("Choose at least one user or group.")
            self.add_error("person", text)
        return cleaned

    @property
    def chosen_people(self) -> list[People]:
        """The users and groups, and EVERYONE if that was chosen."""
        chosen: list[People] = [*self.cleaned_data.get("person", ())]
        chosen += self.cleaned_data.get("groups", ())
        if self.cleaned_data.get("everyone"):
            chosen.append(EVERYONE)
        return chosen

    @transaction.atomic
    def save(self) -> list[Share]:
        """Share the frames. Return the shares with users who had no access before.

        If a frame was shared with them already, their role changes.
        """
        known: set[Any] = {
            each
            for model in (Share, RemovedShare)
            for each in model.objects.filter(frame__in=self.frames).values_list(
                "frame", "user"
            )
        }
        shares = [
            Share.objects.grant(
                frame,
                chosen,
                self.cleaned_data["role"],
                shared_by=self.owner,
                all_history=self.cleaned_data["all_history"],
            )
            for frame in self.frames
            for chosen in self.chosen_people
        ]
        return [
            each
            for each in shares
            if each.user_id and (each.frame_id, each.user_id) not in known
        ]
