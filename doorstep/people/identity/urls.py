"""Addresses of the records office."""

from django.urls import path

from doorstep.people.identity import double_views, naming_views, views

app_name = "identity"
urlpatterns = [
    path("", views.office, name="office"),
    path("pairs/", views.review, name="review"),
    path("pairs/search/", views.search, name="search"),
    path("pairs/<uuid:key>/reject/", views.reject, name="reject"),
    path("doubles/", double_views.doubles, name="doubles"),
    path("merges/<uuid:key>/", views.merge_detail, name="merge"),
    path("merges/<uuid:key>/undo/", views.undo, name="undo"),
    path("unknown/", naming_views.unknown, name="unknown"),
    path("<uuid:key>/identify/", naming_views.identify, name="identify"),
    path("<uuid:key>/", views.compare, name="compare"),
]
