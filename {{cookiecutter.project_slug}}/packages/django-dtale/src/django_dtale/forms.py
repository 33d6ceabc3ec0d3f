"""Forms of the app's own pages."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .models import Frame, Share
from .models.names import MAX_LENGTH, clean_name


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


class ShareForm(forms.Form):
    """A form that shares a frame with a user."""

    person = forms.CharField(
        label=_("Share with"),
        help_text=_("The username of the person."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, frame: Frame, **options: Any) -> None:
        super().__init__(*args, **options)
        self.frame = frame

    def clean_person(self) -> AbstractBaseUser:
        """Return the user with the name that was typed."""
        name, User = self.cleaned_data["person"], get_user_model()
        try:
            person = User.objects.get_by_natural_key(name)
        except User.DoesNotExist:
            person = None
        if person is None or not person.is_active:
            raise forms.ValidationError(
                gettext("There is no user %(name)s. Usernames are case-sensitive."),
                params={"name": name},
            )
        if person.pk == self.frame.owner_id:
            raise forms.ValidationError(gettext("This table belongs to you already."))
        return person

    def save(self) -> None:
        """Share the frame with the user, unless it is shared with them already."""
        Share.objects.get_or_create(frame=self.frame, user=self.cleaned_data["person"])
