"""The page on which owners share a table: people, groups, everyone, roles and e-mails."""

import html
import re
import threading
from email import message_from_bytes, policy
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from django_dtale import EVERYONE
from django_dtale.contrib.mail import settings_for
from django_dtale.models import (
    Action,
    AuditEntry,
    Frame,
    PersonalView,
    RemovedShare,
    Role,
    Share,
)
from django_dtale.sharing import people
from django_dtale.sharing.mail import THREAD, sends_mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def table(publish, ann):
    return publish(ann, "sales")


@pytest.fixture
def share(at, table):
    """Return a function that submits the form of Ann's table, and follows it."""

    def share(person="", role="reader", **fields):
        data = {"person": person, "role": role, **fields}
        return at.post(f"/frames/{table.pk}/share/", data, follow=True)

    return share


@pytest.fixture
def team(ann):
    """A group with Ann."""
    team = Group.objects.create(name="Team")
    ann.groups.add(team)
    return team


def page_of(at, table):
    return at.get(f"/frames/{table.pk}/share/")


def shares(table):
    """Return the people of each share, with their roles."""
    found = Share.objects.filter(frame=table).order_by("pk")
    return [(each.people, each.role) for each in found]


# Sharing ------------------------------------------------------------------------------


def test_owner_shares_with_several_people_at_once(share, table, bob, user, ann):
    user("eve")
    page = share("bob, EVE,bob")
    assertContains(page, "bob and eve can now see this table.")
    assert shares(table) == [("bob", "reader"), ("eve", "reader")]
    assert {each.shared_by for each in table.shares.all()} == {ann}
    share("bob")  # Sharing again changes nothing.
    assert shares(table) == [("bob", "reader"), ("eve", "reader")]
    assert AuditEntry.objects.filter(action=Action.SHARED).count() == 2


def test_sharing_again_changes_the_role(share, table, bob):
    share("bob")
    page = share("bob", "editor")
    assertContains(page, "bob can now edit this table.")
    assert shares(table) == [("bob", "editor")]


def test_owner_shares_with_groups_and_everyone(share, at, table, team):
    assertContains(page_of(at, table), "Team")
    page = share(groups=[team.pk], everyone="on", role="editor")
    assertContains(page, "Team and Everyone who is signed in can now edit this table.")
    assert shares(table) == [
        ("Team", "editor"),
        ("Everyone who is signed in", "editor"),
    ]


def test_only_own_groups_are_offered_without_a_permission(share, at, table, team, ann):
    other = Group.objects.create(name="Secret plans")
    assertNotContains(page_of(at, table), "Secret plans")
    page = share(groups=[other.pk])
    assert page.context["form"].errors.keys() == {"groups"}
    assertNotContains(page, "Secret plans")
    assert shares(table) == []
    ann.user_permissions.add(Permission.objects.get(codename="view_group"))
    assertContains(page_of(at, table), "Secret plans")
    share(groups=[other.pk])
    assert shares(table) == [("Secret plans", "reader")]


def test_page_without_groups_has_no_field_for_them(at, table):
    Group.objects.create(name="Team")
    assertNotContains(page_of(at, table), "Groups")


def test_nothing_chosen_is_an_error(share, table):
    assertContains(share(), "Choose at least one user or group.")
    assertContains(share(" , "), "Choose at least one user or group.")
    assert shares(table) == []


@pytest.mark.parametrize("role", ["", "owner"])
def test_unknown_role_is_refused(share, table, bob, role):
    assert share("bob", role).context["form"].errors.keys() == {"role"}
    assert shares(table) == []


def test_one_wrong_name_stops_all(share, table, bob):
    page = share("bob, nobody")
    assertContains(page, "There is no user nobody.")
    assertContains(page, 'value="bob, nobody"')
    assert shares(table) == []


@pytest.mark.parametrize(
    "person, reason",
    [
        ("nobody", "There is no user nobody."),
        ("bo", "There is no user bo."),
        ("gone", "There is no user gone."),
        ("barred", "There is no user barred."),
        ("Bob Smith", "There is no user Bob Smith."),
        ("TWIN", "Several users match TWIN."),
        ("same@example.com", "Several users match same@example.com."),
        ("ann", "This table belongs to you already"),
        ("Ann", "This table belongs to you already"),
        (", ".join(map(str, range(51))), "at most 50 users at a time"),
    ],
)
def test_invalid_person_is_explained(
    share, table, user, dtale_settings, person, reason
):
    dtale_settings.USER_CAN_USE_FRAMES = lambda each: each.username != "barred"
    user("bob", first_name="Bob", last_name="Smith", email="same@example.com")
    user("gone", is_active=False)
    user("barred")
    user("twin", email="same@example.com"), user("Twin")
    assertContains(share(person), reason)
    assert shares(table) == []


