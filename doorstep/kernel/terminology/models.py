"""Code systems with versions, and their codes in Chinese and English."""

from django.db import models

from doorstep.kernel.database.from_row import FromRow


class CodeSystem(FromRow):
    """One version of a code system. `uri` is its FHIR system; only one version of a uri is current."""

    uri = models.CharField(max_length=200)
    version = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200)
    source = models.CharField(max_length=400)
    verified = models.BooleanField(default=False)
    is_current = models.BooleanField(default=True)
    imported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["uri", "version"], name="code_system_version"),
            models.UniqueConstraint(
                fields=["uri"], condition=models.Q(is_current=True), name="code_system_one_current"
            ),
        )


class Concept(FromRow):
    """One code."""

    system = models.ForeignKey(CodeSystem, on_delete=models.CASCADE, related_name="concepts", db_index=False)
    code = models.CharField(max_length=60)
    display_zh = models.CharField(max_length=300)
    display_en = models.CharField(max_length=300, blank=True, default="")
    parent = models.CharField(max_length=60, blank=True, default="")
    extra = models.JSONField(default=dict)
    initials = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["system", "code"], name="concept_once"),)
