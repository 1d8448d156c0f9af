"""A day of messages as county hospitals write them: stays, orders, reports, bookings and charges of given patients.

Everything in them but the patients is invented. The same seed gives the same day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

_CHINA = ZoneInfo("Asia/Shanghai")
_DECLARED = {"utf-8": "UNICODE UTF-8", "gb18030": "GB 18030-2000"}
DOCTORS = ("D1001^王建国", "D1002^刘淑珍", "D1003^陈志远", "D1004^赵海燕")
WARDS = ("心血管内科^201", "呼吸内科^305", "普外科^412", "神经内科^208")
DIAGNOSES = (("I10.x00", "原发性高血压"), ("J18.900", "肺炎"), ("E11.900", "2型糖尿病"), ("I63.900", "脑梗死"))
# Code, name, unit, range, mean and spread; the spread reaches beyond the range now and then.
BLOOD_COUNT = (
    ("WBC", "白细胞计数", "10^9/L", "3.5-9.5", 6.4, 2.0),
    ("RBC", "红细胞计数", "10^12/L", "3.8-5.1", 4.4, 0.5),
    ("HGB", "血红蛋白", "g/L", "115-150", 131, 16),
    ("PLT", "血小板计数", "10^9/L", "125-350", 226, 60),
    ("NEUT%", "中性粒细胞百分比", "%", "40-75", 61, 9),
)
CHEMISTRY = (
    ("GLU", "葡萄糖", "mmol/L", "3.9-6.1", 5.6, 1.4),
    ("CREA", "肌酐", "umol/L", "41-81", 66, 18),
    ("K", "钾", "mmol/L", "3.5-5.3", 4.2, 0.5),
    ("ALT", "丙氨酸氨基转移酶", "U/L", "7-40", 24, 14),
    ("TC", "总胆固醇", "mmol/L", "<5.18", 4.9, 0.9),
)
BATTERIES = {"CBC^血常规五分类": BLOOD_COUNT, "SHQT^生化全套": CHEMISTRY}


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as the hospital knows them."""

    number: str
    own: str
    name: str
    birth_date: date
    gender: str


