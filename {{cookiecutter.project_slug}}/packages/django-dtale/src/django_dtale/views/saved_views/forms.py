"""The form of the pages of saved views."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ...models import SavedView
from ...models.names import MAX_LENGTH, clean_name


class ViewForm(forms.Form):
    """A form that names a saved view.

    Args:
        taken: the other saved views of the frame.
    """

    name = forms.CharField(label=_("Name"), max_length=MAX_LENGTH)
    # The query string of D-Tale's page of charts, which a script fills in.
    chart = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, taken: QuerySet[SavedView], **options: Any) -> None:
        super().__init__(*args, **options)
        self.taken = taken

    def clean_name(self) -> str:
        name = clean_name(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError(gettext("Enter a name that can be seen."))
        if self.taken.filter(name=name).exists():
            raise forms.ValidationError(
                gettext(
                    "This table already has a view named %(name)s. Choose another name."
                ),
                params={"name": name},
            )
        return name
