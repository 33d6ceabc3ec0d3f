"""A payload file returns exactly the frame that was written, or fails to load."""

import pickle
import sys
import types

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from django_dtale.models import Frame
from django_dtale.storage import payload, signing
from django_dtale.storage.payload import CorruptPayload

NAME = "one.frame"
FRAMES = {
    "mixed": pd.DataFrame(
        {
            "i": [1, 2, 3],
            "f": [1.5, -0.0, np.nan],
            "s": ["a", None, "é"],
            "o": [[1], {"x": 2}, None],
            "d": pd.to_datetime(["2020-01-01", None, "2021-02-03"]),
            "z": pd.date_range("2020", periods=3, tz="Europe/Paris"),
            "c": pd.Categorical(["x", "y", "x"], ordered=True),
            "n": pd.array([1, None, 3], "Int64"),
        }
    ),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="float32"), "s": []}),
    "no columns": pd.DataFrame(index=range(3)),
    "nothing": pd.DataFrame(),
    "arrow": pd.DataFrame({"a": pd.array([[1, 2], None], "object")}).astype(
        {"a": "object"}
    ),
    "two levels": pd.DataFrame(
        [[1, 2.5], [3, 4.5]],
        index=pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["n", None]),
        columns=pd.MultiIndex.from_tuples([("x", 1), ("x", 2)]),
    ),
    "times, every second": pd.DataFrame(
        {"d": pd.date_range("2020", periods=9), "t": pd.to_timedelta(range(9), "D")}
    )[::2],
    "wide": pd.DataFrame({f"c{n}": [n, n / 2] for n in range(300)}),
    "long": pd.DataFrame({"a": np.arange(100_000), "s": ["text"] * 100_000}),
    "long, two levels": pd.DataFrame(
        {("x", 1): np.arange(100_000), ("x", None): 0.5, ("y", 1): 1},
        index=pd.Index(np.arange(100_000) * 2, name="number"),
    ).rename_axis(columns=["n", None]),
    "long, one name": pd.DataFrame(np.ones((100_000, 3)), columns=["a", "a", 0]),
    "long, no columns": pd.DataFrame(index=pd.date_range("1900", periods=100_000)),
}


def write(path, frame, **options):
    packed = payload.PackedFrame(frame)
    payload.write(path, packed, path.name, **options)
    return packed


@pytest.fixture
def written(tmp_path):
    """Write a frame. Return the file's path and content."""
    path = tmp_path / NAME
    write(path, pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]}))
    return path, bytearray(path.read_bytes())


@pytest.fixture
def unpickled(monkeypatch):
    """Make unpickling return an empty frame. Return the list of its inputs."""
    unpickled = []

    def loads(data, **kwargs):
        unpickled.append(bytes(data))
        return pd.DataFrame()

    monkeypatch.setattr(pickle, "loads", loads)
    return unpickled


@pytest.fixture
def no_pickle(unpickled):
    """Check that nothing is unpickled during the test."""
    yield
    assert unpickled == []


@pytest.mark.parametrize("kind", FRAMES)
def test_frame_is_read_as_it_was_written(tmp_path, kind):
    path = tmp_path / NAME
    packed = write(path, FRAMES[kind])
    frame, memory = payload.read(path, NAME).frame()
    assert_frame_equal(frame, FRAMES[kind], check_exact=True, check_freq=True)
    assert list(map(str, frame.dtypes)) == list(map(str, FRAMES[kind].dtypes))
    assert packed.nbytes <= path.stat().st_size <= memory


def test_attrs_of_a_long_frame_are_kept(tmp_path):
    frame = FRAMES["long"].copy()
    frame.attrs["source"] = "a shop"
    write(tmp_path / NAME, frame)
    assert payload.read(tmp_path / NAME, NAME).frame()[0].attrs == frame.attrs


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2026", periods=5_000, freq="s"),
        pd.date_range("2026", periods=5_000, freq="s", tz="Europe/Paris", unit="ns"),
        pd.timedelta_range("1s", periods=5_000),
        pd.period_range("2026", periods=5_000, freq="D"),
    ],
    ids=lambda times: str(times.dtype),
)
def test_time_columns_are_memory_mapped(tmp_path, times):
    frame = pd.DataFrame({"a": times, "b": times.shift(1), "c": 1})
    frame.loc[3, "a"] = None
    packed = write(tmp_path / NAME, frame)
    assert len(packed.pickle) < 3_000
    assert_frame_equal(payload.read(tmp_path / NAME, NAME).frame()[0], frame)


