from django.db import migrations, models


def among_as_many_as_needed(apps, schema_editor):
    """So many in a row is so many of as many."""
    apps.get_model("monitoring", "Rule").objects.update(among=models.F("needed"))


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0005_rollups_and_retention")]

    operations = [
        migrations.RemoveConstraint(model_name="rule", name="rule_consecutive_from_1"),
        migrations.RenameField(model_name="rule", old_name="consecutive", new_name="needed"),
        migrations.AlterField(
            model_name="rule",
            name="needed",
            field=models.PositiveSmallIntegerField(
                default=1, help_text="So many values must be beyond the limit,"
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="among",
            field=models.PositiveSmallIntegerField(
                default=1, help_text="of so many newest ones, before it fires."
            ),
        ),
        migrations.RunPython(among_as_many_as_needed, migrations.RunPython.noop),
        migrations.AddField(
            model_name="rule",
            name="condition",
            field=models.CharField(default="threshold", help_text="Kind of rule.", max_length=20),
        ),
        migrations.AddField(
            model_name="rule",
            name="params",
            field=models.JSONField(blank=True, default=dict, help_text="Settings of that kind."),
        ),
        migrations.AddField(
            model_name="rule",
            name="clear",
            field=models.FloatField(
                blank=True, help_text="What ends an alert, if not the limit itself.", null=True
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="clear_high",
            field=models.FloatField(blank=True, help_text="Upper limit of a band.", null=True),
        ),
        migrations.AddField(
            model_name="rule",
            name="min_n",
            field=models.PositiveIntegerField(default=0, help_text="Values from fewer observations say nothing."),
        ),
        migrations.AddField(
            model_name="rule",
            name="runbook_url",
            field=models.URLField(blank=True, help_text="How to go about it, step by step.", max_length=500),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(
                condition=models.Q(("needed__gte", 1), ("needed__lte", models.F("among"))),
                name="rule_needed_of_among",
            ),
        ),
    ]
