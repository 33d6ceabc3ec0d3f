"""Owners and readers of frames, names and ids, and the effect of signing in."""

import pandas as pd
import pytest

from django_dtale.dtale.patches.registry import STORE, resolve
from django_dtale.exceptions import FrameNotFound
from django_dtale.models import Frame
from django_dtale.unit_of_work import unit_of_work
from django_dtale.workspace import NoWorkspace, Workspace, bind

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(visitor, ann):
    return visitor(ann)


# Own frames ---------------------------------------------------------------------------


def test_visitor_keeps_their_frame(visitor):
    somebody = visitor()
    pk = somebody.upload()
    assert somebody.column(pk) == [1, 2, 3]
    somebody.edit(pk, 10)
    assert somebody.column(pk) == [10, 2, 3]
    assert somebody.frames() == [pk]


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_sample_belongs_to_the_requester(visitor, ann, is_signed_in):
    somebody = visitor(ann if is_signed_in else None)
    answer = somebody.submit("/create-df/")
    (pk,) = somebody.frames()
    assert answer.location == Frame.objects.get().get_absolute_url()
    assert somebody.column(pk) == [1, 2, 3]


def test_published_frame_belongs_to_its_owner(visitor, ann, publish):
    frame = publish(ann, "Q3 sales")
    assert (frame.owner, frame.rows, frame.columns, frame.name) == (
        ann,
        3,
        2,
        "Q3 sales",
    )
    assert visitor(ann).frames() == [frame.pk]


# Other people's frames ----------------------------------------------------------------


@pytest.fixture(params=["a visitor", "a user"])
def stranger(request, visitor, bob):
    """A person with their own frame, who knows the id of Ann's frame."""
    stranger = visitor(bob if request.param == "a user" else None)
    stranger.upload("a,c\n7,8\n")
    return stranger


@pytest.mark.parametrize(
    "path",
    [
        "main/{}",
        "main/%2{}",
        "main/name/secret",
        "iframe/{}",
        "charts/{}",
        "network/{}",
        "popup/describe/{}",
        "data/{}?ids=[%220-5%22]",
        "dtypes/{}",
        "describe/{}?col=a",
        "column-analysis/{}?col=a&type=histogram",
        "data-export/{}?type=csv",
        "code-export/{}",
        "edit-cell/{}?col=a&rowIndex=0&updated=9",
        "rename-col/{}?col=a&rename=z",
        "delete-col/{}?cols=[%22a%22]",
        "update-settings/{}?settings=%7B%22invertFilter%22:true%7D",
        "cleanup-datasets?dataIds={}",
        "build-column/{}?type=cumsum&cfg=%7B%22cols%22:[%22a%22]%7D&name=z",
    ],
)
def test_frame_of_another_user_is_not_found(stranger, ann, publish, path, stored):
    frame = publish(ann, "secret", a=[123456789], b=[1])
    before = Frame.objects.values().get(pk=frame.pk), stored.read(frame.payload)
    answer = stranger.get(path.format(frame.pk))
    assert "123456789" not in answer.text
    if "cleanup" not in path:
        assert answer.status_code in (401, 404)
    assert before == (
        Frame.objects.values().get(pk=frame.pk),
        stored.read(before[0]["payload"]),
    )


def test_lists_and_merges_exclude_frames_of_other_users(stranger, ann, publish):
    frame = publish(ann, "secret")
    for path in ("processes", "process-keys", "popup/merge", "charts/", "main"):
        assert "secret" not in stranger.get(path, dtypes="true").text
    assert frame.pk not in stranger.frames()
    side = {"index": [], "columns": None, "suffix": ""}
    answer = stranger.post(
        "merge",
        json={
            "action": "stack",
            "config": "{}",
            "datasets": str([{**side, "dataId": str(frame.pk)}] * 2).replace("'", '"'),
        },
    )
    assert not answer.json.get("success")
    assert Frame.objects.count() == 2


def test_chart_callback_does_not_show_frame_of_another_user(stranger, ann, publish):
    frame = publish(ann, a=[123456789], b=[1])
    answer = stranger.call_back(
        "..query-data.data...query-input.style...query-input.title...load-slider.marks..",
        {"query-input.value": ""},
        {
            "query-data.data": "",
            "load-slider.marks": {},
            "data-tabs.value": str(frame.pk),
        },
    )
    assert "123456789" not in answer.text
    assert Frame.objects.count() == 2


