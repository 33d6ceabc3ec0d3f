"""What people type into the app's own pages."""

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .frame_names import NAME_LENGTH, clean_name
from .models import Frame, Share


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
            raise forms.ValidationError(
                gettext("It is yours: you can read it already.")
            )
        return person

    def save(self):
        """Let the person read the frame; that they may already is fine."""
        Share.objects.get_or_create(frame=self.frame, user=self.cleaned_data["person"])


class CsvForm(forms.Form):
    """How a CSV file is read: its fields are options of ``frames.files.read_file``."""

    sep = forms.ChoiceField(
        label=_("Between two values"),
        choices=[
            (",", _("Comma: a,b")),
            (";", _("Semicolon: a;b")),
            ("\t", _("Tab")),
            ("|", _("Bar: a|b")),
        ],
    )
    decimal = forms.ChoiceField(
        label=_("In numbers"),
        choices=[(".", _("Point: 0.5")), (",", _("Comma: 0,5"))],
    )
    encoding = forms.ChoiceField(
        label=_("Encoding"),
        choices=[
            ("utf-8", "UTF-8"),
            ("utf-8-sig", _("UTF-8, with a mark")),
            ("utf-16", "UTF-16"),
            ("cp1252", _("Western European (Windows-1252)")),
            ("iso8859-15", _("Western European (ISO 8859-15)")),
            ("cp1250", _("Central European (Windows-1250)")),
            ("cp1251", _("Cyrillic (Windows-1251)")),
            ("cp1253", _("Greek (Windows-1253)")),
            ("cp1254", _("Turkish (Windows-1254)")),
            ("cp437", _("MS-DOS (437)")),
            ("cp850", _("MS-DOS (850)")),
            ("mac-roman", _("Western European (Macintosh)")),
            ("cp932", _("Japanese (Shift JIS)")),
            ("gb18030", _("Chinese (GB 18030)")),
            ("big5", _("Chinese (Big5)")),
            ("cp949", _("Korean")),
        ],
    )
    header = forms.BooleanField(
        label=_("The first line has the names of the columns"),
        label_suffix="",
        required=False,
    )


class SheetForm(forms.Form):
    """Which sheet of a workbook is read.

    Args:
        sheets: list of their names (str).
    """

    sheet = forms.ChoiceField(label=_("Sheet"))

    def __init__(self, *args, sheets, **options):
        super().__init__(*args, **options)
        self.fields["sheet"].choices = [(sheet, sheet) for sheet in sheets]
