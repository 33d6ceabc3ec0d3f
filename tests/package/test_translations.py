"""The German translation is complete and up to date, and the browser can select it."""

import os
import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pandas as pd
import polib
import pytest
from django.conf import settings as site
from django.utils.translation import override
from pytest_django.asserts import assertContains

import django_dtale
from django_dtale.compat.dtypes import make_displayable
from django_dtale.exceptions import ReadOnly
from django_dtale.formats import format_megabytes, format_number, format_size
from django_dtale.models import Change, Frame, Kind
from django_dtale.readers.files import read_file

from .test_accounts import PASSWORD

PACKAGE = site.ROOT_URLCONF.partition(".")[0]
LIBRARY = Path(django_dtale.__file__).parent
CATALOGUES = sorted(
    path
    for root in (site.BASE_DIR / PACKAGE, LIBRARY)
    for path in root.glob("locale/*/LC_MESSAGES/django.po")
)
PLACES = re.compile(r"%(?:\(\w+\))?s|</?\w[^>]*>")
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}


# Catalogs -----------------------------------------------------------------------------


def test_every_language_of_the_site_has_catalogs():
    found = {(path.parts[-5], path.parts[-3]) for path in CATALOGUES}
    others = [code for code, _ in site.LANGUAGES if code != site.LANGUAGE_CODE]
    assert found == {(app, code) for app in (LIBRARY.name, PACKAGE) for code in others}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_catalog_is_complete(path):
    catalogue = polib.pofile(path)
    assert len(catalogue) > 10
    assert catalogue.untranslated_entries() == []
    assert catalogue.fuzzy_entries() == []
    for entry in catalogue:
        # Placeholders and markup must be the same in English and German.
        places = [_places(text) for text in (entry.msgid, entry.msgid_plural) if text]
        for text in entry.msgstr_plural.values() or [entry.msgstr]:
            assert _places(text) in places


def _places(text):
    return sorted(PLACES.findall(text))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_catalog_is_compiled(path):
    """Compiled catalogs are in the repository, because sites do not have gettext."""

    def texts(catalogue):
        return {each.msgid: each.msgstr_plural or each.msgstr for each in catalogue}

    compiled = polib.mofile(path.with_suffix(".mo"))
    assert texts(compiled) == texts(polib.pofile(path))


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext is not installed")
@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_catalog_passes_the_checks_of_compilemessages(tmp_path, path):
    command = ["msgfmt", "--check-format", "-o", tmp_path / "django.mo", path]
    subprocess.run(command, check=True)


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="gettext is not installed")
@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_catalog_has_all_texts(tmp_path, path):
    root = path.parents[3]
    variables = dict(os.environ)
    if root == LIBRARY:
        shutil.copytree(root, tmp_path, dirs_exist_ok=True)
        command = ["-m", "django"]  # Without manage.py, this command needs no settings.
        del variables["DJANGO_SETTINGS_MODULE"]
    else:
        for name in ("accounts", PACKAGE):
            shutil.copytree(site.BASE_DIR / name, tmp_path / name)
        shutil.copy(site.BASE_DIR / "manage.py", tmp_path)
        command = ["manage.py"]
        variables["DJANGO_SETTINGS_MODULE"] = f"{PACKAGE}.settings"
    command += ["makemessages", "--locale", "de", "--no-location"]
    subprocess.run([sys.executable, *command], cwd=tmp_path, env=variables, check=True)
    [made] = tmp_path.rglob("django.po")
    made = polib.pofile(made)
    unsaid = made.obsolete_entries()
    untold = made.untranslated_entries() + made.fuzzy_entries()
    assert [entry.msgid for entry in unsaid + untold] == [], "Run `make messages`."


# Pages and messages -------------------------------------------------------------------


def test_language_follows_the_browser(client):
    page = client.get("/", **GERMAN)
    assertContains(page, '<html lang="de"')
    assertContains(page, "<h1>Ihre Daten</h1>")
    assert "Accept-Language" in page["Vary"]
    page = client.get("/", HTTP_ACCEPT_LANGUAGE="fr")
    assertContains(page, '<html lang="en"')


