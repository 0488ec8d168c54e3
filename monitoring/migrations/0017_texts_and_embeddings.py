import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0004_post_mortems'),
        ('monitoring', '0016_retraining_receivers'),
        ('portfolio', '0006_list_indexes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ContentSetup',
            fields=[
                ('origin', models.CharField(choices=[('files', 'Files'), ('sql', 'SQL database')], max_length=8)),
                ('path', models.CharField(blank=True, help_text='Below the configured folders.', max_length=500)),
                ('query', models.TextField(blank=True, help_text='For SQL: one SELECT, or the table of a DuckDB file.')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('text', 'Texts'), ('embedding', 'Embeddings')], max_length=9)),
                ('column', models.CharField(help_text='Its name, or a pattern of names such as emb_*.', max_length=100)),
                ('warn', models.FloatField(help_text='From this AUC on it is to be watched.')),
                ('act', models.FloatField(help_text='From this AUC on it has drifted.')),
                ('in_force', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(blank=True, help_text='For SQL.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='monitoring.source')),
                ('use_case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='content_setups', to='portfolio.usecase')),
                ('version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='content_setups', to='governance.modelversion')),
            ],
            options={
                'ordering': ('column', '-created_at'),
            },
        ),
        migrations.CreateModel(
            name='ContentComparison',
            fields=[
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Being made'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='waiting', max_length=9)),
                ('progress', models.PositiveSmallIntegerField(default=0, help_text='In percent.')),
                ('error', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('lease', models.UUIDField(blank=True, null=True)),
                ('leased_until', models.DateTimeField(blank=True, null=True)),
                ('origin', models.CharField(choices=[('files', 'Files'), ('sql', 'SQL database')], max_length=8)),
                ('path', models.CharField(blank=True, help_text='Below the configured folders.', max_length=500)),
                ('query', models.TextField(blank=True, help_text='For SQL: one SELECT, or the table of a DuckDB file.')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('window_start', models.DateTimeField(blank=True, null=True)),
                ('window_end', models.DateTimeField(blank=True, null=True)),
                ('as_of', models.DateTimeField(default=django.utils.timezone.now, help_text='The time that the newer rows are of.')),
                ('verdict', models.CharField(blank=True, choices=[('stable', 'Stable'), ('watch', 'Watch'), ('drift', 'Drift'), ('mismatch', 'Not comparable')], max_length=8)),
                ('auc', models.FloatField(blank=True, null=True)),
                ('auc_low', models.FloatField(blank=True, help_text='Of its interval of 95 %.', null=True)),
                ('auc_high', models.FloatField(blank=True, help_text='Of its interval of 95 %.', null=True)),
                ('warn', models.FloatField(blank=True, help_text='The limits that the verdict was found by.', null=True)),
                ('act', models.FloatField(blank=True, null=True)),
                ('measured', models.JSONField(default=dict)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(blank=True, help_text='For SQL.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='monitoring.source')),
                ('use_case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='content_comparisons', to='portfolio.usecase')),
                ('setup', models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name='comparisons', to='monitoring.contentsetup')),
            ],
            options={
                'ordering': ('-as_of', '-created_at'),
            },
        ),
        migrations.AddConstraint(
            model_name='contentsetup',
            constraint=models.UniqueConstraint(condition=models.Q(('in_force', True), ('version__isnull', False)), fields=('use_case', 'version', 'column'), name='content_setup_once_per_version'),
        ),
        migrations.AddConstraint(
            model_name='contentsetup',
            constraint=models.UniqueConstraint(condition=models.Q(('in_force', True), ('version__isnull', True)), fields=('use_case', 'column'), name='content_setup_once_without_version'),
        ),
        migrations.AddConstraint(
            model_name='contentsetup',
            constraint=models.CheckConstraint(condition=models.Q(('act__gte', models.F('warn')), ('act__lte', 1), ('warn__gte', 0.5)), name='content_setup_limits_in_order'),
        ),
        migrations.AddIndex(
            model_name='contentcomparison',
            index=models.Index(fields=['use_case', '-as_of'], name='contents_of_a_use_case'),
        ),
        migrations.AddIndex(
            model_name='contentcomparison',
            index=models.Index(fields=['setup', '-as_of'], name='contents_of_a_setup'),
        ),
        migrations.AddIndex(
            model_name='contentcomparison',
            index=models.Index(fields=['state', 'leased_until'], name='contents_owed'),
        ),
        migrations.AddConstraint(
            model_name='contentcomparison',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), models.Q(models.Q(('verdict', ''), _negated=True), models.Q(('sha256', ''), _negated=True)), _connector='OR'), name='content_comparison_done_is_sealed'),
        ),
        migrations.AddConstraint(
            model_name='contentcomparison',
            constraint=models.CheckConstraint(condition=models.Q(('auc__isnull', True), models.Q(('auc__gte', 0), ('auc__lte', 1)), _connector='OR'), name='content_comparison_auc_of_pairs'),
        ),
        migrations.AddConstraint(
            model_name='contentcomparison',
            constraint=models.CheckConstraint(condition=models.Q(('progress__lte', 100)), name='content_comparison_progress_to_100'),
        ),
    ]