def test_columns_are_memory_mapped_and_not_unpickled(tmp_path):
    """NumPy exposes no buffer for datetimes, so pickle would copy these columns."""
    days = pd.date_range("2020", periods=10_000, freq="h")
    frame = pd.DataFrame(
        {
            **{f"d{number}": days for number in range(3)},
            "z": days.tz_localize("UTC").tz_convert("Europe/Paris"),
            "t": days - days[0],
            "i": range(10_000),
        },
        index=days,
    )
    path = tmp_path / NAME
    payload.write(path, payload.PackedFrame(frame), NAME)
    read, memory = payload.read(path, NAME).frame()
    assert_frame_equal(read, frame)
    assert memory < path.stat().st_size + 7 * 10_000
    read.iloc[0] = read.iloc[1]  # The memory mapping is private and writable.
    assert read["d0"].iloc[0] == days[1]


def test_file_is_private_and_never_overwritten(written):
    path, content = written
    assert path.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    with pytest.raises(FileExistsError):
        write(path, FRAMES["wide"])
    assert path.read_bytes() == content


# Payloads with a base -----------------------------------------------------------------


@pytest.fixture
def base(tmp_path):
    """Return a payload with two equal columns of floats and one of text."""
    floats = np.arange(1_000) / 2
    path = tmp_path / "base.frame"
    write(path, pd.DataFrame({"a": floats, "s": ["x", None] * 500}).assign(b=floats))
    return payload.read(path, "base.frame")


def test_data_of_the_base_is_not_written_again(tmp_path, base):
    path, frame = tmp_path / NAME, base.frame()[0]
    frame.loc[0, "s"] = "new"
    write(path, frame, base=base.table)
    assert path.stat().st_size < 10_000 < (tmp_path / "base.frame").stat().st_size
    opened = payload.read(path, NAME, base)
    assert_frame_equal(opened.frame()[0], frame)
    assert opened.nbytes > base.nbytes


def test_equal_columns_do_not_share_memory(tmp_path, base):
    """Each buffer is shared only once. Otherwise, an edit could change both columns."""
    path, frame = tmp_path / NAME, base.frame()[0]
    frame = frame.assign(c=frame["a"])
    write(path, frame, base=base.table)
    read, _ = payload.read(path, NAME, base).frame()
    for name in "abc":
        # Write to the array directly, to bypass copy-on-write.
        read[name].array._ndarray[0] = ord(name)
    assert read[["a", "b", "c"]].loc[0].tolist() == [97, 98, 99]


def test_payload_without_its_base_is_corrupt(tmp_path, base, no_pickle):
    path, frame = tmp_path / NAME, pd.DataFrame({"a": np.arange(1_000) / 2})
    write(path, frame, base=base.table)
    write(tmp_path / "other.frame", frame + 1)
    for other in (None, payload.read(tmp_path / "other.frame", "other.frame")):
        with pytest.raises(CorruptPayload, match=NAME):
            payload.read(path, NAME, other)


def test_changed_byte_is_detected_with_a_base(tmp_path, base, no_pickle):
    path = tmp_path / NAME
    frame = pd.DataFrame({"a": np.arange(1_000) / 2, "b": 1})
    write(path, frame.iloc[:3].assign(c=base.buffers and 2), base=base.table)
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(
            content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        )
        with pytest.raises(CorruptPayload, match=NAME):
            payload.read(path, NAME, base)


# Damage -------------------------------------------------------------------------------


def damaged(path, content, name=NAME):
    path.write_bytes(content)
    with pytest.raises(CorruptPayload, match=name):
        payload.read(path, name)


def test_changed_byte_is_detected_before_unpickling(written, no_pickle):
    path, content = written
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        damaged(path, changed)


def test_wrong_length_is_detected_before_unpickling(written, no_pickle):
    path, content = written
    for length in {*range(0, len(content), 7), *range(len(content) - 70, len(content))}:
        damaged(path, content[:length])
    for more in (b"\0", b"\0" * 64, bytes(content)):
        damaged(path, content + more)


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"a,b\n1,2\n",
        pickle.dumps(FRAMES["mixed"]),
        payload.MAGIC,
        payload.MAGIC * 100,
        payload.MAGIC + b"\xff" * 1000,
        b"\0" * 1000,
    ],
    ids=lambda foreign: str(foreign[:16]),
)
def test_foreign_file_is_not_read(tmp_path, foreign, no_pickle):
    damaged(tmp_path / NAME, foreign)


def test_file_is_valid_only_under_its_own_name(written, no_pickle):
    path, content = written
    damaged(path, content, "other.frame")


def test_pickle_signed_for_another_purpose_is_not_read(written, no_pickle):
    path, content = written
    start = len(payload.MAGIC)
    rest = content[start + signing.SIGNATURE_LENGTH :]
    signature = signing.sign(bytes(rest), "frames.record")
    damaged(path, content[:start] + signature + rest)


def test_pickle_with_a_missing_class_is_corrupt(tmp_path, monkeypatch):
    """The pickle may refer to a class in a notebook or in a package that is missing."""
    module = types.ModuleType("a_notebook")
    exec("class Note: pass", module.__dict__)
    monkeypatch.setitem(sys.modules, "a_notebook", module)
    frame = pd.DataFrame({"a": pd.Series([module.Note()], dtype=object)})
    write(tmp_path / NAME, frame)
    monkeypatch.delitem(sys.modules, "a_notebook")
    with pytest.raises(CorruptPayload, match="a_notebook"):
        payload.read(tmp_path / NAME, NAME).frame()


