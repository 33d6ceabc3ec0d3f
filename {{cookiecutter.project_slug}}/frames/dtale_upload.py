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

from .csv_reading import SPACES
from .exceptions import InputRefused
from .limits import check_count
from .reader import Reader, outcome
from .unit_of_work import current

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
        with Reader(file.name, name) as reader:
            question = outcome(reader.look(with_preview=False))["question"]
            if question and "sheets" in question:
                return _open_sheets(reader, question["sheets"])
            options = question["options"] if question else {}
            separator = None
            if "sep" in options:
                options, separator = _chosen(options)
            stem = Path(reader.name).stem
            data_id = _open(reader, stem, options=options, separator=separator)
    return jsonify(success=True, data_id=data_id)


def _open_sheets(reader, sheets):
    stem = Path(reader.name).stem
    if len(sheets) == 1:
        data_id = _open(reader, stem, options={"sheet": sheets[0]})
        return jsonify(success=True, data_id=data_id)
    check_count(current().workspace, len(sheets))
    opened = [
        {
            "name": each,
            "dataId": _open(reader, f"{stem} {each}", options={"sheet": each}),
        }
        for each in sheets
    ]
    return jsonify(success=True, sheets=opened)


def _open(reader, title, **arguments):
    """Read a file into a frame with this name (str), and return its id (str)."""
    prepared = outcome(reader.read(**arguments))
    current().expected = prepared
    code = f"df = {_code(reader.name, reader.options)}"
    data_id = load_new_data(prepared.frame, code, return_id=True)
    global_state.set_name(data_id, title)
    return data_id


def _chosen(options):
    """Return the options of ``read_file`` with what was chosen in the dialog.

    Returns:
        tuple: the options (dict), and a separator (str) to be taken if the first line has
        it: the dialog begins with the comma, which may not have been chosen. Else None.
    """
    form = request.form
    if "header" in form:
        options = options | {"header": form["header"] == "true"}
    sep = UPLOAD_SEPARATORS.get(form.get("separatorType"), form.get("separator"))
    if not sep:
        return options, None
    if sep == SPACES:
        return options | {"sep": sep}, None
    if len(sep) > 1 or sep in '"\r\n':
        raise InputRefused(
            f"{sep[:50]!r} cannot separate columns. Give one character, or {SPACES} for "
            "spaces."
        )
    return options, sep


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
