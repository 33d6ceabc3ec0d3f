"""Users can open and edit every kind of frame, before and after a restart."""

import json

from conftest import PACKAGE_TESTS
from visitors import Visitor

# The module `package.kinds` in this directory has the table of kinds.
TESTS = str(PACKAGE_TESTS.parent)

LOGIN = {"DJANGO_SUPERUSER_PASSWORD": "kinds-of-frames", "DJANGO_SUPERUSER_EMAIL": ""}
EDITED = 7

# The generated project runs these scripts, which import the table of kinds.
PUBLISH = """
import json
from django.contrib.auth import get_user_model
from django_dtale import publish
from django_dtale.models import Frame
from package.kinds import KINDS
user = get_user_model().objects.get(username="kinds")
made = {}
for name, build in KINDS.items():
    frame = publish(build(), owner=user, name=name)
    made[name] = frame.pk
print("MADE", json.dumps(made))
"""
COMPARE = """
import json
import pandas as pd
from django_dtale.storage import blobs
from django_dtale.compat.dtypes import make_displayable
from django_dtale.models import Frame
from package.kinds import KINDS, PLAIN
made, edited = json.loads({made!r}), {edited!r}
for name, pk in made.items():
    stored = blobs.load(Frame.objects.get(pk=pk).payload)
    prepared = make_displayable(KINDS[name]())
    expected = prepared.frame
    if name in edited:
        expected.loc[0, PLAIN] = {value}
    try:
        pd.testing.assert_frame_equal(stored, expected, check_like=True)
    except AssertionError as error:
        print("DIFFERS", name, error)
print("COMPARED", len(made))
"""


def open_each(visitor, made):
    """Open each frame as its page does. Return the failures and the first rows."""
    wrong, first_rows = [], {}
    for name, pk in made.items():
        status, _page, _ = visitor.open(f"{visitor.dtale}main/{pk}")
        answer = visitor.get(f"data/{pk}", ids=["0-5"])
        if status != 200 or "results" not in answer:
            wrong.append((name, status, str(answer)[:300]))
        else:
            first_rows[name] = answer["results"].get("0", {})
    return wrong, first_rows


def test_every_kind_of_frame_survives_an_edit_and_a_restart(backend):
    backend.manage("createsuperuser", "--no-input", "--username", "kinds", **LOGIN)
    printed = backend.manage("shell", "-c", PUBLISH, PYTHONPATH=TESTS)
    made = json.loads(printed.partition("MADE ")[2])
    assert len(made) > 100

    def sign_in(site):
        visitor = Visitor(site.url, site.prefix)
        visitor.sign_in("kinds", LOGIN["DJANGO_SUPERUSER_PASSWORD"])
        return visitor

    with backend.serve(workers=2) as site:
        visitor = sign_in(site)
        wrong, before = open_each(visitor, made)
        assert wrong == []
        edited = [name for name, row in before.items() if "plain" in row]
        assert len(edited) > 90
        for name in edited:
            answer = visitor.get(
                f"edit-cell/{made[name]}", col="plain", rowIndex=0, updated=str(EDITED)
            )
            assert "error" not in answer, (name, answer)
    with backend.serve(workers=2) as site:
        wrong, after = open_each(sign_in(site), made)
    assert wrong == []
    for name in edited:
        assert str(after[name]["plain"]) == str(EDITED), name
        assert after[name] == before[name] | {"plain": after[name]["plain"]}, name
    compare = COMPARE.format(made=json.dumps(made), edited=edited, value=EDITED)
    printed = backend.manage("shell", "-c", compare, PYTHONPATH=TESTS)
    assert "DIFFERS" not in printed
    assert f"COMPARED {len(made)}" in printed