# Keys ---------------------------------------------------------------------------------


def test_payload_is_readable_with_a_rotated_key_but_not_without_it(
    written, settings, unpickled
):
    path, content = written
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    damaged(path, content)
    settings.SECRET_KEY_FALLBACKS = ["a third", old]
    assert unpickled == []
    payload.read(path, NAME).frame()
    assert len(unpickled) == 1


@pytest.mark.parametrize("value", [{"a": 1}, None, [float("nan")], "x" * 10_000])
def test_signed_value_is_restored(value, settings):
    signed = signing.dumps(value, "one")
    assert repr(signing.loads(memoryview(signed), "one")) == repr(value)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert repr(signing.loads(signed, "one")) == repr(value)


def test_changed_signed_value_is_not_unpickled(no_pickle, settings):
    data = pickle.dumps({"a": 1}, 5)
    signed = signing.sign(data, "one") + data
    changed = [
        signed[:n] + bytes([signed[n] ^ 1]) + signed[n + 1 :]
        for n in range(len(signed))
    ]
    for each in [*changed, b"", data, signed[:-1], signed + b"."]:
        with pytest.raises(signing.BadSignature):
            signing.loads(each, "one")
    with pytest.raises(signing.BadSignature):
        signing.loads(signed, "other")
    settings.SECRET_KEY = "another"
    with pytest.raises(signing.BadSignature):
        signing.loads(signed, "one")


# On the site --------------------------------------------------------------------------


PAGES = ["main/{}", "iframe/{}", "charts/{}", "popup/describe/{}", "network/{}"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_page_of_an_unreadable_frame_explains_the_error(
    visitor, ann, publish, stored, path
):
    frame = publish(ann, "sales")
    stored.replace(frame.payload)
    answer = visitor(ann).get(path.format(frame.pk))
    assert answer.status_code == 500
    assert f"The data of table {frame.pk} sales cannot be read" in answer.text
    assert '<a href="/frames/">Back to the home page</a>' in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["changed", "cut off", "gone", "another frame's"])
def test_unreadable_frame_is_not_changed(visitor, ann, publish, stored, caplog, kind):
    frame, other = publish(ann), publish(ann, a=[9])
    content = stored.read(frame.payload)
    content = {
        "changed": content[:-1] + b"\x01",
        "cut off": content[:-1],
        "gone": None,
        "another frame's": stored.read(other.payload),
    }[kind]
    stored.replace(frame.payload, content)
    owner = visitor(ann)
    for answer in (owner.get(f"data/{frame.pk}", ids=["0-5"]), owner.edit(frame.pk, 9)):
        assert "cannot be read" in answer.json["error"]
    assert f"The data of frame {frame.pk} cannot be read" in caplog.text
    assert Frame.objects.get(pk=frame.pk).payload == frame.payload
    if content:
        assert stored.read(frame.payload) == content
    assert owner.column(other.pk) == [9]
    assert owner.frames() == [frame.pk, other.pk]


@pytest.mark.django_db
def test_copy_of_an_unreadable_frame_explains_the_error(visitor, ann, publish, stored):
    frame = publish(ann)
    stored.replace(frame.payload)
    answer = visitor(ann).submit(f"/frames/{frame.pk}/copy/")
    assert f"The data of table {frame.pk} cannot be read" in answer.text


@pytest.mark.django_db
def test_frame_needs_the_rotated_key_until_it_is_written_again(
    visitor, ann, publish, stored, settings, caplog
):
    frame, old = publish(ann), settings.SECRET_KEY
    stored.forget()
    settings.SECRET_KEY = "another"
    owner = visitor(ann)
    answer = owner.get(f"main/{frame.pk}")
    assert answer.status_code == 500
    assert f"The data of table {frame.pk} cannot be read" in answer.text
    settings.SECRET_KEY_FALLBACKS = [old]
    assert owner.column(frame.pk) == [1, 2, 3]
    assert owner.edit(frame.pk, 9).json == {"success": True}
    # After data is written again, the old key is no longer needed.
    owner.get(f"update-settings/{frame.pk}", settings={"invertFilter": True})
    settings.SECRET_KEY_FALLBACKS = []
    stored.forget()
    assert owner.column(frame.pk) == [9, 2, 3]


@pytest.mark.django_db
def test_unreadable_record_does_not_break_the_list_of_frames(
    visitor, ann, publish, caplog
):
    frame, other = publish(ann), publish(ann)
    frame.record.content = b"x" * 100
    frame.record.save()
    owner = visitor(ann)
    assert other.pk in owner.frames()
    assert owner.get(f"main/{other.pk}").status_code == 200
    assert owner.get("cleanup-datasets", dataIds=frame.pk).json["success"]
    assert owner.frames() == [other.pk]
