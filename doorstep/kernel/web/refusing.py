"""A refusal of an action, shown in the form that asked for it."""

from django.forms import Form

from doorstep.kernel.access.refusals import Refused


def show_refusal(form: Form, refused: Refused) -> None:
    """Put each sentence at its field; what belongs to no field of the form stands on top."""
    for name, sentence in refused.fields.items():
        form.add_error(name if name in form.fields else None, str(sentence))
    if not refused.fields:
        form.add_error(None, str(refused.message))
