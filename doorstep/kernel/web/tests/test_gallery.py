"""The gallery shows every component."""

import pytest
from django.template import engines
from django.test import Client


@pytest.mark.django_db
def test_gallery_shows_every_component(client: Client) -> None:
    page = client.get("/_components/").content.decode()
    source = engines["jinja2"].env.loader.get_source(engines["jinja2"].env, "web/gallery.html")[0]
    for name in engines["jinja2"].env.globals["ui"].names():
        assert f"ui.{name}(" in source or name in {"mark", "notes"}, name
    assert "陈桂芳" in page
    assert "430281********1234" in page
