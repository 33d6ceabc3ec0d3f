"""An S3 storage that fails fast, and raises exceptions that the library handles."""

import functools
import logging
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.utils.translation import gettext as _
from storages.backends import s3

from ..exceptions import ServiceUnavailable
from ..logs import request_id

logger = logging.getLogger(__name__)

# By default, boto3 makes up to five attempts with a timeout of a minute each.
TIMEOUTS = Config(
    connect_timeout=3,  # Seconds.
    read_timeout=20,
    retries={"total_max_attempts": 3, "mode": "standard"},
)
NOT_FOUND = "404", "NoSuchKey"


def _translate_errors(method):
    @functools.wraps(method)
    def called(self, name, *args):
        try:
            return method(self, name, *args)
        except (BotoCoreError, Boto3Error, ClientError) as error:
            if getattr(error, "response", {}).get("Error", {}).get("Code") in NOT_FOUND:
                raise FileNotFoundError(name) from error
            logger.error("The storage of frames has failed: %s", error)
            raise ServiceUnavailable(
                _("The storage of tables"), request_id()
            ) from error

    return called


class S3Storage(s3.S3Storage):
    """The S3 storage of django-storages with other timeouts and exceptions.

    Raises:
        FileNotFoundError: there is no such object.
        ServiceUnavailable: the storage does not respond, or returns an error.
    """

    client_config: Config

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.client_config = self.client_config.merge(TIMEOUTS)

    @_translate_errors
    def _open(self, name, mode="rb"):
        file = super()._open(name, mode)
        file.seek(0)  # Fetch the file now, not when it is first read.
        return file

    _save = _translate_errors(s3.S3Storage._save)
    delete = _translate_errors(s3.S3Storage.delete)
    exists = _translate_errors(s3.S3Storage.exists)
    listdir = _translate_errors(s3.S3Storage.listdir)
    get_modified_time = _translate_errors(s3.S3Storage.get_modified_time)