@pytest.mark.parametrize("person", ["bob", "BOB", "bob@example.com", "BOB@Example.com"])
def test_exact_name_or_address_finds_a_user(share, table, user, person):
    user("bob", email="bob@example.com")
    user("bobby", email="bob@example.com.org")
    share(person)
    assert shares(table) == [("bob", "reader")]


def test_exact_case_decides_between_similar_names(share, table, user):
    user("twin"), user("Twin")
    share("Twin")
    assert shares(table) == [("Twin", "reader")]


def test_user_who_left_is_never_replaced_by_a_similar_one(share, table, user):
    user("Eve", is_active=False), user("eve")
    assertContains(share("Eve"), "There is no user Eve.")
    assert shares(table) == []


def test_full_name_finds_a_user_only_if_users_are_listed(
    share, table, user, dtale_settings
):
    user("bob", first_name="Bob", last_name="Smith")
    assertContains(share("bob smith"), "There is no user bob smith.")
    dtale_settings.LIST_USERS = True
    share("bob smith")
    assert shares(table) == [("bob", "reader")]


def test_user_model_may_lack_optional_fields(monkeypatch, ann, bob):
    """Custom user models may have no names, no e-mail address and no groups."""
    monkeypatch.setattr(people, "_fields", lambda: {"id", "username", "password"})
    assert people.find_people("bob", ann) == [bob]
    assert people.find_people("example", ann) == []
    assert people.find_person("BOB", by_full_name=True) == bob
    bare = SimpleNamespace(pk=1, get_username=lambda: "bob")
    assert people.label(bare) == "bob"
    assert not people.groups_of(bare).exists()


def test_visitors_cannot_find_out_who_has_an_account(client, ann):
    client.post("/create-df/")
    path = reverse("frames:share", args=[Frame.objects.get().pk])
    login = f"/accounts/login/?next={path}"
    assertRedirects(client.post(path, {"person": "ann"}), login)
    answer = client.get(f"{path}people/?q=ann")
    assert answer.status_code == 302 and "/accounts/login/" in answer["Location"]


# The list of shares -------------------------------------------------------------------


def role_form(share, role, **fields):
    return {f"share-{share.pk}-role": role} | {
        f"share-{share.pk}-{name}": value for name, value in fields.items()
    }


def test_role_can_be_changed_in_place(at, table, bob):
    given = table.share(bob)
    since = given.history_since
    path = f"/frames/{table.pk}/share/{given.pk}/role/"
    page = at.post(path, role_form(given, "editor"), follow=True)
    assertContains(page, "The access for bob was changed.")
    given.refresh_from_db()
    assert given.role == Role.EDITOR and given.history_since > since
    at.post(path, role_form(given, "editor", all_history="on"))
    given.refresh_from_db()
    assert given.history_since is None
    assert page_of(at, table).context["rows"][0][1].initial["all_history"]
    at.post(path, role_form(given, "editor"))
    given.refresh_from_db()
    assert given.history_since is not None
    assert at.post(path, role_form(given, "owner")).status_code == 302
    assert shares(table) == [("bob", "editor")]


def test_editors_keep_their_history_when_code_shares_again(table, bob):
    given = table.share(bob, "editor")
    again = table.share(bob, "editor")
    assert (again.pk, again.history_since) == (given.pk, given.history_since)
    assert table.share(bob, "editor", all_history=True).history_since is None
    assert table.share(bob, "editor").history_since is None


def undo_of(page):
    """Return the URL to which the button in the message sends a POST."""
    form = re.search(r'class="messages".*?action="([^"]+)".*?Undo', page.text, re.S)
    return form[1]


def test_removed_access_can_be_restored_from_the_message(at, table, bob, ann):
    given = table.share(bob, "editor", all_history=True)
    page = at.post(f"/frames/{table.pk}/share/{given.pk}/", follow=True)
    assertContains(page, "The access for bob was removed.")
    assert shares(table) == []
    url = undo_of(page)
    assertRedirects(at.get(url), f"/frames/{table.pk}/share/")
    assert shares(table) == []  # A GET changes nothing.
    page = at.post(url, follow=True)
    assertContains(page, "The access for bob was restored.")
    [restored] = table.shares.all()
    assert (restored.user, restored.role) == (bob, Role.EDITOR)
    assert (restored.history_since, restored.shared_by) == (None, ann)
    assert not RemovedShare.objects.exists()
    assert at.post(url).status_code == 404