@pytest.mark.django_db
def test_login_errors_are_translated(client, user):
    user("ann", password=PASSWORD)
    data = {"username": "ann", "password": "wrong"}
    for _ in range(site.SIGN_IN_TRIES):
        page = client.post("/accounts/login/", data, **GERMAN)
        assertContains(page, "Bitte Benutzername und Passwort eingeben")
    page = client.post("/accounts/login/", data, **GERMAN)
    assertContains(page, "in <strong>15 Minuten</strong>", status_code=429)


@pytest.mark.django_db
def test_list_of_frames_is_translated(client, ann, publish):
    publish(ann, "sales", a=range(1200))
    client.force_login(ann)
    page = client.get("/", **GERMAN)
    for text in ("1.200 × 1", "Umbenennen"):
        assertContains(page, text)
    # On a busy machine, the frame may already be a few seconds old.
    assert re.search(r">(jetzt|vor (einer|\d+)\sSekunden?)<", page.text)
    assert re.search(r"\d,\d\xa0KB", page.text)


@pytest.mark.django_db
def test_error_while_reading_a_file_is_translated(client, stored):
    """The file is read in another thread while the response is being streamed."""
    file = BytesIO(b"a,b\n1,2\n" * 1200 + b"1,2,3\n")
    file.name = "a.csv"
    steps = {"HTTP_ACCEPT": "application/x-ndjson"}
    answer = client.post("/frames/upload/", {"file": file}, **steps, **GERMAN)
    text = b"".join(answer.streaming_content).decode("unicode_escape")
    assert "Zeile 2.401 hat 3 Werte, es gibt aber 2 Spalten" in text


@pytest.mark.django_db
def test_dtale_page_is_translated(visitor, ann, bob, publish):
    frame = publish(ann, "sales", shared_with=[bob], a=[[1], [2]])
    browser = visitor(bob).browser
    path = frame.get_absolute_url()
    page = browser.get(path, headers={"Accept-Language": "de"}).text
    assert "ann hat diese Tabelle mit Ihnen geteilt" in page
    assert "Sie sind abgemeldet" in page


@pytest.mark.django_db
def test_changes_are_translated(client, ann, publish):
    frame = publish(ann, "sales", price=[1, 2])
    values = {"kind": Kind.EDITED, "columns": ["price"], "count": 1}
    change = Change.objects.create(frame=frame, user=ann, **values)
    client.force_login(ann)
    page = client.get(f"/frames/{frame.pk}/history/{change.pk}/", **GERMAN)
    assertContains(page, "zurückgesetzt: „1 Zelle von price bearbeitet“")
    with override("de"):
        assert change.text_for(1200) == "1.200 Zellen von price bearbeitet"


def test_errors_and_notes_are_translated(db, ann, tmp_path):
    with override("de"):
        note = "Spalte a: Listen und ähnliche Werte wurden in Text (JSON)"
        assert (
            make_displayable(pd.DataFrame({"a": [[1]]})).conversions[0].startswith(note)
        )
        refused = str(ReadOnly(Frame(pk=1, owner=ann)))
        assert refused.startswith(
            "Tabelle 1 gehört ann und ist schreibgeschützt mit Ihnen"
        )
        (tmp_path / "a.json").write_text("{")
        with pytest.raises(Exception, match="a.json ist keine gültige JSON-Datei"):
            read_file(tmp_path / "a.json")


def test_numbers_are_localized():
    assert (format_number(1200), format_megabytes(1200 << 20)) == ("1,200", "1,200")
    with override("de"):
        assert (format_number(1200), format_megabytes(1200 << 20)) == (
            "1.200",
            "1.200",
        )
        assert format_megabytes(1.5 * 2**20) == "1,5"
    assert format_megabytes(0.96 * 2**20) == "1"
    assert format_megabytes(1.25 * 2**20) == "1.2"


@pytest.mark.parametrize(
    "nbytes, english, german",
    [
        (1, "1 byte", "1 Byte"),
        (900, "900 bytes", "900 Bytes"),
        (1536, "1.5 KB", "1,5 KB"),
        (2**20 - 1, "1 MB", "1 MB"),
        (200 << 20, "200 MB", "200 MB"),
        (1 << 40, "1 TB", "1 TB"),
        (3_000 << 40, "3,000 TB", "3.000 TB"),
    ],
)
def test_sizes_have_units_and_no_needless_decimal(nbytes, english, german):
    assert format_size(nbytes).replace("\xa0", " ") == english
    with override("de"):
        assert format_size(nbytes).replace("\xa0", " ") == german
