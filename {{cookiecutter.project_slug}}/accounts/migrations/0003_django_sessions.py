"""Replace this app's session table with Django's. Users stay signed in."""

from django.db import migrations, models


def copy_sessions(apps, schema_editor):
    """Copy the rows as they are: both engines sign them with the same salt."""
    old = apps.get_model("accounts", "Session").objects.using(
        schema_editor.connection.alias
    )
    new = apps.get_model("sessions", "Session")
    fields = "session_key", "session_data", "expire_date"
    rows = old.order_by().values(*fields).iterator(chunk_size=1000)
    new.objects.using(schema_editor.connection.alias).bulk_create(
        (new(**row) for row in rows), batch_size=1000, ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_signintry"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(copy_sessions, migrations.RunPython.noop),
        migrations.DeleteModel("Session"),
        migrations.AlterModelOptions(
            "signintry",
            options={
                "verbose_name": "failed sign-in attempt",
                "verbose_name_plural": "failed sign-in attempts",
            },
        ),
        migrations.AlterField(
            "signintry",
            "address",
            models.CharField(max_length=43, verbose_name="IP address"),
        ),
        migrations.AlterField(
            "signintry",
            "at",
            models.DateTimeField(db_index=True, verbose_name="time"),
        ),
    ]
