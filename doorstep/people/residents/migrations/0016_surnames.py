from django.db import migrations

# Surnames that a text reads otherwise: character, how it was written, how it is said as a surname. What was written by another hand, or as a
# compound surname (单于), begins otherwise and stays.
_SAID = """
    VALUES
    ('曾', 'ceng', 'zeng'), ('单', 'dan', 'shan'), ('解', 'jie', 'xie'), ('仇', 'chou', 'qiu'), ('查', 'cha', 'zha'), ('区', 'qu',
    'ou'), ('朴', 'pu', 'piao'), ('乐', 'le', 'yue'), ('翟', 'di', 'zhai'), ('覃', 'tan', 'qin'), ('缪', 'mou', 'miao'), ('种',
    'zhong', 'chong'), ('员', 'yuan', 'yun'), ('召', 'zhao', 'shao'), ('卜', 'bo', 'bu'), ('郇', 'huan', 'xun'), ('繁', 'fan',
    'po'), ('祭', 'ji', 'zhai'), ('折', 'zhe', 'she'), ('佴', 'er', 'nai'), ('乜', 'mie', 'nie'), ('阚', 'han', 'kan'), ('洗',
    'xi', 'xian'), ('秘', 'mi', 'bi'), ('句', 'ju', 'gou'), ('炅', 'jiong', 'gui'), ('么', 'me', 'yao'), ('都', 'dou', 'du')
"""
_RESIDENTS = f"""
UPDATE residents_resident r SET name_pinyin = left(v.said || substr(r.name_pinyin, length(v.was) + 1), 120),
    name_initials = left(v.said, 1) || substr(r.name_initials, 2)
FROM ({_SAID}) AS v (surname, was, said)
WHERE left(r.name, 1) = v.surname AND (r.name_pinyin = v.was OR r.name_pinyin LIKE v.was || ' %')
"""
_PANELS = f"""
UPDATE residents_panelentry p SET pinyin = left(v.said || substr(p.pinyin, length(v.was) + 1), 120),
    initials = left(v.said, 1) || substr(p.initials, 2)
FROM ({_SAID}) AS v (surname, was, said)
WHERE left(p.name, 1) = v.surname AND (p.pinyin = v.was OR p.pinyin LIKE v.was || ' %')
"""


class Migration(migrations.Migration):
    """Who is called 曾 is found under zeng, whenever the person was registered."""

    dependencies = [
        ("residents", "0015_guardian_paper"),
    ]

    operations = [
        migrations.RunSQL(_RESIDENTS, migrations.RunSQL.noop),
        migrations.RunSQL(_PANELS, migrations.RunSQL.noop),
    ]
