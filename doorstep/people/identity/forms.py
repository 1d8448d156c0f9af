"""Forms of the records office."""

from django import forms
from django.utils.translation import gettext_lazy as _

from doorstep.people.identity.facts import FACTS


class MergeForm(forms.Form):
    """Whose value is kept for each fact that the two records tell differently, and why they are one person."""

    reason = forms.CharField(
        label=_("合并依据"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("核对了什么，例如“居民本人持身份证到场，两份档案均为本人”。"),
    )

    def __init__(self, *args: object, differing: dict[str, str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for fact in FACTS:
            if fact.code in differing:
                self.fields[fact.code] = forms.ChoiceField(
                    label=fact.name,
                    choices=[("standing", _("保留档案")), ("former", _("并入档案"))],
                    initial=differing[fact.code],
                    widget=forms.RadioSelect,
                )

    def choices(self) -> dict[str, str]:
        """The chosen sides by fact."""
        return {name: value for name, value in self.cleaned_data.items() if name != "reason"}


class UndoForm(forms.Form):
    """Why two records are not one person after all."""

    reason = forms.CharField(label=_("撤销依据"), max_length=400, widget=forms.Textarea(attrs={"rows": 2}))
