"""The site in German: whole, up to date, and what a browser gets that asks for it."""

import os
import re
import shutil
import subprocess
import sys
from io import BytesIO

import pandas as pd
import polib
import pytest
from django.conf import settings as site
from django.utils.translation import override
from pytest_django.asserts import assertContains

from frames.exceptions import ReadOnly
from frames.files import read_file
from frames.formats import grouped, megabytes
from frames.kinds import prepare
from frames.models import Frame

from .test_accounts import PASSWORD

PACKAGE = site.ROOT_URLCONF.partition(".")[0]
CATALOGUES = sorted(site.BASE_DIR.glob("*/locale/*/LC_MESSAGES/django.po"))
PLACES = re.compile(r"%(?:\(\w+\))?s|</?\w[^>]*>")
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}


# Catalogues ---------------------------------------------------------------------------


def test_each_language_of_the_site_has_its_catalogues():
    found = {(path.parts[-5], path.parts[-3]) for path in CATALOGUES}
    others = [code for code, _ in site.LANGUAGES if code != site.LANGUAGE_CODE]
    assert found == {(app, code) for app in ("frames", PACKAGE) for code in others}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_catalogue_is_whole(path):
    catalogue = polib.pofile(path)
    assert len(catalogue) > 10
    assert catalogue.untranslated_entries() == []
    assert catalogue.fuzzy_entries() == []
    for entry in catalogue:
        # What is filled in, and what is marked up, is in both.
        places = [_places(text) for text in (entry.msgid, entry.msgid_plural) if text]
        for text in entry.msgstr_plural.values() or [entry.msgstr]:
            assert _places(text) in places


def _places(text):
    return sorted(PLACES.findall(text))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_catalogue_is_compiled(path):
    """`make messages` compiles them; it needs gettext, and the site does not."""

    def texts(catalogue):
        return {each.msgid: each.msgstr_plural or each.msgstr for each in catalogue}

    compiled = polib.mofile(path.with_suffix(".mo"))
    assert texts(compiled) == texts(polib.pofile(path))


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="gettext is not installed")
def test_catalogues_have_all_that_the_site_says(tmp_path):
    for package in ("accounts", "frames", PACKAGE):
        shutil.copytree(site.BASE_DIR / package, tmp_path / package)
    shutil.copy(site.BASE_DIR / "manage.py", tmp_path)
    command = "manage.py makemessages --locale de --no-location".split()
    variables = {**os.environ, "DJANGO_SETTINGS_MODULE": f"{PACKAGE}.settings"}
    run = [sys.executable, *command]
    subprocess.run(run, cwd=tmp_path, env=variables, check=True)
    for path in CATALOGUES:
        made = polib.pofile(tmp_path / path.relative_to(site.BASE_DIR))
        unsaid = made.obsolete_entries()
        untold = made.untranslated_entries() + made.fuzzy_entries()
        assert [entry.msgid for entry in unsaid + untold] == [], "Run `make messages`."


# What people get ----------------------------------------------------------------------


def test_language_is_the_browsers(client):
    page = client.get("/", **GERMAN)
    assertContains(page, '<html lang="de">')
    assertContains(page, "<h1>Ihre Daten</h1>")
    assert "Accept-Language" in page["Vary"]
    page = client.get("/", HTTP_ACCEPT_LANGUAGE="fr")
    assertContains(page, '<html lang="en">')


@pytest.mark.django_db
def test_wrong_password_and_too_many_tries(client, user):
    user("ann", password=PASSWORD)
    data = {"username": "ann", "password": "wrong"}
    for _ in range(site.SIGN_IN_TRIES):
        page = client.post("/accounts/login/", data, **GERMAN)
        assertContains(page, "Bitte Benutzername und Passwort eingeben")
    page = client.post("/accounts/login/", data, **GERMAN)
    assertContains(page, "in <strong>15 Minuten</strong>", status_code=429)


@pytest.mark.django_db
def test_list_of_frames(client, ann, publish):
    publish(ann, "sales", a=range(1200))
    client.force_login(ann)
    page = client.get("/", **GERMAN)
    for text in ("1.200 × 1", ">jetzt<", "Umbenennen"):
        assertContains(page, text)
    assert re.search(r"\d,\d\xa0KB", page.text)


@pytest.mark.django_db
def test_file_that_is_refused_while_it_is_read(client, stored):
    """In a thread of its own, with an answer that is sent step by step."""
    file = BytesIO(b"a,b\n1,2\n" * 1200 + b"1,2,3\n")
    file.name = "a.csv"
    steps = {"HTTP_ACCEPT": "application/x-ndjson"}
    answer = client.post("/frames/upload/", {"file": file}, **steps, **GERMAN)
    text = b"".join(answer.streaming_content).decode("unicode_escape")
    assert "Zeile 2.401 hat 3 Werte, es gibt aber 2 Spalten" in text


@pytest.mark.django_db
def test_page_of_dtale(visitor, ann, bob, publish):
    frame = publish(ann, "sales", shared_with=[bob], a=[[1], [2]])
    browser = visitor(bob).browser
    path = frame.get_absolute_url()
    page = browser.get(path, headers={"Accept-Language": "de"}).text
    assert "ann hat sie mit Ihnen geteilt" in page
    assert "Sie sind abgemeldet" in page


def test_texts_of_errors_and_notes(db, ann, tmp_path):
    with override("de"):
        note = "Spalte a: Listen und Ähnliches wurden zu Text (JSON)"
        assert prepare(pd.DataFrame({"a": [[1]]})).conversions[0].startswith(note)
        refused = str(ReadOnly(Frame(pk=1, owner=ann)))
        assert refused.startswith("Tabelle 1 gehört ann und ist mit Ihnen zum Lesen")
        (tmp_path / "a.json").write_text("{")
        with pytest.raises(Exception, match="a.json ist keine lesbare JSON-Datei"):
            read_file(tmp_path / "a.json")


def test_numbers():
    assert (grouped(1200), megabytes(1200 << 20)) == ("1,200", "1,200.0")
    with override("de"):
        assert (grouped(1200), megabytes(1200 << 20)) == ("1.200", "1.200,0")
    assert megabytes(0.96 * 2**20) == "1.0"
