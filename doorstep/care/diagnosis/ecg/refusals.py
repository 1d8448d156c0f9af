"""Why a file is not accepted as an electrocardiogram: a code, what is wrong and what to do, in Chinese and English."""

from enum import StrEnum
from typing import Final


class RefusalCode(StrEnum):
    """What is wrong with a file; the code is stable, the sentences may change."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_ECG = "not_ecg"
    UNKNOWN_FORMAT = "unknown_format"
    UNSAFE = "unsafe"
    MALFORMED = "malformed"
    CUT_OFF = "cut_off"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LEADS_MISSING = "leads_missing"
    UNITS = "units"
    FLAT = "flat"
    SAMPLING_RATE = "sampling_rate"


SENTENCES: Final[dict[RefusalCode, tuple[str, str]]] = {
    RefusalCode.EMPTY: (
        "文件是空的，没有任何内容。请在心电图机上重新导出后再上传。",
        "The file is empty. Export it from the ECG machine again and send it once more.",
    ),
    RefusalCode.TOO_LARGE: (
        "文件有 {size_mb:.0f} MB，超过 {limit_mb} MB 的上限。请只导出一份 12 导联静息心电图，不要上传整个文件夹或动态心电图。",
        "The file has {size_mb:.0f} MB, more than the limit of {limit_mb} MB. Export one resting 12-lead ECG only.",
    ),
    RefusalCode.NOT_ECG: (
        "这是{kind_zh}，不是心电图数据文件。请上传心电图机导出的 DICOM 心电波形或 HL7 aECG（XML）文件。",
        "This is {kind_en}, not ECG data. Send the DICOM ECG waveform or the HL7 aECG (XML) file of the ECG machine.",
    ),
    RefusalCode.UNKNOWN_FORMAT: (
        "认不出这个文件的格式。请上传心电图机导出的 DICOM 心电波形或 HL7 aECG（XML）文件。",
        "The format of this file is not known. Send the DICOM ECG waveform or the HL7 aECG (XML) file of the ECG machine.",
    ),
    RefusalCode.UNSAFE: (
        "文件里含有不安全的内容（{detail_zh}），已拒收。请在心电图机上重新导出；仍然如此请联系设备厂家。",
        "The file holds unsafe content ({detail_en}) and was refused. Export it again; if it happens again ask the vendor.",
    ),
    RefusalCode.MALFORMED: (
        "文件已损坏或不符合标准（{detail_zh}），无法读取。请在心电图机上重新导出后再上传。",
        "The file is damaged or breaks the standard ({detail_en}). Export it from the ECG machine again.",
    ),
    RefusalCode.CUT_OFF: (
        "文件不完整：{detail_zh}。多半是传输中断，请重新上传；仍然如此请在心电图机上重新导出。",
        "The file is cut off: {detail_en}. Send it again; if it stays so, export it from the ECG machine again.",
    ),
    RefusalCode.TOO_SHORT: (
        "记录只有 {seconds:.1f} 秒，诊断至少需要 {minimum:.0f} 秒（标准为 10 秒）。请重新采集一份 10 秒的心电图。",
        "The recording lasts {seconds:.1f} s; a reading needs at least {minimum:.0f} s (10 s is standard). Record it again.",
    ),
    RefusalCode.TOO_LONG: (
        "记录长 {seconds:.0f} 秒，超过静息心电图的上限 {maximum:.0f} 秒。动态心电图请走动态心电流程，这里请上传 10 秒静息心电图。",
        "The recording lasts {seconds:.0f} s, more than {maximum:.0f} s. Send a resting ECG of 10 s, not a Holter recording.",
    ),
    RefusalCode.LEADS_MISSING: (
        "缺少导联：{leads}。请检查导联线与电极，重新采集 12 导联心电图。",
        "Leads are missing: {leads}. Check cable and electrodes and record all 12 leads again.",
    ),
    RefusalCode.UNITS: (
        "{lead} 导联的电压单位或灵敏度读不出来（{detail}），不能确定波形高低。请检查心电图机的导出设置后重新导出。",
        "Unit or sensitivity of lead {lead} cannot be read ({detail}). Check the export settings of the machine and export again.",
    ),
    RefusalCode.FLAT: (
        "所有导联都是一条直线，电极可能没有接好。请检查电极和导联线，重新采集。",
        "All leads are a flat line; the electrodes may be off. Check electrodes and cable and record again.",
    ),
    RefusalCode.SAMPLING_RATE: (
        "采样率为 {rate} Hz，不在 {minimum:.0f}–{maximum:.0f} Hz 之间，波形时间不可信。请检查心电图机的导出设置后重新导出。",
        "The sampling rate is {rate} Hz, outside {minimum:.0f}–{maximum:.0f} Hz. Check the export settings and export again.",
    ),
}


class EcgRefused(Exception):
    """A file that is not accepted; `code` is stable, `zh` and `en` say what is wrong and what to do."""

    def __init__(self, code: RefusalCode, **facts: object) -> None:
        self.code = code
        chinese, english = SENTENCES[code]
        self.zh = chinese.format(**facts)
        self.en = english.format(**facts)
        super().__init__(f"{code}: {self.en}")
