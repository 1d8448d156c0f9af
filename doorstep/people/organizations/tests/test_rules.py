"""Rules of units and departments, without a database."""

import pytest

from doorstep.people.organizations.rules import sees_patients


@pytest.mark.parametrize(
    ("code", "name", "sees"),
    [
        ("03.04", "心内科", True),
        ("20", "急诊科", True),
        ("KS12", "心血管内科一病区", True),
        ("H04", "信息科", False),
        ("H02", "转诊中心", False),
        ("30", "检验科", False),
        ("32.02", "心电图室", False),
        ("01", "公共卫生科", False),
    ],
)
def test_sees_patients_by_catalogue_and_name(code: str, name: str, *, sees: bool) -> None:
    assert sees_patients(code=code, name=name) is sees
