"""Shared documents as hospitals send them: headers and bodies in the way of the samples of WS/T 500, their empty elements with them."""

from html import escape

DATA_ELEMENTS = "2.16.156.10011.2.2.1"


def document(kind: str, title: str, number: str, *sections: str, identity: str, secrecy: str = "N") -> str:
    """A document of Zhou Guilan's from the lead hospital; setId and versionNumber are there and say nothing."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:mif="urn:hl7-org:v3/mif" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="CN"/><typeId root="2.16.840.1.113883.1.3" extension="POCD_MT000040"/>
  <id root="2.16.156.10011.1.1" extension="{number}"/>
  <code code="{kind}" codeSystem="2.16.156.10011.2.4" codeSystemName="卫生信息共享文档规范编码体系"/>
  <title>{title}</title><effectiveTime value="20260510093000"/>
  <confidentialityCode code="{secrecy}" codeSystem="2.16.840.1.113883.5.25" codeSystemName="Confidentiality"/>
  <languageCode code="zh-CN"/><setId/><versionNumber/>
  <recordTarget typeCode="RCT" contextControlCode="OP"><patientRole classCode="PAT">
    <id root="2.16.156.10011.1.12" extension="ZY001"/>
    <patient classCode="PSN" determinerCode="INSTANCE"><id root="2.16.156.10011.1.3" extension="{identity}"/>
      <name>周桂兰</name><birthTime value="19630915"/><age unit="岁" value="62"/></patient>
  </patientRole></recordTarget>
  <author typeCode="AUT"><time value="20260510093000"/><assignedAuthor><id root="2.16.156.10011.1.7" extension="D01"/>
    <assignedPerson><name>王建国</name></assignedPerson></assignedAuthor></author>
  <legalAuthenticator><time/><signatureCode/></legalAuthenticator>
  <component><structuredBody>{"".join(sections)}</structuredBody></component>
</ClinicalDocument>"""


def section(code: str, words: str, *entries: str) -> str:
    """A section with an empty text, as the samples have it."""
    system = "2.16.840.1.113883.6.1"
    return (
        f'<component><section><code code="{code}" displayName="{words}" codeSystem="{system}" codeSystemName="LOINC"/>'
        f"<text/>{''.join(entries)}</section></component>"
    )


def observation(code: str, words: str, value: str, more: str = "", system: str = DATA_ELEMENTS) -> str:
    """An observation of the catalogue of data elements; `value` is the element value as it stands in the document."""
    return (
        f'<entry><observation classCode="OBS" moodCode="EVN"><code code="{code}" codeSystem="{system}" displayName="{words}"/>'
        f"{value}{more}</observation></entry>"
    )


def words(text: str) -> str:
    """A value of type ST."""
    return f'<value xsi:type="ST">{escape(text)}</value>'


def diagnosis(code: str, name: str, *, system: str = "2.16.156.10011.2.3.3.11", called: str = "ICD-10") -> str:
    """A value of type CD."""
    return f'<value xsi:type="CD" code="{code}" displayName="{name}" codeSystem="{system}" codeSystemName="{called}"/>'


def discharge(
    identity: str, *, number: str = "DIS-1", code: str = "I10", name: str = "原发性高血压", secrecy: str = "N"
) -> str:
    """A discharge record (C0049)."""
    return document(
        "C0049",
        "出院记录",
        number,
        section(
            "46241-6",
            "HOSPITAL ADMISSION DX",
            observation("DE06.00.092.00", "入院日期时间", '<value xsi:type="TS" value="20260501083000"/>'),
            observation("DE05.01.024.00", "入院诊断编码", diagnosis(code, name)),
            observation("DE05.10.109.00", "入院情况", words("头晕三日，血压 186/112 mmHg")),
        ),
        section(
            "11535-2",
            "HOSPITAL DISCHARGE DX",
            observation("DE06.00.017.00", "出院日期", '<value xsi:type="TS" value="20260510"/>'),
            observation("DE06.00.310.00", "实际住院天数", '<value xsi:type="INT" value="9"/>'),
            observation("DE05.10.113.00", "治愈标志", '<value xsi:type="BL" value="true"/>'),
            observation("DE08.10.026.00", "床号", words("0312")),
        ),
        section(
            "10183-2",
            "HOSPITAL DISCHARGE MEDICATIONS",
            '<entry><substanceAdministration classCode="SBADM" moodCode="EVN"><text/><effectiveTime value="20260510"/>'
            '<doseQuantity value="5" unit="mg"/><consumable><manufacturedProduct><manufacturedLabeledDrug>'
            '<code code="C08CA01" displayName="氨氯地平片"/></manufacturedLabeledDrug></manufacturedProduct></consumable>'
            "</substanceAdministration></entry>",
        ),
        identity=identity,
        secrecy=secrecy,
    )


def outpatient(identity: str) -> str:
    """An outpatient record (C0002) whose allergen stands beside the observation."""
    allergy = (
        '<entry typeCode="DRIV"><act classCode="ACT" moodCode="EVN"><code nullFlavor="NA"/><entryRelationship typeCode="SUBJ">'
        '<observation classCode="OBS" moodCode="EVN">'
        f'<code code="DE02.10.023.00" codeSystem="{DATA_ELEMENTS}" displayName="过敏史标志"/><value xsi:type="BL" value="true"/>'
        '<participant typeCode="CSM"><participantRole classCode="MANU"><playingEntity classCode="MMAT">'
        f'<code code="DE02.10.022.00" codeSystem="{DATA_ELEMENTS}" displayName="过敏史"/><desc xsi:type="ST">青霉素，皮疹</desc>'
        "</playingEntity></participantRole></participant></observation></entryRelationship></act></entry>"
    )
    return document(
        "C0002",
        "门（急）诊病历",
        "OPD-1",
        section("48765-2", "Allergies, adverse reactions, alerts", allergy),
        section("10154-3", "CHIEF COMPLAINT", observation("DE04.01.119.00", "主诉", words("咳嗽 3 天"))),
        identity=identity,
    )


def laboratory(identity: str) -> str:
    """A laboratory report (C0007): an organizer with marks, ranges, a bound and words."""

    def item(code: str, name: str, value: str, more: str) -> str:
        return (
            f'<component><observation classCode="OBS" moodCode="EVN"><code code="{code}" displayName="{name}"/>'
            f"{value}{more}</observation></component>"
        )

    bounds = (
        '<interpretationCode code="H"/><referenceRange><observationRange><value xsi:type="IVL_PQ"><low value="3.9" unit="mmol/L"/>'
        '<high value="6.1" unit="mmol/L"/></value></observationRange></referenceRange>'
    )
    expected = "<referenceRange><observationRange><text>阴性</text></observationRange></referenceRange>"
    items = [
        item("GLU", "空腹血糖", '<value xsi:type="PQ" value="7.85" unit="mmol/L"/>', bounds),
        item("HCV", "丙肝抗体", words("阴性"), expected),
        item(
            "TNI",
            "肌钙蛋白",
            '<value xsi:type="IVL_PQ"><high value="0.01" unit="ng/mL" inclusive="false"/></value>',
            "",
        ),
        item("IMG", "图", '<value xsi:type="ED" mediaType="image/png" representation="B64">iVBORw0KGgo=</value>', ""),
    ]
    entry = f'<entry><organizer classCode="CLUSTER" moodCode="EVN"><statusCode/>{"".join(items)}</organizer></entry>'
    return document("C0007", "检验报告", "LAB-1", section("30954-2", "STUDIES SUMMARY", entry), identity=identity)
