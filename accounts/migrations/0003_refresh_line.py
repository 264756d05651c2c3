from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_push_subscription'),
    ]

    operations = [
        migrations.AddField(
            model_name='session',
            name='newest_refresh',
            field=models.CharField(blank=True, default='', editable=False, max_length=32),
        ),
        migrations.AddField(
            model_name='session',
            name='renewed_for',
            field=models.CharField(blank=True, default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='session',
            name='was_reused',
            field=models.BooleanField(default=False, editable=False, verbose_name='ended because an old token was used again'),
        ),
    ]
