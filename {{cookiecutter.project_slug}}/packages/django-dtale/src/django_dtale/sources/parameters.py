"""The values of a source's form, stored as JSON beside the table."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.utils import translation
from django.utils.translation import gettext

from ..errors import first_error
from ..exceptions import NotRefreshable


def to_json(form: BaseForm) -> dict[str, Any]:
    """Return the values of a valid form as JSON. Objects become their primary keys.

    The order of the keys is always the same, because SQLite compares JSON as text.
    """
    values = {
        name: field.prepare_value(value)
        if isinstance(value := form.cleaned_data.get(name), Model | QuerySet)
        else value
        for name, field in sorted(form.fields.items())
    }
    return json.loads(json.dumps(values, cls=DjangoJSONEncoder))


def from_json(form_class: type[BaseForm], stored: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a form's fields for values that `to_json` has returned.

    Raises:
        NotRefreshable: the form has changed, or does not accept a value any more.
    """
    data: dict[str, Any] = {}
    form = form_class(data)
    if gone := sorted(stored.keys() - form.fields.keys()):
        text = gettext("Its form no longer has the field “%(field)s”.")
        raise NotRefreshable(text % {"field": gone[0]})
    data |= {form.add_prefix(name): value for name, value in stored.items()}
    # Without a language, dates and decimals are read as JSON has them.
    with translation.override(None):
        is_valid = form.is_valid()
    if not is_valid:
        raise NotRefreshable(first_error(form))
    return {name: form.cleaned_data.get(name) for name in form.fields}
