"""Addresses of the records office."""

from django.urls import path

from doorstep.people.identity import double_views, list_views, naming_views, proposal_views, views

app_name = "identity"
urlpatterns = [
    path("", views.office, name="office"),
    path("pairs/", views.review, name="review"),
    path("pairs/search/", views.search, name="search"),
    path("pairs/<uuid:key>/reject/", views.reject, name="reject"),
    path("lists/", list_views.lists, name="lists"),
    path("lists/<uuid:key>/", list_views.one_list, name="list"),
    path("lists/<uuid:key>/start/", list_views.start_list, name="start-list"),
    path("lists/<uuid:key>/discard/", list_views.discard_list, name="discard-list"),
    path("lists/<uuid:key>/matches/<int:match_id>/", list_views.decide, name="decide-match"),
    path("lists/<uuid:key>/faults.xlsx", list_views.list_faults, name="list-faults"),
    path("lists/<uuid:key>/result.xlsx", list_views.list_result, name="list-result"),
    path("doubles/", double_views.doubles, name="doubles"),
    path("merges/<uuid:key>/", views.merge_detail, name="merge"),
    path("merges/<uuid:key>/undo/", views.undo, name="undo"),
    path("proposals/<uuid:key>/", proposal_views.proposal, name="proposal"),
    path("proposals/<uuid:key>/agree/", proposal_views.agree, name="agree-proposal"),
    path("proposals/<uuid:key>/decline/", proposal_views.decline, name="decline-proposal"),
    path("proposals/<uuid:key>/withdraw/", proposal_views.withdraw, name="withdraw-proposal"),
    path("unknown/", naming_views.unknown, name="unknown"),
    path("<uuid:key>/identify/", naming_views.identify, name="identify"),
    path("<uuid:key>/", views.compare, name="compare"),
]
