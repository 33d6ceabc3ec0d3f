"""The session engine: Django's own of the database, which reads the user as well."""

from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.db.models.functions import Now

from frames.logs import NO_DATABASE
from frames.quick_query import quick_query

from .models import Session


class SessionStore(db.SessionStore):
    """A session in the database.

    Attributes:
        user: who is signed in, as read with the session; None for nobody, and before
            anything was asked of the session.
    """

    user = None

    @classmethod
    def get_model_class(cls):
        return Session

    def create_model_instance(self, data):
        row = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        return row

    def load(self):
        rows = _session_and_user(self.session_key)
        if not rows:
            # Or whoever sent it could choose the key of a new session.
            self._session_key = None
            return {}
        [(data, *values)] = rows
        model = get_user_model()
        user = model.from_db(connection.alias, _user_fields(), values)
        self.user = user if user.pk is not None else None
        return self.decode(data)

    def save(self, must_create=False):
        """Store it.

        Django takes a database that does not answer for a session that is gone, and
        would tell people that they have signed out.
        """
        try:
            super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, NO_DATABASE):
                raise error.__context__ from None
            raise


def _user_fields():
    return [field.attname for field in get_user_model()._meta.concrete_fields]


@quick_query
def _session_and_user(session_key):
    sessions = Session.objects.filter(session_key=session_key, expire_date__gt=Now())
    users = (f"user__{name}" for name in _user_fields())
    return sessions.values_list("session_data", *users)