@pytest.mark.parametrize("kind", ["share", "change", "remove", "restore", "people"])
def test_only_the_owner_manages_the_shares(
    client, table, bob, user, dtale_settings, kind
):
    dtale_settings.LIST_USERS = True
    eve = user("eve")
    given = table.share(bob, "editor")
    removed = table.share(eve).remove()
    path = f"/frames/{table.pk}/share/"
    requests = {
        "share": (path, {"person": "eve", "role": "editor"}),
        "change": (f"{path}{given.pk}/role/", role_form(given, "reader")),
        "remove": (f"{path}{given.pk}/", {}),
        "restore": (f"{path}{removed.pk}/restore/", {}),
    }
    for person, status in ((bob, 403), (eve, 404)):
        client.force_login(person)
        if kind == "people":
            assert client.get(f"{path}people/?q=bob").status_code == status
            continue
        url, data = requests[kind]
        for answer in (client.post(url, data), client.get(url)):
            assert answer.status_code == status
            assertNotContains(answer, "eve can", status_code=status)
            if status == 403:
                assertContains(answer, "Only the owner can", status_code=403)
    assert shares(table) == [("bob", "editor")]
    assert list(RemovedShare.objects.all()) == [removed]


def test_share_of_another_table_is_not_found(at, table, publish, ann, bob):
    given = table.share(bob)
    removed = publish(ann).share(bob).remove()
    own = publish(ann)
    path = f"/frames/{own.pk}/share/{given.pk}/"
    assert at.post(path).status_code == 404
    assert at.post(f"{path}role/", role_form(given, "editor")).status_code == 404
    path = f"/frames/{own.pk}/share/{removed.pk}/restore/"
    assert at.post(path).status_code == 404
    assert shares(table) == [("bob", "reader")] and shares(own) == []


def test_forms_need_a_csrf_token(table, ann, bob):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)
    given = table.share(bob)
    path = f"/frames/{table.pk}/share/{given.pk}/"
    for url in (path, f"{path}role/", f"{path}restore/"):
        assert strict.post(url, role_form(given, "editor")).status_code == 403
    assert shares(table) == [("bob", "reader")]


def test_page_shows_the_html_that_embeds_the_table(at, table):
    """A name is a text in the HTML, and the HTML is a text on the page."""
    table.name = "<b>a</b> & 'b'"
    table.save()
    text = re.search(r'id="embed" value="([^"]*)"', page_of(at, table).text)[1]
    assert html.unescape(text) == (
        f'<iframe src="http://testserver{table.get_iframe_url()}" width="100%" '
        f'height="480" title="{html.escape(table.title)}"></iframe>'
    )


def test_page_shows_the_address_as_text(at, table):
    url = f"http://testserver{table.get_absolute_url()}"
    assertContains(page_of(at, table), f'value="{url}" readonly')


def test_link_of_a_saved_view_opens_the_view(at, table, bob):
    view = table.saved_views.create(name="late <orders>")
    path = f"/frames/{table.pk}/share/?view={view.pk}"
    page = at.get(path)
    assertContains(page, f'value="http://testserver{view.get_absolute_url()}" readonly')
    assertContains(
        page, "The link opens the view <strong>late &lt;orders&gt;</strong>."
    )
    assert f"testserver{view.get_iframe_url()}" in page.text
    assertRedirects(at.post(path, {"person": "bob", "role": "reader"}), path)
    assert table.shares.get().user == bob


@pytest.mark.parametrize("number", ["x", "²", "0", "9" * 30])
def test_link_of_an_unknown_view_opens_the_table(at, table, number):
    page = at.get(f"/frames/{table.pk}/share/", {"view": number})
    assertContains(
        page, f'value="http://testserver{table.get_absolute_url()}" readonly'
    )


def test_names_are_escaped(share, at, table, user, team):
    Group.objects.update(name="<b>Team</b>")
    page = share(groups=[team.pk])
    assertNotContains(page, "<b>Team")
    given = table.shares.get()
    page = at.post(f"/frames/{table.pk}/share/{given.pk}/", follow=True)
    assertContains(page, "&lt;b&gt;Team&lt;/b&gt; was removed.")
    assertNotContains(page, "<b>Team")


