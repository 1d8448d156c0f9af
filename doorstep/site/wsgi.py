"""The WSGI application of pages and FHIR."""

import gc

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

application = get_wsgi_application()
# By its name: what it needs of the apps is there only now, after Django has been set up.
application = import_string("doorstep.site.quick_reads.QuickReads")(application)

# What is loaded now stays until the process ends: taken out of the collector's rounds, which would otherwise walk all of
# it again and again while pages are made (about a tenth of a page's processor time).
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
