"""A request whose connection ends too early changes nothing."""

from io import BytesIO

import pytest
from django.test import RequestFactory

import django_dtale
from django_dtale.exceptions import InputRefused
from django_dtale.models import Frame
from django_dtale.models.tokens import Token
from django_dtale.storage import blobs
from django_dtale.views.whole_body import require_whole_body

from .test_live_data import OLD

pytestmark = pytest.mark.django_db
CSV = b"city,sales\n" + b"Oslo,4\n" * 1_000


def ended_early(body, missing=2_000):
    """Return what a WSGI server gives an application if a client closes the connection."""
    return {
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body[: len(body) - missing]),
    }


@pytest.fixture
def table(stored, ann):
    return django_dtale.publish(OLD, owner=ann, name="Sales")


def rows():
    return [blobs.load(each.payload).shape[0] for each in Frame.objects.all()]


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_push_that_ends_early_is_refused(table, ann, client, mode):
    answer = client.post(
        f"/frames/push/?name=Sales&{mode}=1",
        CSV,
        content_type="text/csv",
        headers={"Authorization": f"Bearer {Token.objects.create_token(ann, 'job')}"},
        **ended_early(CSV),
    )
    assert answer.status_code == 422
    assert "before all data were sent" in answer.json()["error"]
    assert rows() == [3]


@pytest.mark.parametrize("missing", [1, 40, 2_000])
def test_upload_that_ends_early_is_refused(table, at, missing):
    head = (
        b'--x\r\nContent-Disposition: form-data; name="frame"\r\n\r\n%d\r\n--x\r\n'
        b'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    )
    body = head % table.pk + CSV + b"\r\n--x--\r\n"
    answer = at.post(
        "/frames/upload/",
        body,
        content_type="multipart/form-data; boundary=x",
        **ended_early(body, missing),
    )
    assert answer.status_code == 400
    assert "before all data were sent" in answer.text
    assert rows() == [3]


def test_request_of_dtale_that_ends_early_is_refused(owner, frame):
    body = b'{"action": "stack"}' + b" " * 3_000
    options = {"content_type": "application/json", "method": "POST"}
    for stream, status in ((body, 200), (body[:100], 400)):
        answer = owner.browser.open(
            "/flask/dtale/merge",
            data=body,
            environ_overrides={"wsgi.input": BytesIO(stream)},
            **options,
        )
        assert answer.status_code == status
    assert "before all data were sent" in answer.json["error"]


def test_whole_body_is_read_in_parts():
    request = RequestFactory().post("/", b"abcdef", content_type="text/csv")
    require_whole_body(request)
    assert (request.read(2), request.read(0), request.read(10), request.read(3)) == (
        *(b"ab", b"", b"cdef", b""),
    )
    request = RequestFactory().post(
        "/", content_type="text/csv", **ended_early(b"abcdefghi", 3)
    )
    require_whole_body(request)
    assert request.read(4) == b"abcd"
    with pytest.raises(InputRefused):
        [request.read(4) for _ in range(3)]