def test_changes_of_shares_are_in_the_audit_log(share, at, table, bob, ann):
    share("bob")
    share("bob", "editor")
    given = table.shares.get()
    page = at.post(f"/frames/{table.pk}/share/{given.pk}/", follow=True)
    at.post(undo_of(page))
    entries = AuditEntry.objects.order_by("pk")
    assert [(each.user, each.action, each.detail) for each in entries] == [
        (ann, Action.SHARED, "bob: Can view"),
        (ann, Action.SHARED, "bob: Can edit"),
        (ann, Action.UNSHARED, "bob: Can edit"),
        (ann, Action.SHARED, "bob: Can edit"),
    ]
    assert {each.frame_pk for each in entries} == {table.pk}


# Suggestions --------------------------------------------------------------------------


@pytest.fixture
def suggest(at, table, dtale_settings):
    """Return a function that returns the names that the field suggests to Ann."""
    dtale_settings.LIST_USERS = True

    def suggest(text):
        query = urlencode({"q": text})
        answer = at.get(f"/frames/{table.pk}/share/people/?{query}")
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        return [each["name"] for each in answer.json()["people"]]

    return suggest


@pytest.fixture
def colleagues(user, ann):
    user("bob", first_name="Robert", last_name="Fox", email="b.fox@example.com")
    user("eve", first_name="Eve", last_name="Smith", email="eve@example.com")
    user("fox", is_active=False)
    user("kitfox")


@pytest.mark.parametrize(
    "text, names",
    [
        ("bo", ["bob"]),
        ("BO", ["bob"]),
        ("rob", ["bob"]),
        ("fox", ["bob", "kitfox"]),
        ("robert fox", ["bob"]),
        ("fox rob", ["bob"]),
        ("robert smith", []),
        ("b.fox@", ["bob"]),
        ("example.com", []),  # Only the beginning of an address counts.
        ("ann", []),  # The owner.
        ("f", []),
        ("  f ", []),
        ("", []),
        ("%%", []),
        ("__", []),
        ("x" * 300, []),
    ],
)
def test_suggestions_match_names_and_addresses(suggest, colleagues, text, names):
    assert suggest(text) == names


def test_suggestions_show_names_and_no_addresses(at, table, suggest, colleagues):
    answer = at.get(f"/frames/{table.pk}/share/people/?q=fox")
    assert answer.json() == {
        "people": [
            {"name": "bob", "label": "Robert Fox (bob)"},
            {"name": "kitfox", "label": "kitfox"},
        ]
    }


def test_number_of_suggestions_is_limited(suggest, user):
    for number in range(15):
        user(f"x_carl{number:02}")
    user("carla")
    found = suggest("carl")
    assert len(found) == 10
    assert found[0] == "carla"  # Names that begin with the text come first.


def test_people_who_may_not_have_frames_are_not_suggested(
    suggest, user, dtale_settings
):
    user("carl"), user("carla")
    asked = []

    def policy(person):
        asked.append(person)
        return person.username != "carl"

    dtale_settings.USER_CAN_USE_FRAMES = policy
    assert suggest("carl") == ["carla"]
    for number in range(people.MAX_CHECKED + 5):
        user(f"dora{number}")
    dtale_settings.USER_CAN_USE_FRAMES = lambda person: (
        asked.append(person) or person.username == "ann"
    )
    asked.clear()
    assert suggest("dora") == []
    assert len(asked) <= people.MAX_CHECKED + 5


def test_number_of_queries_does_not_depend_on_the_number_of_people(
    suggest, user, django_assert_max_num_queries
):
    for number in range(12):
        user(f"carl{number}")
    with django_assert_max_num_queries(4):
        suggest("carl")


def only_ann(user):
    return user.username == "ann"


def test_nobody_is_suggested_by_default(at, table, bob):
    for query in ("?q=bob", "?q=b", ""):
        answer = at.get(f"/frames/{table.pk}/share/people/{query}")
        assert answer.status_code == 404
        assertNotContains(answer, "bob", status_code=404)
    page = page_of(at, table)
    assertNotContains(page, "people.js")
    assertNotContains(page, "data-people")
    assertContains(page, "Exact usernames or e-mail addresses")


@pytest.mark.parametrize("rule", [only_ann, f"{__name__}.only_ann"])
def test_function_decides_who_may_search(
    client, publish, table, ann, bob, dtale_settings, rule
):
    dtale_settings.LIST_USERS = rule
    own = publish(bob)
    for person, frame, status in ((ann, table, 200), (bob, own, 404)):
        client.force_login(person)
        path = f"/frames/{frame.pk}/share/"
        assert client.get(f"{path}people/?q=bob").status_code == status
        assert ("people.js" in client.get(path).text) == (status == 200)


