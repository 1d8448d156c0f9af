"""The WSGI application of pages and FHIR."""

import gc

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from doorstep.kernel.fhir import spelling

application = get_wsgi_application()
# By its name: what it needs of the apps is there only now, after Django has been set up.
application = import_string("doorstep.site.quick_reads.QuickReads")(application)

# Names are searched by pinyin: the first who does so need not wait for its tables.
spelling.load()
# What is loaded now stays until the process ends: taken out of the collector's rounds, which would otherwise walk all of
# it again and again while pages are made (about a tenth of a page's processor time).
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
