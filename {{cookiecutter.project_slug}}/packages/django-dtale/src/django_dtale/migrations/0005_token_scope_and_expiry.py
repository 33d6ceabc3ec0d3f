from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("frames", "0004_field_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="expires_at",
            field=models.DateTimeField(
                editable=False, null=True, verbose_name="expires"
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="scope",
            field=models.CharField(
                choices=[
                    ("write", "Create tables"),
                    ("read", "Read tables"),
                    ("read write", "Create and read tables"),
                ],
                default="write",
                max_length=20,
                verbose_name="scope",
            ),
        ),
    ]
