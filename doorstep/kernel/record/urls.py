"""Addresses of the machine interface."""

from django.urls import path

from doorstep.kernel.record import (
    binaries,
    bulk_views,
    entrance,
    history,
    import_views,
    interactions,
    operations,
    search_views,
    views,
)

app_name = "fhir"

urlpatterns = [
    path("", entrance.root, name="root"),
    path("metadata", views.metadata, name="metadata"),
    path("_search", search_views.all_by_post, name="search-all"),
    path("_history", history.of_server, name="history-system"),
    path("$export", bulk_views.of_server, name="export"),
    path("bulk/<uuid:key>", bulk_views.state, name="bulk-state"),
    path("bulk/<uuid:key>/<int:number>", bulk_views.file, name="bulk-file"),
    path("$import", import_views.take_in, name="import"),
    path("import/<uuid:key>", import_views.state, name="import-state"),
    path("import/<uuid:key>/<int:number>", import_views.file, name="import-file"),
    path("Binary", binaries.collection, name="files"),
    path("Binary/<str:fhir_id>", binaries.single, name="file"),
    path("<str:type>", interactions.type_level, name="search"),
    path("<str:type>/_search", search_views.by_post, name="search-post"),
    path("<str:type>/_history", history.of_type, name="history-type"),
    path("<str:type>/$<str:operation>", operations.of_type, name="operation-type"),
    path("<str:type>/<str:fhir_id>/$<str:operation>", operations.of_instance, name="operation"),
    path("<str:type>/<str:fhir_id>", interactions.instance, name="read"),
    path("<str:type>/<str:fhir_id>/_history", history.of_instance, name="history"),
    path("<str:type>/<str:fhir_id>/_history/<str:version>", interactions.vread, name="vread"),
    path("<str:type>/<str:fhir_id>/<str:inner>/_search", search_views.in_compartment_by_post, name="compartment-post"),
    path("<str:type>/<str:fhir_id>/<str:inner>", search_views.in_compartment, name="compartment"),
    path("<path:rest>", views.nowhere, name="nowhere"),
]
