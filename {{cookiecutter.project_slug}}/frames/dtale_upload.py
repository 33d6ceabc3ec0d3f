"""D-Tale's Load Data: what is uploaded there is read as everywhere in this site.

D-Tale reads with pandas' slowest engine, makes text of dates, and believes a file's
name. Its dialog stays as it is, with what it lets people choose.
"""

from pathlib import Path

from django.core.files.temp import NamedTemporaryFile  # Can be opened twice on Windows.
from django.utils.translation import gettext as _
from dtale import global_state
from dtale.views import UPLOAD_SEPARATORS, load_new_data
from flask import jsonify, request

from .csv_format import first_rows
from .csv_reading import SPACES
from .exceptions import InputRefused
from .file_checks import checked
from .files import read_file, sheet_names
from .limits import check_cells
from .questions import question_about

# What D-Tale's Code Export writes for a file of this suffix, if it is no CSV or Excel.
CODE = {
    ".parquet": "pd.read_parquet({!r})",
    ".feather": "pd.read_feather({!r})",
    ".json": "pd.read_json({!r})",
    **dict.fromkeys([".jsonl", ".ndjson"], "pd.read_json({!r}, lines=True)"),
}


def upload():
    """Make a frame of an uploaded file, or one of each sheet.

    Raises:
        InputRefused, SourceError: it cannot be read; the text says why.
        LimitExceeded: it would be too large once it is read.
    """
    if not request.files:
        raise InputRefused(_("No file was sent. Choose one first."))
    name, sent = next(request.files.items())
    with NamedTemporaryFile() as file:
        sent.save(file)
        file.flush()
        with checked(file.name, name) as (path, name):
            question = question_about(path, name)
            options = question.options if question else {}
            if "sheet" in options:
                return _open_sheets(path, name)
            if "sep" in options:
                options |= _chosen(path, options["encoding"])
            data_id = _open(path, name, Path(name).stem, options)
    return jsonify(success=True, data_id=data_id)


def _open_sheets(path, name):
    sheets, stem = sheet_names(path), Path(name).stem
    if len(sheets) == 1:
        data_id = _open(path, name, stem, {"sheet": sheets[0]})
        return jsonify(success=True, data_id=data_id)
    opened = [
        {"name": each, "dataId": _open(path, name, f"{stem} {each}", {"sheet": each})}
        for each in sheets
    ]
    return jsonify(success=True, sheets=opened)


def _open(path, name, title, options):
    """Read a file into a frame with this name (str), and return its id (str)."""
    frame = read_file(path, name=name, **options)
    check_cells(*frame.shape)
    data_id = load_new_data(frame, f"df = {_code(name, options)}", return_id=True)
    global_state.set_name(data_id, title)
    return data_id


def _chosen(path, encoding):
    """Return what was chosen in the dialog, as options (dict) of ``read_file``."""
    form, chosen = request.form, {}
    if "header" in form:
        chosen["header"] = form["header"] == "true"
    sep = UPLOAD_SEPARATORS.get(form.get("separatorType"), form.get("separator"))
    if not sep:
        return chosen
    if sep == SPACES:
        return chosen | {"sep": sep}
    if len(sep) > 1 or sep in '"\r\n':
        raise InputRefused(
            f"{sep[:50]!r} cannot separate columns. Give one character, or {SPACES} for "
            "spaces."
        )
    # The dialog begins with the comma: where it gives one column, it was not chosen.
    if any(len(row) > 1 for row in first_rows(path, encoding, sep)[:1]):
        chosen["sep"] = sep
    return chosen


def _code(name, options):
    if "sheet" in options:
        sheet = options["sheet"]
        return f"pd.read_excel({name!r}, sheet_name={sheet!r}, engine='calamine')"
    if "sep" in options:
        header = "infer" if options["header"] else None
        given = {**options, "header": header}.items()
        arguments = [repr(name), *(f"{option}={value!r}" for option, value in given)]
        return f"pd.read_csv({', '.join(arguments)})"
    return CODE[Path(name).suffix.lower()].format(name)
