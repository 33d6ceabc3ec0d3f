"""A query whose SQL is made once finds what Django's finds."""

import pytest

from frames.models import Frame, Preferences
from frames.unit_of_work import unit_of_work
from frames.workspace import Workspace, bind

pytestmark = pytest.mark.django_db


def test_frame(frame, publish, ann):
    other = publish(ann, name="other")
    for pk in (frame.pk, other.pk):
        row = Frame.objects.with_content().get(pk=pk)
        quick = Frame.objects.quick_get(pk)
        for name in [field.attname for field in Frame._meta.concrete_fields]:
            assert getattr(quick, name) == getattr(row, name), name
        assert bytes(quick.content) == bytes(row.content)
    assert Frame.objects.quick_get(other.pk + 1) is None


def test_preferences(ann, bob):
    settings = {"theme": "dark", "max_row_height": 50}
    Preferences.objects.create(owner=ann, app_settings=settings, mapbox_token="token")
    Preferences.objects.create(visitor="somebody", app_settings={"theme": "light"})
    found = Preferences.objects.quick_get(ann.pk)
    assert found.app_settings == settings and found.mapbox_token == "token"
    found = Preferences.objects.quick_get(owner_id=None, visitor="somebody")
    assert found.app_settings == {"theme": "light"}
    assert Preferences.objects.quick_get(bob.pk) is None
    assert Preferences.objects.quick_get(None, "nobody") is None


def test_names(publish, ann, bob, visitor):
    own = publish(ann, "own").pk
    shared = publish(bob, "shared", shared_with=[ann]).pk
    others = publish(bob).pk
    anonymous = visitor().upload()
    for workspace, names in [
        (Workspace(ann), {own: "own", shared: "shared"}),
        (Workspace(bob), {shared: "shared", others: ""}),
        (
            Workspace(
                None, {"frames_visitor": Frame.objects.get(pk=anonymous).visitor}
            ),
            {anonymous: "s"},
        ),
        (Workspace(None, {}), {}),
    ]:
        assert Frame.objects.names_in(workspace) == names
        visible = Frame.objects.visible_in(workspace)
        assert dict(visible.values_list("pk", "name")) == names


def test_same_query_in_an_aborted_and_a_new_transaction(ann, frame):
    with bind(Workspace(ann)):
        for _ in range(2):
            with unit_of_work() as unit:
                assert unit.names() == {frame.pk: ""}
