"""What people type into the app's own pages."""

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .models import NAME_LENGTH, Frame, Share, clean_name


class NameForm(forms.Form):
    """Another name for a frame.

    Args:
        taken: QuerySet of the other frames that are seen beside it: D-Tale finds frames
            by their names, too.
    """

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_LENGTH - 10,  # As ``clean_name``.
        required=False,
        validators=Frame._meta.get_field("name").validators,
        help_text=_("Without a name it is shown by its number."),
    )

    def __init__(self, *args, taken, **options):
        super().__init__(*args, **options)
        self.taken = taken

    def clean_name(self):
        name = clean_name(self.cleaned_data["name"])
        if name and self.taken.filter(name=name).exists():
            raise forms.ValidationError(
                gettext("You have another frame called %(name)s. Take another name."),
                params={"name": name},
            )
        return name


class ShareForm(forms.Form):
    """A person who may read a frame from now on.

    Args:
        frame: the ``Frame``.
    """

    person = forms.CharField(
        label=_("Who may read it"),
        help_text=_("The name that they sign in with."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def __init__(self, *args, frame, **options):
        super().__init__(*args, **options)
        self.frame = frame

    def clean_person(self):
        """Return the user."""
        name, User = self.cleaned_data["person"], get_user_model()
        try:
            person = User.objects.get_by_natural_key(name)
        except User.DoesNotExist:
            person = None
        if person is None or not person.is_active:
            raise forms.ValidationError(
                gettext(
                    "Nobody signs in as %(name)s here. Ask them for their name: upper "
                    "and lower case count."
                ),
                params={"name": name},
            )
        if person.pk == self.frame.owner_id:
            raise forms.ValidationError(gettext("It is yours: you can read it already."))
        return person

    def save(self):
        """Let the person read the frame; that they may already is fine."""
        Share.objects.get_or_create(
            frame=self.frame, user=self.cleaned_data["person"]
        )
