from typing import Any

import django.utils.timezone
from django.db import migrations, models
from django.db.models import F


def copy_dates(apps: Any, schema_editor: Any) -> None:
    """Use the date of the last change for the data of existing frames."""
    apps.get_model("frames", "Frame").objects.update(data_at=F("updated_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("frames", "0006_true_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="frame",
            name="data_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False
            ),
        ),
        migrations.AddField(
            model_name="frame",
            name="data_version",
            field=models.PositiveBigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="frame",
            name="import_options",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="frame",
            name="origin",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Unknown"),
                    ("file", "File"),
                    ("push", "Program"),
                    ("code", "This site"),
                    ("source", "Source"),
                    ("model", "Table of this site"),
                    ("copy", "Copy"),
                ],
                default="",
                editable=False,
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="frame",
            name="origin_name",
            field=models.CharField(blank=True, editable=False, max_length=255),
        ),
        migrations.AddField(
            model_name="frame",
            name="source",
            field=models.CharField(blank=True, editable=False, max_length=255),
        ),
        migrations.AddField(
            model_name="frame",
            name="parameters",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="frame",
            name="can_edit",
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="frame",
            name="page",
            field=models.CharField(blank=True, editable=False, max_length=20),
        ),
        migrations.RunPython(copy_dates, migrations.RunPython.noop),
    ]
