"""The system URIs and extension addresses that our resources carry.

Those of the house stand under a reserved example name until a consortium publishes its own; each extension has a line in docs/fhir/.
"""

BASE = "https://fhir.doorstep.example"

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ENCOUNTER_CLASS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONDITION_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"

# Identifier systems; the OIDs are those of WS/T 500-2016.
NATIONAL_ID = "urn:oid:2.16.156.10011.1.3"
RECORD_NUMBER = "urn:oid:2.16.156.10011.1.13"
PASSPORT = "http://hl7.org/fhir/sid/passport-{country}"
HMT_PERMIT = f"{BASE}/identifier/hmt-residence-permit"
FOREIGN_PERMIT = f"{BASE}/identifier/foreign-permanent-resident"
IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
ORGANIZATION_CODE = "urn:oid:2.16.156.10011.1.5"
STAFF_NUMBER = "urn:oid:2.16.156.10011.1.7"

ECG_FINDING = f"{BASE}/CodeSystem/ecg-finding"
CRITICAL_ECG = f"{BASE}/CodeSystem/critical-ecg"
REFERRAL_KIND = f"{BASE}/CodeSystem/referral-kind"
REFERRAL_AIM = f"{BASE}/CodeSystem/referral-aim"
REFERRAL_STATE = f"{BASE}/CodeSystem/referral-state"
ALLERGEN = f"{BASE}/CodeSystem/allergens"
# Labels of sensitivity that HL7's own list has not: tuberculosis.
SENSITIVITY = f"{BASE}/CodeSystem/sensitivity"
KEY_GROUP = f"{BASE}/CodeSystem/key-group"
# What a Group of ours is called: of a key group "<unit>-<group>", of a family-doctor team its key.
GROUP = f"{BASE}/identifier/group"
# Beside a value that is not told: how it may be shown, and why it is absent.
RENDERED_VALUE = "http://hl7.org/fhir/StructureDefinition/rendered-value"
DATA_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
INSURANCE_KIND = f"{BASE}/CodeSystem/insurance-kind"
SPECIAL_DISEASE = f"{BASE}/CodeSystem/special-disease"
# valuePeriod on a class of a Coverage: the span for which the fund has recognised the disease.
RECOGNISED_PERIOD = f"{BASE}/StructureDefinition/recognised-period"
# Why an examination is made again although a result stands (coordination/recognition/rules.py); "recognised" when it is not.
PREGNANCY_STATUS = f"{BASE}/CodeSystem/pregnancy-status"
REPEAT_REASON = f"{BASE}/CodeSystem/repeat-reason"

# valueString on a Patient without a number of its own: the mother's national id, by which a newborn is known.
MOTHER_NUMBER = f"{BASE}/StructureDefinition/mother-number"
# How a $match says that somebody out of the sender's sight is probably registered, or that it has asked too much.
MATCH_HINT = f"{BASE}/CodeSystem/match-hint"
# Why a document or message that a hospital sent is not in the record yet: the kinds of docs/apps/exchange.md.
EXCHANGE_ERROR = f"{BASE}/CodeSystem/exchange-error"

# valueBoolean on a DiagnosticReport: the result is a critical value.
CRITICAL_RESULT = f"{BASE}/StructureDefinition/critical-result"
# valueString on a report: the same in plain words for the resident.
PLAIN_WORDS = f"{BASE}/StructureDefinition/plain-words"
# valueString on a referral: the decision of a benefit rule with its reason.
BENEFIT_DECISION = f"{BASE}/StructureDefinition/benefit-decision"
# A ServiceRequest of this profile is a referral.
REFERRAL_PROFILE = f"{BASE}/StructureDefinition/referral"
# On a referral that is sent: extensions signer (valueString) and relation (valueCode) of who agreed.
REFERRAL_CONSENT = f"{BASE}/StructureDefinition/referral-consent"
# On a referral: extensions record-number, phone and address (valueString) as the form says them.
REFERRAL_CONTACT = f"{BASE}/StructureDefinition/referral-contact"
# valueInteger on a Slot that was found: how many places it has left.
PLACES_LEFT = f"{BASE}/StructureDefinition/places-left"
# valueReference to a Slot on a referral that is sent: the place to hold and book.
REFERRAL_SLOT = f"{BASE}/StructureDefinition/referral-slot"
