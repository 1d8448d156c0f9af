"""Electrocardiograms as files, numbers and pictures: pure modules, no database and no clock.

`reading` takes the bytes a cart sends and gives a `recording.Recording` or a refusal with a cure; `wire` feeds
the viewer;
`preread` sorts the queue and never signs; `rules` and `templates` are the thresholds and the phrases as data.
`preread` loads neurokit2, which takes seconds: only jobs import it, pages never do.
"""
