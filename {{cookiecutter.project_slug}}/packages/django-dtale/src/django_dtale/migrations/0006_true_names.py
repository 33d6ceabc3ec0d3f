from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("frames", "0005_token_scope_and_expiry"),
    ]

    operations = [
        # The field had a validator, which refused characters with a meaning in HTML.
        migrations.AlterField(
            model_name="frame",
            name="name",
            field=models.CharField(blank=True, max_length=100),
        ),
    ]
