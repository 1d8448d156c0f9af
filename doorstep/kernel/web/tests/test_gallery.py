"""The gallery shows every component."""

from pathlib import Path

import pytest
from django.test import Client

from doorstep.kernel.web.components import Components
from doorstep.kernel.web.pages import environment


@pytest.mark.django_db
def test_gallery_shows_every_component(client: Client) -> None:
    page = client.get("/_components/").content.decode()
    source = (Path(__file__).parents[1] / "templates/web/gallery.html").read_text(encoding="utf-8")
    for name in Components(environment()).names():
        assert f"ui.{name}(" in source or name in {"mark", "notes"}, name
    assert "陈桂芳" in page
    assert "430281********1234" in page
