"""The entries of the audit log, and how administrators read them."""

import csv
import threading
import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from django_dtale.models import Action, AuditEntry, Frame, Share
from django_dtale.models.tokens import Scope, Token
from django_dtale.unit_of_work import audit

pytestmark = pytest.mark.django_db(transaction=True)

LOG = "/admin/frames/auditentry/"


@pytest.fixture(autouse=True)
def nothing_opened():
    audit._recently_opened.clear()


@pytest.fixture
def sales(publish, ann, bob):
    frame = publish(ann, "sales", shared_with=[bob], a=[1, 2], b=["secret", "x"])
    assert [entry[1] for entry in entries()] == [Action.SHARED]
    AuditEntry.objects.all().delete()
    return frame


def entries():
    """Return the entries, oldest first."""
    fields = "username", "action", "frame_pk", "detail"
    return [*AuditEntry.objects.order_by("pk").values_list(*fields)]


# Recording -----------------------------------------------------------------------


def test_opening_is_recorded_once_per_person(sales, visitor, ann, bob, publish):
    owner, reader, other = visitor(ann), visitor(bob), publish(bob)
    for person in (owner, owner, reader):
        for page in ("main", "iframe", "popup/describe", "charts"):
            assert person.get(f"{page}/{sales.pk}").status_code == 200
    reader.get(f"main/{other.pk}")
    assert entries() == [
        ("ann", Action.OPENED, sales.pk, ""),
        ("bob", Action.OPENED, sales.pk, ""),
        ("bob", Action.OPENED, other.pk, ""),
    ]
    assert AuditEntry.objects.last().frame_name == "sales"


def test_visitors_are_recorded_without_a_name(visitor):
    for _ in range(2):
        somebody = visitor()
        pk = somebody.upload()
        somebody.get(f"main/{pk}")
    assert [entry[:2] for entry in entries()] == [("", Action.OPENED)] * 2


def test_refused_pages_are_not_recorded(sales, visitor, user):
    assert visitor(user("eve")).get(f"main/{sales.pk}").status_code == 404
    assert entries() == []


def test_reading_and_filtering_is_not_an_export(sales, owner):
    owner.column(sales.pk)
    owner.get(f"dtypes/{sales.pk}")
    owner.get(f"test-filter/{sales.pk}", query="a > 1", save="true")
    owner.get(f"correlations/{sales.pk}")
    owner.get(f"code-export/{sales.pk}")
    assert entries() == []


@pytest.mark.parametrize(
    "path, query, detail",
    [
        ("data-export/{}", {}, "CSV"),
        ("data-export/{}", {"type": "tsv"}, "TSV"),
        ("data-export/{}", {"type": "parquet"}, "Parquet"),
        ("data/{}", {"export": "true"}, "HTML"),
        ("missingno/bar/{}", {"file": "true"}, "PNG"),
    ],
)
def test_exports_of_dtale_are_recorded(sales, owner, path, query, detail):
    owner.get(f"test-filter/{sales.pk}", query="b != 'secret'", save="true")
    owner.get(path.format(sales.pk), **query)
    assert entries() == [("ann", Action.EXPORTED, sales.pk, detail)]


CHART = {"chart_type": "bar", "x": "b", "y": ["a"], "agg": "sum", "query": "a > 0"}


@pytest.mark.parametrize(
    "path, detail",
    [
        ("chart-csv-export/{}", "CSV"),
        ("chart-export/{}", "HTML"),
        ("chart-export-all/{}", "HTML"),
    ],
)
def test_exported_charts_are_recorded(sales, owner, path, detail):
    owner.get(path.format(sales.pk), **CHART)
    assert entries() == [("ann", Action.EXPORTED, sales.pk, detail)]


def test_refused_export_is_not_recorded(sales, owner):
    chart = CHART | {"query": "a.cumsum() > 2"}
    owner.get(f"chart-csv-export/{sales.pk}", **chart)
    assert entries() == []


def test_downloads_are_recorded_unless_nothing_is_sent(sales, client, bob):
    client.force_login(bob)
    answer = client.get(f"/frames/{sales.pk}/csv/")
    b"".join(answer)
    client.get(f"/frames/{sales.pk}/csv/", headers={"If-None-Match": answer["ETag"]})
    b"".join(client.get(f"/frames/{sales.pk}/parquet/?view=1"))
    token = Token.objects.create_token(bob, name="notebook", scope=Scope.READ)
    header = {"Authorization": f"Bearer {token}"}
    b"".join(client.get(f"/frames/{sales.pk}/parquet/", headers=header))
    assert entries() == [
        ("bob", Action.EXPORTED, sales.pk, "CSV"),
        ("bob", Action.EXPORTED, sales.pk, "Parquet"),
        ("bob", Action.EXPORTED, sales.pk, "Parquet, by a program"),
    ]


