"""What a role may do about access itself."""

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of access, audit and machines."""

    RECORD_VIEW = "RECORD_VIEW"
    SENSITIVE_OPEN = "SENSITIVE_OPEN"
    GLASS_BREAK = "GLASS_BREAK"
    GLASS_REVIEW = "GLASS_REVIEW"
    AUDIT_VIEW = "AUDIT_VIEW"
    FHIR_READ = "FHIR_READ"
    FHIR_WRITE = "FHIR_WRITE"
    CLIENT_MANAGE = "CLIENT_MANAGE"
