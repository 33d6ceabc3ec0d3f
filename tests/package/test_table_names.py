"""Tables have their true names, which D-Tale's pages cannot execute."""

import html
import json
import re
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from django_dtale.models import Frame
from django_dtale.models.names import clean_name, plain_name, unique_name
from django_dtale.models.tokens import Token

pytestmark = pytest.mark.django_db

PLAN = "R&D 'plan'"
HOSTILE = "<b>&\"'</b><img src=x onerror=alert(1)>`{0}\\g<0>"


@pytest.fixture
def at(client, ann):
    """Return Django's test client, signed in as Ann."""
    client.force_login(ann)
    return client


def test_file_r_and_d_plan_is_listed_with_its_true_name(at):
    file = SimpleUploadedFile(f"{PLAN}.csv", b"a,b\n1,2\n")
    at.post("/frames/upload/", {"file": file})
    assert Frame.objects.get().name == PLAN
    page = at.get("/").content.decode()
    assert html.escape(PLAN) in page


def test_table_can_be_renamed_to_r_and_d(at, publish, ann):
    frame = publish(ann, "sales")
    at.post(f"/frames/{frame.pk}/rename/", {"name": "R&D"})
    frame.refresh_from_db()
    assert frame.name == "R&D"
    page = at.post(f"/frames/{publish(ann).pk}/rename/", {"name": "R&D"})
    assert "You already have a table named R&amp;D." in page.content.decode()


def test_push_returns_the_true_name_and_messages_have_it(client, ann):
    key = Token.objects.create_token(ann, "script")

    def push(content):
        return client.post(
            "/frames/push/?name=R%26D+%27plan%27.csv",
            content,
            content_type="text/csv",
            headers={"Authorization": f"Bearer {key}"},
        )

    assert push(b"a,b\n1,2\n").json()["name"] == PLAN
    assert push(b"a,b\n1,2\n").json()["name"] == f"{PLAN} 2"
    assert push(b"\n\n").json()["error"].startswith(f"{PLAN}.csv ")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_download_has_the_true_name(at, publish, ann, kind):
    def header(name):
        answer = at.get(f"/frames/{publish(ann, name).pk}/{kind}/")
        answer.close()
        return answer.headers["Content-Disposition"]

    assert unquote(header(f"{PLAN} é").partition("''")[2]) == f"{PLAN} é.{kind}"
    assert header('a/b\\c"d') == f'attachment; filename="a_b_c_d.{kind}"'


def test_messages_have_the_true_name(at, publish, ann):
    frame = publish(ann, PLAN)
    page = at.post(f"/frames/{frame.pk}/delete/", follow=True).content.decode()
    assert f"{html.escape(PLAN)} was deleted." in page


@pytest.mark.parametrize(
    "page", ["main/PK", "iframe/PK", "charts/PK", "popup/describe/PK", "network/PK"]
)
def test_name_is_no_html_in_pages_of_dtale(owner, publish, ann, page):
    """D-Tale's charts page formats names into HTML without escaping them."""
    frame = publish(ann, HOSTILE, a=[1], b=[2])
    assert frame.name == HOSTILE
    answer = owner.get(page.replace("PK", str(frame.pk)))
    assert answer.status_code == 200
    text = re.sub(r"\s+", " ", answer.text)
    for part in ("<b>&", "<img src=x", "&\"'", "</b><img"):
        assert part not in text
    if page == "main/PK":
        assert f">{html.escape(HOSTILE)}</a></strong>" in text


def test_name_in_answers_of_dtale_is_safe_in_html(owner, publish, ann):
    frame = publish(ann, HOSTILE, a=[1])
    [shown] = owner.get("processes").json["data"]
    assert shown["name"] == plain_name(HOSTILE)
    assert not set("<>&\"'`") & set(shown["name"])
    # D-Tale knows each frame by its plain name.
    page = owner.get(f"main/name/{plain_name('R&D')}")
    assert f'value="{frame.pk}"' not in page.text


def test_frame_is_found_by_its_true_name(owner, publish, ann):
    frame = publish(ann, "R&D", a=[1])
    for name in ("R%26D", plain_name("R&D"), "rd"):
        page = owner.get(f"main/name/{name}")
        assert f'id="data_id" value="{frame.pk}"' in page.text, name


def test_copy_has_the_true_name(at, publish, ann):
    frame = publish(ann, PLAN)
    at.post(f"/frames/{frame.pk}/copy/")
    assert Frame.objects.last().name == f"{PLAN} 2"


@pytest.mark.parametrize(
    "name, cleaned",
    [
        ("  Q3 \n sales\t", "Q3 sales"),
        ("a\u202eb\u2066c\u200fd\x00e\x1bf", "abcdef"),  # Bidi and control characters.
        ("lone \ud800 surrogate", "lone surrogate"),
        (
            "👩\u200d💻 नमस्\u200dते",
            "👩\u200d💻 नमस्\u200dते",
        ),  # Joiners are parts of words and emoji.
        ("word " * 30, ("word " * 18).rstrip() + "…"),
        ("n" * 200, "n" * 89 + "…"),
        ("n" * 88 + "e\u0301" * 9, "n" * 88 + "…"),
        ("n" * 90, "n" * 90),
    ],
)
def test_name_is_one_visible_line_of_limited_length(name, cleaned):
    assert clean_name(name) == cleaned
    assert len(unique_name(cleaned, {cleaned})) <= 100


def test_plain_name_looks_similar():
    assert plain_name(PLAN) == "R\uff06D \u2019plan\u2019"
    assert json.dumps(plain_name("{x}")) == '"_x_"'