# Leaving, and the lists ---------------------------------------------------------------


def titles(page, part="shared"):
    return [frame.title for frame in page.context[part].page]


@pytest.fixture
def reader(client, bob):
    client.force_login(bob)
    return client


def test_direct_share_ends_when_the_user_leaves(reader, table, bob):
    table.share(bob)
    path = f"/frames/{table.pk}/leave/"
    page = reader.get(path)
    assertContains(page, "belongs to ann")
    assertNotContains(page, "by its address")
    page = reader.post(path, follow=True)
    assertContains(page, "sales is no longer in your list.")
    assert shares(table) == [] and Frame.objects.count() == 1
    assert reader.get(path).status_code == 404
    entry = AuditEntry.objects.latest("pk")
    assert (entry.user, entry.action) == (bob, Action.UNSHARED)


@pytest.mark.parametrize("by", ["group", "everyone"])
def test_table_of_a_group_leaves_the_list_until_it_is_shared_directly(
    reader, table, bob, by
):
    team = Group.objects.create(name="Team")
    bob.groups.add(team)
    table.share(team if by == "group" else EVERYONE)
    table.share(bob)
    assert titles(reader.get("/frames/")) == ["sales"]
    path = f"/frames/{table.pk}/leave/"
    assertContains(reader.get(path), "still open it by its address")
    reader.post(path)
    assert [each.user for each in table.shares.all()] == [None]
    assert titles(reader.get("/frames/")) == []
    assert reader.get(path).status_code == 200  # The address works.
    reader.post(path)  # Leaving again is harmless.
    assert PersonalView.objects.get().has_left
    table.share(bob)
    assert titles(reader.get("/frames/")) == ["sales"]


def test_leaving_an_own_frame_redirects_to_delete(at, publish, ann):
    frame = publish(ann, shared_with=[ann])
    path = f"/frames/{frame.pk}/leave/"
    assertRedirects(at.post(path), f"/frames/{frame.pk}/delete/")
    assert Frame.objects.count() == 1 and not PersonalView.objects.exists()


def test_leaving_affects_nobody_else(reader, client, table, bob, user):
    eve = user("eve")
    table.share(EVERYONE)
    reader.post(f"/frames/{table.pk}/leave/")
    client.force_login(eve)
    assert titles(client.get("/frames/")) == ["sales"]


def test_list_says_by_whom_and_in_which_role(reader, table, bob, user):
    table.share(bob)
    assertContains(reader.get("/frames/"), "Can view, shared by ann")
    boss = user("boss")
    Share.objects.grant(table, EVERYONE, Role.EDITOR, shared_by=boss)
    assertContains(reader.get("/frames/"), "Can edit, shared by boss")


@pytest.mark.parametrize(
    "users, groups, everyone, text",
    [
        (1, 0, False, "1 user"),
        (2, 0, False, "2 users"),
        (0, 1, False, "1 group"),
        (0, 2, False, "2 groups"),
        (1, 2, False, "1 user, 2 groups"),
        (1, 1, True, "Everyone who is signed in"),
    ],
)
def test_owner_sees_how_a_table_is_shared(
    at, table, user, users, groups, everyone, text
):
    for number in range(users):
        table.share(user(f"user{number}"))
    for number in range(groups):
        table.share(Group.objects.create(name=f"group{number}"))
    if everyone:
        table.share(EVERYONE)
    link = re.search(
        rf'<a href="/frames/{table.pk}/share/">(.*?)</a>', at.get("/").text, re.S
    )
    assert " ".join(link[1].split()) == text


# E-mail -------------------------------------------------------------------------------


@pytest.fixture
def outbox(settings, tmp_path):
    """Configure e-mails, which are written to files. Return a function that reads them."""
    directory = tmp_path / "mails"
    for name, value in settings_for(directory.as_uri()).items():
        setattr(settings, name, value)
    settings.DEFAULT_FROM_EMAIL = "site@example.com"

    def read():
        for thread in threading.enumerate():
            if thread.name == THREAD:
                thread.join(10)
        files = sorted(directory.glob("*"), key=lambda file: file.stat().st_mtime)
        messages = b"".join(file.read_bytes() for file in files)
        parts = messages.split(b"-" * 79 + b"\n")
        return [
            message_from_bytes(part, policy=policy.default)
            for part in parts
            if part.strip()
        ]

    return read


