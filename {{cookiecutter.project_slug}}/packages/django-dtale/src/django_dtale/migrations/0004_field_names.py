from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("frames", "0003_note"),
    ]

    operations = [
        migrations.RenameField("frame", "visitor", "visitor_token"),
        migrations.RenameField("frame", "conversions", "conversion_notes"),
        migrations.RenameField("frame", "created", "created_at"),
        migrations.RenameField("frame", "changed", "updated_at"),
        migrations.RenameField("frame", "opened", "last_opened_at"),
        migrations.RenameField("preferences", "visitor", "visitor_token"),
        migrations.RenameField("token", "digest", "key_hash"),
        migrations.RenameField("token", "created", "created_at"),
        migrations.RenameField("token", "used", "last_used_on"),
    ]