def test_entries_stay_without_the_user_and_the_table(sales, visitor, bob):
    visitor(bob).get(f"main/{sales.pk}")
    pk = sales.pk
    sales.delete(), bob.delete()
    assert entries() == [("bob", Action.OPENED, pk, "")]


@pytest.mark.parametrize("is_page", [True, False], ids=["page", "download"])
def test_log_that_cannot_be_written_does_not_fail_the_request(
    sales, owner, monkeypatch, caplog, is_page
):
    def fail(*args, **options):
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM there_is_no_such_table")

    with monkeypatch.context() as patch:
        patch.setattr(AuditEntry.objects, "create", fail)
        with pytest.raises(DatabaseError):
            AuditEntry.objects.record(None, Action.OPENED, sales)
        if is_page:
            assert owner.get(f"main/{sales.pk}").status_code == 200
        else:
            answer = owner.browser.get(f"/frames/{sales.pk}/csv/")
            assert answer.text == "a,b\n1,secret\n2,x\n"
    assert "The audit log cannot be written" in caplog.text
    assert entries() == []
    owner.get(f"main/{sales.pk}")  # The next opening is recorded.
    assert len(entries()) == 1


def test_entry_is_written_after_a_short_wait_for_another_writer(sales, owner):
    """The lock of SQLite is for the whole database."""
    writing = threading.Event()

    def write():
        with transaction.atomic():
            Frame.objects.update(conversion_notes="x")
            writing.set()
            time.sleep(0.5)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert writing.wait(10)
    assert owner.get(f"main/{sales.pk}").status_code == 200
    writer.join()
    assert entries() == [("ann", Action.OPENED, sales.pk, "")]


# The admin ----------------------------------------------------------------------------


@pytest.fixture
def log(sales, publish, ann, bob):
    """Three entries, about two tables and by two people."""
    other = publish(bob, "=budget")
    AuditEntry.objects.record(ann, Action.OPENED, sales)
    AuditEntry.objects.record(bob, Action.EXPORTED, sales, "CSV")
    AuditEntry.objects.record(bob, Action.DELETED, other)
    month = timezone.now() - timedelta(days=40)
    AuditEntry.objects.filter(action=Action.OPENED).update(at=month)
    return sales, other


@pytest.mark.parametrize(
    "query, found",
    [
        ("", {"opened", "exported", "deleted"}),
        ("q=ann", {"opened"}),
        ("q=sales", {"opened", "exported"}),
        ("q={pk}", {"opened", "exported"}),
        ("action__exact=deleted", {"deleted"}),
        ("at__gte={day}", {"exported", "deleted"}),
    ],
)
def test_log_can_be_searched_and_filtered(admin_client, log, query, found):
    day = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%MZ")
    page = admin_client.get(f"{LOG}?{query.format(pk=log[0].pk, day=day)}")
    assert {entry.action for entry in page.context["cl"].result_list} == found


def test_log_cannot_be_changed(admin_client, log):
    entry = AuditEntry.objects.first()
    page = admin_client.get(f"{LOG}{entry.pk}/change/")
    assertContains(page, "=budget")
    assertNotContains(page, 'name="_save"')
    for path in ("add/", f"{entry.pk}/delete/"):
        assert admin_client.get(LOG + path).status_code == 403
        assert admin_client.post(LOG + path, {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": entry.pk, "post": "yes"}
    admin_client.post(LOG, data)
    assert admin_client.post(f"{LOG}{entry.pk}/change/", {}).status_code == 403
    assert AuditEntry.objects.count() == 3


def test_log_needs_a_permission(client, log, user):
    clerk = user("clerk", is_staff=True)
    client.force_login(clerk)
    assert client.get(LOG).status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    assert client.get(LOG).status_code == 200


def test_log_is_exported_without_formulas(admin_client, log):
    chosen = AuditEntry.objects.exclude(action=Action.OPENED)
    AuditEntry.objects.filter(action=Action.DELETED).update(username="@bob")
    data = {"action": "export_as_csv", "_selected_action": [each.pk for each in chosen]}
    answer = admin_client.post(LOG, data)
    assert answer["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
    header, *rows = csv.reader(b"".join(answer).decode().splitlines())
    assert header == ["at", "username", "action", "frame_pk", "frame_name", "detail"]
    assert [row[1:] for row in rows] == [
        ["'@bob", "deleted", str(log[1].pk), "'=budget", ""],
        ["bob", "exported", str(log[0].pk), "sales", "CSV"],
    ]


@pytest.mark.parametrize("is_action", [True, False], ids=["action", "page"])
def test_deletion_in_the_admin_is_recorded(admin_client, sales, is_action):
    pk = sales.pk
    data = {"post": "yes"}
    path = f"/admin/frames/frame/{pk}/delete/"
    if is_action:
        path = "/admin/frames/frame/"
        data |= {"action": "delete_selected", "_selected_action": [pk]}
    admin_client.post(path, data)
    assert not Frame.objects.exists() and not Share.objects.exists()
    assert entries() == [("admin", Action.DELETED, pk, "For good, by an administrator")]
