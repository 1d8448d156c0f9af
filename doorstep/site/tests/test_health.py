"""What a load balancer asks."""

import pytest
from django.db import connection
from django.test import Client


@pytest.mark.django_db
def test_readyz_answers_when_the_database_does(client: Client) -> None:
    assert client.get("/readyz").content == b"ready\n"


@pytest.mark.django_db(transaction=True)
def test_readyz_says_when_the_database_is_away(client: Client) -> None:
    connection.close()
    name = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = "not_there"
    try:
        answer = client.get("/readyz")
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
    assert (answer.status_code, answer.content) == (503, b"The database does not answer.\n")


@pytest.mark.django_db
def test_healthz_needs_nobody(client: Client) -> None:
    assert client.get("/healthz").status_code == 200