@dataclass(slots=True)
class Hospital:
    """Writes messages; the control ids count up from `first`."""

    random: Random
    start: datetime
    charset: str = "utf-8"
    version: str = "2.4"
    first: int = 1
    tag: str = "S"
    _count: int = field(default=0, init=False)

    def day(self, patients: Iterable[Patient]) -> Iterator[tuple[str, str]]:
        """(application, message) in the order in which they happen, one patient after the other."""
        for patient in patients:
            story = self.random.choice((self.outpatient, self.inpatient, self.booking))
            yield from story(patient)

    def outpatient(self, patient: Patient) -> Iterator[tuple[str, str]]:
        """Registered, seen, blood taken, reported twice, paid."""
        at = self._moment()
        visit = f"MZ{self.random.randrange(10**8):08}"
        line = self._visit(visit, "O", "内科门诊^101", at)
        yield self._his("ADT^A04", at, patient, f"EVN|A04|{_ts(at)}", line, self._diagnosis(at))
        yield from self._laboratory(patient, line, at + timedelta(minutes=12))
        yield self._his("DFT^P03", at + timedelta(minutes=40), patient, line, self._charge(at))

    def inpatient(self, patient: Patient) -> Iterator[tuple[str, str]]:
        """Announced, admitted, moved, changed, blood taken, discharged; now and then one of them was a mistake."""
        at = self._moment()
        number = f"ZY{self.random.randrange(10**8):08}"
        ward, bed = self.random.choice(WARDS), self.random.randrange(1, 40)
        line = self._visit(number, "I", f"{ward}^{bed}床", at)
        yield self._his("ADT^A05", at - timedelta(hours=3), patient, f"EVN|A05|{_ts(at - timedelta(hours=3))}", line)
        yield self._his("ADT^A01", at, patient, f"EVN|A01|{_ts(at)}", line, self._diagnosis(at))
        if self.random.random() < 0.05:
            later = at + timedelta(minutes=5)
            yield self._his("ADT^A11", later, patient, f"EVN|A11|{_ts(later)}", line)
            return
        moved = self._visit(number, "I", f"{self.random.choice(WARDS)}^{bed}床", at)
        for event, hours in (("A02", 5), ("A08", 9)):
            later = at + timedelta(hours=hours)
            yield self._his(f"ADT^{event}", later, patient, f"EVN|{event}|{_ts(later)}", moved)
        yield from self._laboratory(patient, moved, at + timedelta(hours=2))
        out = at + timedelta(days=self.random.randrange(3, 12))
        gone = self._visit(number, "I", f"{ward}^{bed}床", at, out)
        yield self._his("ADT^A03", out, patient, f"EVN|A03|{_ts(out)}", gone)
        if self.random.random() < 0.1:
            later = out + timedelta(minutes=20)
            yield self._his("ADT^A13", later, patient, f"EVN|A13|{_ts(later)}", moved)

    def booking(self, patient: Patient) -> Iterator[tuple[str, str]]:
        """Booked, moved to another hour, sometimes called off."""
        at = self._moment()
        number = f"YY{self.random.randrange(10**8):08}"
        begin = at + timedelta(days=self.random.randrange(1, 9))
        yield self._siu("S12", at, patient, number, begin)
        yield self._siu("S14", at + timedelta(minutes=7), patient, number, begin + timedelta(hours=1))
        if self.random.random() < 0.3:
            yield self._siu("S15", at + timedelta(minutes=30), patient, number, begin)

    def _laboratory(self, patient: Patient, visit: str, at: datetime) -> Iterator[tuple[str, str]]:
        battery, items = self.random.choice(list(BATTERIES.items()))
        order, report = f"YZ{self.random.randrange(10**8):08}", f"JY{self.random.randrange(10**8):08}"
        doctor = self.random.choice(DOCTORS)
        control = f"ORC|NW|{order}|||||^^^^^R||{_ts(at)}|||{doctor}"
        kind = self.random.choice(("ORM^O01", "OML^O21"))
        request = [control, f"OBR|1|{order}||{battery}^L|||{_ts(at)}"]
        if kind == "OML^O21":
            request.append(f"SPM|1|{order}01||XQ^血清" + "|" * 13 + _ts(at))
        yield self._his(kind, at, patient, visit, *request)
        values = [round(max(self.random.gauss(mean, spread), 0.1), 1) for *_facts, mean, spread in items]
        for minutes, status, shown in ((50, "P", values[:-1]), (75, "F", values)):
            issued = at + timedelta(minutes=minutes)
            head = (
                f"OBR|1|{order}|{report}|{battery}^L|||{_ts(at)}"
                + "|" * 15
                + f"{_ts(issued)}||LAB|{status}"
                + "|" * 7
                + "J08&孙检验"
            )
            lines = [
                f"OBX|{number}|NM|{code}^{name}^L||{value}|{unit.replace('^', chr(92) + 'S' + chr(92))}|{span}|{_flag(value, span)}|||{status}|||{_ts(issued)}"
                for number, ((code, name, unit, span, *_rest), value) in enumerate(
                    zip(items, shown, strict=False), start=1
                )
            ]
            yield "LIS", self._message("LIS", "ORU^R01", issued, patient, visit, head, *lines)

    def _his(self, type: str, at: datetime, patient: Patient, *segments: str) -> tuple[str, str]:
        return "HIS", self._message("HIS", type, at, patient, *segments)

    def _siu(self, event: str, at: datetime, patient: Patient, number: str, begin: datetime) -> tuple[str, str]:
        plan = (
            f"SCH|{number}|{number}|||||复诊||20|MIN|^^20^{_ts(begin)}"
            + "|" * 14
            + ("CANCELLED" if event == "S15" else "BOOKED")
        )
        text = self._message(
            "HIS", f"SIU^{event}", at, patient, f"AIS|1||{self.random.choice(('N01^心内科门诊', 'N02^内分泌科门诊'))}"
        )
        first, rest = text.split("\r", 1)
        return "HIS", f"{first}\r{plan}\r{rest}"

    def _message(self, application: str, type: str, at: datetime, patient: Patient, *segments: str) -> str:
        self._count += 1
        control = f"{self.tag}{self.first + self._count:08}"
        declared = _DECLARED.get(self.charset, "")
        header = f"MSH|^~\\&|{application}|禾川县人民医院|DOORSTEP|HC|{_ts(at)}||{type}|{control}|P|{self.version}||||||{declared}"
        event = [one for one in segments if one.startswith("EVN")]
        rest = [one for one in segments if not one.startswith("EVN")]
        return "\r".join([header, *event, _pid(patient), *rest]) + "\r"

    def _visit(self, number: str, kind: str, place: str, began: datetime, ended: datetime | None = None) -> str:
        doctor = self.random.choice(DOCTORS)
        end = f"|{_ts(ended)}" if ended else ""
        return f"PV1|1|{kind}|{place}||||{doctor}" + "|" * 12 + number + "|" * 25 + _ts(began) + end

    def _diagnosis(self, at: datetime) -> str:
        code, name = self.random.choice(DIAGNOSES)
        return f"DG1|1||{code}^{name}^I10||{_ts(at)}|A"

    def _charge(self, at: datetime) -> str:
        amount = self.random.randrange(500, 20000) / 100
        return f"FT1|1|SF{self.random.randrange(10**8):08}||{_ts(at)}||CG|250101015^血常规检查|||1|{amount:.2f}"

    def _moment(self) -> datetime:
        return self.start + timedelta(minutes=self.random.randrange(0, 8 * 60))


def _pid(patient: Patient) -> str:
    gender = {"male": "1", "female": "2"}.get(patient.gender, "0")
    numbers = f"{patient.own}^^^HIS^PI~{patient.number}^^^GA^NI"
    return f"PID|1||{numbers}||{patient.name}||{patient.birth_date:%Y%m%d}|{gender}"


def _flag(value: float, span: str) -> str:
    low, _, high = span.partition("-")
    if not high:
        return "H" if value >= float(span.lstrip("<")) else "N"
    return "L" if value < float(low) else "H" if value > float(high) else "N"


def _ts(moment: datetime) -> str:
    return f"{moment.astimezone(_CHINA):%Y%m%d%H%M%S}"
