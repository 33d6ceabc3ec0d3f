"""An S3 storage that says soon, and as any other problem with frames, that it is down."""

import functools
import logging

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.utils.translation import gettext as _
from storages.backends import s3

from .exceptions import Unavailable
from .logs import request_id

logger = logging.getLogger(__name__)

# By default a request waits a minute for each of five tries.
IMPATIENT = Config(
    connect_timeout=3,  # Seconds.
    read_timeout=20,
    retries={"total_max_attempts": 3, "mode": "standard"},
)
GONE = "404", "NoSuchKey"


def _told(method):
    @functools.wraps(method)
    def called(self, name, *args):
        try:
            return method(self, name, *args)
        except (BotoCoreError, Boto3Error, ClientError) as error:
            if getattr(error, "response", {}).get("Error", {}).get("Code") in GONE:
                raise FileNotFoundError(name) from error
            logger.error("The storage of frames fails: %s", error)
            raise Unavailable(_("The storage of frames"), request_id()) from error

    return called


class S3Storage(s3.S3Storage):
    """django-storages' own, but for what it raises.

    Raises:
        FileNotFoundError: it has no such object.
        Unavailable: it does not answer, or does not do what it is asked.
    """

    def __init__(self, **settings):
        super().__init__(**settings)
        self.client_config = self.client_config.merge(IMPATIENT)

    @_told
    def _open(self, name, mode="rb"):
        file = super()._open(name, mode)
        file.seek(0)  # It is fetched now, and not when it is first read.
        return file

    _save = _told(s3.S3Storage._save)
    delete = _told(s3.S3Storage.delete)
    exists = _told(s3.S3Storage.exists)
    listdir = _told(s3.S3Storage.listdir)
    get_modified_time = _told(s3.S3Storage.get_modified_time)
