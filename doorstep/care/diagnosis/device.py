"""The cart that recorded an ECG as FHIR R4 Device (hl7.org/fhir/R4/device.html): what its files name it by, and whose it is."""

from uuid import UUID, uuid5

from django.utils import timezone

from doorstep.care.diagnosis.ecg.recording import Device
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import elements
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.people.organizations.models import Organization

_ELECTROCARDIOGRAPH = ("http://snomed.info/sct", "86184003", "Electrocardiographic monitor and recorder")


def device_key(device: Device, owner: Organization) -> UUID | None:
    """The id of a unit's cart; None when the file names no serial number: models alone would make one of several carts."""
    if not device.serial:
        return None
    return uuid5(owner.key, f"device/{device.manufacturer or ''}/{device.model or ''}/{device.serial}")


def publish_device(device: Device, owner: Organization, *, actor: Actor) -> UUID | None:
    """Write the Device of a unit's cart, which keeps its version while nothing of it changes; returns its id."""
    key = device_key(device, owner)
    if key is None:
        return None
    content = elements.compact(
        {
            "resourceType": "Device",
            "id": str(key),
            "status": "active",
            "manufacturer": device.manufacturer,
            "serialNumber": device.serial,
            "deviceName": [{"name": device.model, "type": "model-name"}] if device.model else [],
            "modelNumber": device.model,
            "type": elements.concept(*_ELECTROCARDIOGRAPH, "心电图机"),
            "owner": elements.reference("Organization", owner.key, owner.name),
        }
    )
    published = Published(content=content, organization_id=owner.pk, occurred_at=timezone.now())
    record.publish(published, resident_id=None, actor=actor)
    return key
