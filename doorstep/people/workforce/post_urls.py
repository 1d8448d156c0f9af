"""The address of the switch of posts in the page frame."""

from django.urls import path

from doorstep.people.workforce import views

app_name = "posts"
urlpatterns = [path("", views.switch, name="switch")]
