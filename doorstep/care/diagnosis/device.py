"""The cart that recorded an ECG as FHIR R4 Device (hl7.org/fhir/R4/device.html): what its files name it by, whose it is, what it measures."""

from uuid import UUID, uuid5

from django.utils import timezone

from doorstep.care.diagnosis.ecg.recording import Device
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published, Row
from doorstep.people.organizations.models import Organization

# ISO/IEEE 11073-10101: MDC_ECG_ELEC_POTL.
_POTENTIAL = ("urn:iso:std:iso:11073:10101", "131328", "MDC_ECG_ELEC_POTL")
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
    now = timezone.now()
    rows = [
        Row(published=Published(content=one, organization_id=owner.pk, occurred_at=now), resident_id=None)
        for one in (content, _metric(key, device))
    ]
    record.write(rows, actor=actor)
    return key


def _metric(key: UUID, device: Device) -> elements.Json:
    """What the cart measures, as DeviceMetric (hl7.org/fhir/R4/devicemetric.html): the electrical potential of the heart."""
    return {
        "resourceType": "DeviceMetric",
        "id": str(uuid5(key, "metric/ecg")),
        "type": elements.concept(*_POTENTIAL, "心电电位"),
        "unit": elements.concept(systems.UCUM, "mV", "millivolt"),
        "source": elements.reference("Device", key, device.model or "心电图机"),
        "category": "measurement",
    }
