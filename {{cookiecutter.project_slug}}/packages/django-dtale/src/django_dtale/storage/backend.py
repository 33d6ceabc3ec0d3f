"""The storage that contains the files of frames."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage, storages

from ..conf import dtale_settings


def frames_storage() -> Storage:
    """Return `STORAGES["frames"]`, by default a private directory below DATA_DIR."""
    if "frames" in settings.STORAGES:
        return storages["frames"]
    return _in_directory(Path(dtale_settings.DATA_DIR, "frames"))


@cache
def _in_directory(location: Path) -> FileSystemStorage:
    return FileSystemStorage(location)
