"""Pages of the site open and embed D-Tale. D-Tale's pages link back to the site."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import RequestContext, Template

import django_dtale
from django_dtale.conf import dtale_settings
from django_dtale.models import Frame
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db
ROOT = f"/{dtale_settings.PREFIX}/dtale"


def tag(text):
    return "{" + f"% {text} %" + "}"


@pytest.fixture
def render(rf):
    """Return a function that renders a tag for a user and collapses white space."""

    def render(text, user=None, **context):
        request = rf.get("/orders/")
        request.user, request.session = user or AnonymousUser(), {}
        template = Template(tag("load dtale") + tag(text))
        with bind(Workspace(request.user, request.session)):
            html = template.render(RequestContext(request, context))
        return re.sub(r"\s+", " ", html)

    return render


# On pages of the site -----------------------------------------------------------------


def test_button_posts_to_the_view(render):
    html = render("dtale_button url label", url="/orders/?a=1&b", label="Open <all>")
    assert '<form method="post" action="/orders/?a=1&amp;b">' in html
    assert re.search(r'name="csrfmiddlewaretoken" value="\w{64}"', html)
    assert "<button>Open &lt;all&gt;</button>" in html


def test_frame_is_a_titled_iframe(render, frame, ann):
    frame.name = 'sales "Q3"'
    html = render("dtale_frame frame height=300", ann, frame=frame)
    [iframe] = re.findall(r"<iframe .*?>", html)
    assert f'src="{ROOT}/iframe/{frame.pk}"' in iframe and 'height="300"' in iframe
    assert f'title="Table {frame.pk} sales &quot;Q3&quot; in D-Tale"' in iframe
    assert f'<a href="{ROOT}/main/{frame.pk}">' in html
    assert "style=" not in html  # The site's CSP does not allow inline styles.


@pytest.mark.parametrize("who", ["bob", None])
def test_frame_of_another_user_is_not_embedded(render, publish, ann, bob, who):
    frame = publish(ann, "salaries")
    html = render("dtale_frame frame", bob if who else None, frame=frame)
    assert "not shared with you" in html
    assert "<iframe" not in html and "salaries" not in html
    assert ("/accounts/login/?next=/orders/" in html) == (who is None)


def test_shared_frame_is_embedded_for_its_reader(render, publish, ann, bob):
    frame = publish(ann, shared_with=[bob])
    assert "<iframe" in render("dtale_frame frame", bob, frame=frame)


def test_only_dtale_pages_can_be_embedded(owner, frame):
    page = owner.get(f"iframe/{frame.pk}")
    assert page.status_code == 200
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    for path in ("/", "/accounts/login/", "/frames/tokens/", "/admin/login/"):
        page = owner.browser.get(path)
        assert page.headers["X-Frame-Options"] == "DENY", path
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_other_sites_cannot_embed_a_frame(owner, frame):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}
    path = f"{ROOT}/iframe/{frame.pk}"
    page = owner.browser.get(path, headers=headers, environ_base={})
    assert page.status_code == 403
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


# On D-Tale's pages --------------------------------------------------------------------


def bar(page):
    found = re.search(
        r'<footer id="frame-bar" lang="en">(.*?)</footer>', page.text, re.S
    )
    return found and re.sub(r"\s+", " ", found[1])


@pytest.mark.parametrize("name, shown", [("Q3 sales", "Q3 sales"), ("", "Table {pk}")])
def test_grid_links_home_and_shows_the_frames_name(owner, publish, ann, name, shown):
    frame = publish(ann, name)
    html = bar(owner.get(f"main/{frame.pk}"))
    assert '<a href="/frames/">Your tables</a>' in html
    assert f">{shown.format(pk=frame.pk)}</a></strong>" in html
    assert "Shared with you" not in html and "<details>" not in html


def test_bar_of_an_embedded_grid_shows_only_the_date_of_the_data(owner, frame):
    html = bar(owner.get(f"iframe/{frame.pk}"))
    assert "As of" in html
    assert "<a" not in html and "<strong>" not in html


def test_reader_sees_who_owns_the_frame(visitor, publish, ann, bob):
    frame = publish(ann, "sales", shared_with=[bob])
    reader = visitor(bob)
    for page in ("main", "iframe"):
        html = bar(reader.get(f"{page}/{frame.pk}"))
        assert "ann has shared this table with you." in html
        assert f"/frames/{frame.pk}/copy/" in html
        assert ("Your tables" in html) == (page == "main")


def test_conversion_notes_are_shown_with_the_grid(owner, frame):
    Frame.objects.update(conversion_notes="Column c was a list.\n<b>")
    for page in ("main", "iframe"):
        html = bar(owner.get(f"{page}/{frame.pk}"))
        assert "Column c was a list." in html and "&lt;b&gt;" in html


def test_note_is_shown_with_the_grid(owner, ann):
    note = "The first 2 of 3 <rows>."
    frame = django_dtale.publish({"a": [1, 2]}, owner=ann, note=note)
    for page in ("main", "iframe"):
        html = bar(owner.get(f"{page}/{frame.pk}"))
        assert "<span>The first 2 of 3 &lt;rows&gt;.</span>" in html


@pytest.mark.parametrize(
    "path",
    ["main/FRAME", "iframe/FRAME", "popup/merge", "charts/FRAME", "network/FRAME"],
)
def test_pages_have_a_dialog_to_sign_in_again(owner, frame, path):
    page = owner.get(path.replace("FRAME", str(frame.pk))).text
    [dialog] = re.findall(r'<dialog id="signed-out".*?</dialog>', page, re.S)
    assert '<a href="/accounts/login/" target="_blank" rel="noopener">' in dialog
    assert page.index("</dialog>") < page.index("frames/signed_out.js")
