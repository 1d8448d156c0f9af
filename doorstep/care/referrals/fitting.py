"""Which clinics fit what a patient is sent for, so that the doctor who looks for a place finds these first.

Pure. It orders and never hides: the chapters of ICD-10 are coarse, and a doctor may want somebody else. Names of departments follow
医疗机构诊疗科目名录 (卫医发〔1994〕27号) as hospitals use them, of which a part is enough ("心内" is in 心内科 and 心内科一病区).
"""

# The beginning of an ICD-10 code, and parts of the names of the departments that treat it; the longest beginning counts.
_BY_CODE: dict[str, tuple[str, ...]] = {
    "A15": ("感染", "呼吸"), "A16": ("感染", "呼吸"), "B": ("感染",), "C": ("肿瘤",), "E1": ("内分泌",), "E0": ("内分泌",), "F": ("精神",),
    "G": ("神经内",), "H0": ("眼",), "H1": ("眼",), "H2": ("眼",), "H3": ("眼",), "H4": ("眼",), "H5": ("眼",), "H6": ("耳鼻",), "H7": ("耳鼻",),
    "H8": ("耳鼻",), "H9": ("耳鼻",), "I": ("心内", "心血管"), "I6": ("神经内", "神经外", "卒中"), "I8": ("普外", "血管外"), "J": ("呼吸",),
    "K": ("消化",), "K35": ("普外",), "K4": ("普外",), "K8": ("普外", "消化"), "L": ("皮肤",), "M": ("骨", "风湿"), "N": ("肾内",), "N2": ("泌尿",),
    "N4": ("泌尿",), "N7": ("妇",), "N8": ("妇",), "N9": ("妇",), "O": ("产",), "P": ("新生儿", "儿"), "R07": ("心内", "心血管"), "S": ("骨", "急诊"),
    "S0": ("神经外", "急诊"), "T": ("急诊",),
}  # fmt: skip
# The emergency centre of a green channel, where the impression has no code yet.
_BY_CENTER: dict[str, tuple[str, ...]] = {
    "chest-pain": ("心内", "心血管"),
    "stroke": ("神经内", "神经外", "卒中"),
    "trauma": ("骨", "急诊"),
    "maternal": ("产",),
    "newborn": ("新生儿", "儿"),
}


# Words of an impression that has no code; the first that is found counts.
_BY_WORD: dict[str, tuple[str, ...]] = {
    "心": ("心内", "心血管"), "冠": ("心内", "心血管"), "高血压": ("心内", "心血管"), "脑": ("神经内", "神经外", "卒中"), "卒中": ("神经内", "神经外", "卒中"),
    "糖尿": ("内分泌",), "肺": ("呼吸",), "哮喘": ("呼吸",), "骨折": ("骨",), "肾": ("肾内",), "胃": ("消化",), "妊娠": ("产",),
}  # fmt: skip


def words_that_fit(*, code: str, center: str, impression: str) -> tuple[str, ...]:
    """Parts of department names that fit an ICD-10 code, else the emergency centre, else the words of the impression; may be empty."""
    plain = code.strip().upper()
    for length in range(len(plain), 0, -1):
        if found := _BY_CODE.get(plain[:length]):
            return found
    if found := _BY_CENTER.get(center):
        return found
    return next((fit for word, fit in _BY_WORD.items() if word in impression), ())


def fits(name: str, words: tuple[str, ...]) -> bool:
    """Whether a department or a ward is one of those that fit."""
    return any(word in name for word in words)
