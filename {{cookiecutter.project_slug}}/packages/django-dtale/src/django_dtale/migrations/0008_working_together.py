from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def copy_views(apps: Any, schema_editor: Any) -> None:
    """Move the views of readers from their shares to rows of their own."""
    view = apps.get_model("frames", "PersonalView")
    shares = apps.get_model("frames", "Share").objects.exclude(settings=b"")
    for share in shares.iterator(chunk_size=100):
        view.objects.create(
            frame_id=share.frame_id, user_id=share.user_id, settings=share.settings
        )


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("frames", "0007_live_data"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_index=True,
                        default=django.utils.timezone.now,
                        verbose_name="time",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        blank=True, max_length=150, verbose_name="username"
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("changed", "Changed"),
                            ("shared", "Shared"),
                            ("unshared", "Removed access"),
                            ("exported", "Exported"),
                            ("deleted", "Deleted"),
                            ("restored", "Restored"),
                        ],
                        max_length=10,
                        verbose_name="action",
                    ),
                ),
                (
                    "frame_pk",
                    models.BigIntegerField(db_index=True, verbose_name="table"),
                ),
                (
                    "frame_name",
                    models.CharField(
                        blank=True, max_length=100, verbose_name="name of the table"
                    ),
                ),
                (
                    "detail",
                    models.CharField(
                        blank=True, max_length=255, verbose_name="details"
                    ),
                ),
            ],
            options={
                "verbose_name": "audit log entry",
                "verbose_name_plural": "audit log",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("edited", "Edited cells"),
                            ("added", "Added columns"),
                            ("changed", "Changed columns"),
                            ("renamed", "Renamed columns"),
                            ("deleted", "Deleted columns"),
                            ("dropped", "Deleted rows"),
                            ("replaced", "Replaced the data"),
                            ("appended", "Added rows"),
                            ("restored", "Restored an earlier state"),
                            ("undone", "Undid a change"),
                        ],
                        max_length=10,
                    ),
                ),
                ("columns", models.JSONField(default=list)),
                ("count", models.PositiveBigIntegerField(default=0)),
                ("detail", models.CharField(blank=True, max_length=255)),
                ("payload", models.CharField(blank=True, db_index=True, max_length=64)),
                ("content", models.BinaryField(default=bytes)),
                ("fields", models.JSONField(default=dict)),
                ("cells", models.BinaryField(default=bytes)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="PersonalView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("variant", models.PositiveBigIntegerField(default=0)),
                ("version", models.PositiveBigIntegerField(default=0, editable=False)),
                ("settings", models.BinaryField(default=bytes)),
                ("has_left", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="RemovedShare",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("reader", "Can view"), ("editor", "Can edit")],
                        default="reader",
                        max_length=10,
                        verbose_name="role",
                    ),
                ),
                (
                    "history_since",
                    models.DateTimeField(
                        blank=True, default=django.utils.timezone.now, null=True
                    ),
                ),
                (
                    "removed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "version",
                    models.PositiveBigIntegerField(default=0, editable=False),
                ),
                ("settings", models.BinaryField(default=bytes)),
                ("chart", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="frame",
            name="deleted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="frame",
            name="history_nbytes",
            field=models.PositiveBigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="share",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="auth.group",
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="history_since",
            field=models.DateTimeField(
                blank=True, default=django.utils.timezone.now, null=True
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="role",
            field=models.CharField(
                choices=[("reader", "Can view"), ("editor", "Can edit")],
                default="reader",
                max_length=10,
                verbose_name="role",
            ),
        ),
        migrations.AddField(
            model_name="share",
            name="shared_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="frame",
            name="payload",
            field=models.CharField(db_index=True, editable=False, max_length=64),
        ),
        migrations.AlterField(
            model_name="frame",
            name="shared_with",
            field=models.ManyToManyField(
                blank=True,
                help_text="Users with whom the table is shared.",
                related_name="shared_frames",
                through="frames.Share",
                through_fields=("frame", "user"),
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="share",
            name="frame",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="%(class)ss",
                to="frames.frame",
            ),
        ),
        migrations.AlterField(
            model_name="share",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="share",
            constraint=models.UniqueConstraint(
                fields=("frame", "group"), name="share_group_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="share",
            constraint=models.UniqueConstraint(
                condition=models.Q(("group", None), ("user", None)),
                fields=("frame",),
                name="share_everyone_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="share",
            constraint=models.CheckConstraint(
                condition=models.Q(("user", None), ("group", None), _connector="OR"),
                name="share_user_or_group",
            ),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="frame",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="changes",
                to="frames.frame",
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="undoes",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="undone_by",
                to="frames.change",
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="personalview",
            name="frame",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="views",
                to="frames.frame",
            ),
        ),
        migrations.AddField(
            model_name="personalview",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="removedshare",
            name="frame",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="%(class)ss",
                to="frames.frame",
            ),
        ),
        migrations.AddField(
            model_name="removedshare",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="auth.group",
            ),
        ),
        migrations.AddField(
            model_name="removedshare",
            name="shared_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="removedshare",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="frame",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="saved_views",
                to="frames.frame",
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="personalview",
            constraint=models.UniqueConstraint(
                fields=("frame", "user", "variant"), name="view_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="personalview",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user", None)),
                fields=("frame", "variant"),
                name="view_of_visitor_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                fields=("frame", "name"), name="view_name_once"
            ),
        ),
        migrations.RunPython(copy_views, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name="share",
            name="settings",
        ),
        migrations.RemoveField(
            model_name="share",
            name="version",
        ),
    ]