def test_visitor_without_a_session_has_no_frames(visitor, ann, publish):
    visitor().upload()
    publish(ann)
    assert visitor().frames() == []


def test_unit_of_work_requires_a_workspace():
    with pytest.raises(NoWorkspace), unit_of_work():
        pass


# Signing in ---------------------------------------------------------------------------


def test_visitors_frames_are_kept_after_sign_in(visitor, bob, stored):
    somebody = visitor()
    pk = somebody.upload()
    somebody.edit(pk, 10)
    somebody.get(f"update-settings/{pk}", settings={"invertFilter": True})
    somebody.sign_in(bob)
    assert somebody.frames() == [pk]
    assert somebody.column(pk) == [10, 2, 3]
    assert Frame.objects.get().owner == bob
    assert visitor(bob).edit(pk, 11).json["success"]


def test_session_from_before_sign_in_has_no_frames(visitor, bob):
    somebody = visitor()
    somebody.upload()
    session = somebody.browser.get_cookie("sessionid").value
    somebody.sign_in(bob)
    after = visitor()
    # This session was valid before the sign-in.
    after.browser.set_cookie("sessionid", session)
    assert after.frames() == []


def test_second_user_of_a_browser_cannot_see_frames_of_the_first(visitor, ann, bob):
    somebody = visitor(ann)
    pk = somebody.upload()
    somebody.sign_in(bob)
    assert somebody.frames() == []
    assert visitor(ann).frames() == [pk]


# Names and ids ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, shown",
    [
        ("Q3 sales", "Q3 sales"),
        ("  Q3 \n sales ", "Q3 sales"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("a'b\"c&d\\e`f", "a'b\"c&d\\e`f"),
        ("日本 Δ é", "日本 Δ é"),
        ("n" * 200, "n" * 89 + "…"),
        (" ", ""),
        ("", ""),
    ],
)
def test_name_is_kept_in_one_line(publish, ann, name, shown):
    publish(ann)  # A second frame without a name must not get a number for a name.
    assert publish(ann, name).name == shown


def test_duplicate_name_gets_a_number_per_workspace(publish, ann, bob):
    names = [publish(owner, "sales").name for owner in (ann, ann, bob, ann)]
    assert names == ["sales", "sales 2", "sales", "sales 3"]


def test_name_resolves_to_the_users_own_frame(publish, ann, bob, visitor):
    frames = {owner: publish(owner, "Q3 sales!") for owner in (ann, bob)}
    for owner, frame in frames.items():
        page = visitor(owner).get("main/name/q3_sales").text
        assert f'id="data_id" value="{frame.pk}"' in page


def test_name_never_shadows_a_frame_number(publish, ann, owner):
    first = publish(ann, a=[1])
    publish(ann, str(first.pk), a=[2])
    assert owner.column(first.pk) == [1]


@pytest.mark.parametrize("key", ["", "x", "-1", "1.0", "0", "9" * 30, None, "1,2", "²"])
def test_invalid_frame_number_is_not_found(publish, ann, key):
    frame = publish(ann)
    with bind(Workspace(ann)), unit_of_work() as unit:
        with pytest.raises(FrameNotFound):
            unit.get(key)
        with pytest.raises(FrameNotFound):
            unit.name(key)
        assert unit.names() == {frame.pk: ""}
        with pytest.raises(FrameNotFound):
            unit.name(key)


def test_unknown_number_creates_no_frame(owner):
    for path in ("data/7", "update-settings/7", "edit-cell/7", "build-column/7"):
        assert owner.get(path, ids=["0-5"]).status_code == 404
    assert owner.frames() == []


def test_set_data_with_an_unknown_number_creates_no_frame(ann):
    """Only the database assigns ids. Other ids could belong to someone else later."""
    with bind(Workspace(ann)), unit_of_work(), pytest.raises(FrameNotFound):
        resolve(STORE).set_data("123456789", pd.DataFrame({"a": [1]}))
    assert not Frame.objects.exists()


def test_number_is_not_reused(publish, ann, owner):
    first = publish(ann)
    owner.get("cleanup-datasets", dataIds=first.pk)
    assert publish(ann).pk > first.pk