@pytest.fixture
def with_mail(outbox, share, django_capture_on_commit_callbacks):
    """Return a function that shares, and returns the e-mails that were sent."""

    def with_mail(*args, send_mail="on", **fields):
        with django_capture_on_commit_callbacks(execute=True):
            share(*args, send_mail=send_mail, **fields)
        return outbox()

    return with_mail


def test_mail_names_the_sharer_the_table_and_the_link(
    with_mail, table, user, ann, team
):
    ann.first_name, ann.last_name = "Ann", "Lee"
    ann.save()
    user("bob", email="bob@example.com", first_name="Bob")
    user("eve", email="eve@example.com")
    user("kim")  # Has no address.
    Frame.objects.update(name="R&D <sales>")
    messages = with_mail("bob, eve, kim", "editor", groups=[team.pk], everyone="on")
    assert {each["To"] for each in messages} == {"bob@example.com", "eve@example.com"}
    [first] = [each for each in messages if each["To"] == "bob@example.com"]
    # Python 3.11 keeps the space with which a long header begins.
    subject = first["Subject"].strip()
    assert subject == "Ann Lee has shared “R&D <sales>” with you"
    assert first["From"] == "site@example.com"
    assert first.get_content_type() == "text/plain"
    text = first.get_content()
    assert "Hello Bob," in text
    assert "Ann Lee has shared the table “R&D <sales>” with you." in text
    assert "You can view and edit it here:" in text
    assert f"http://testserver{table.get_absolute_url()}" in text
    assert "eve" not in text and "kim" not in text


def test_mail_is_sent_once_for_each_new_user(with_mail, at, table, user):
    user("bob", email="bob@example.com"), user("eve", email="eve@example.com")
    assert len(with_mail("bob")) == 1
    assert len(with_mail("bob", "editor")) == 1
    given = table.shares.get()
    at.post(f"/frames/{table.pk}/share/{given.pk}/")
    assert len(with_mail("bob, eve")) == 2  # Only for eve.


def test_no_mail_is_sent_unless_it_is_chosen(with_mail, user):
    user("bob", email="bob@example.com")
    assert with_mail("bob", send_mail="") == []


def test_mail_is_in_the_language_of_the_receiver(
    with_mail, user, monkeypatch, settings, tmp_path
):
    """The user model of a site can have a field ``language``."""
    templates = tmp_path / "templates"
    template = templates / "frames" / "share_mail.txt"
    template.parent.mkdir(parents=True)
    template.write_text(
        "{% load i18n %}{% get_current_language as language %}[{{ language }}]"
    )
    [engine] = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [templates, *engine["DIRS"]]}]
    bob = user("bob", email="bob@example.com")
    eve = user("eve", email="eve@example.com")
    monkeypatch.setattr(
        type(bob),
        "language",
        property(lambda person: "de" if person.pk == bob.pk else "xx"),
        raising=False,
    )
    texts = {each["To"]: each.get_content() for each in with_mail("bob, eve")}
    assert "[de]" in texts[bob.email]
    assert "[en]" in texts[eve.email]  # The language of the sharer.


def test_failure_to_send_is_logged_and_does_not_undo_the_share(
    with_mail, table, user, monkeypatch, caplog
):
    user("bob", email="bob@example.com"), user("eve", email="eve@example.com")
    send = EmailMessage.send

    def fail(message, *args, **options):
        if message.to == ["bob@example.com"]:
            raise OSError("the mail server does not answer")
        return send(message, *args, **options)

    monkeypatch.setattr(EmailMessage, "send", fail)
    assert len(with_mail("bob, eve")) == 1
    assert shares(table) == [("bob", "reader"), ("eve", "reader")]
    assert "about a share was not sent" in caplog.text


def test_checkbox_for_mail_is_shown_only_if_mail_is_configured(
    at, table, settings, outbox
):
    assert sends_mail()
    assertContains(page_of(at, table), "Send them an e-mail")
    for name, value in settings_for("console:").items():
        setattr(settings, name, value)
    assert not sends_mail()
    assertNotContains(page_of(at, table), "Send them an e-mail")


def test_mail_that_was_never_configured_is_not_sent(
    share, at, table, user, django_capture_on_commit_callbacks
):
    user("bob", email="bob@example.com")
    assert not sends_mail()
    with django_capture_on_commit_callbacks() as callbacks:
        share("bob", send_mail="on")
    assert callbacks == [] and shares(table) == [("bob", "reader")]
