"""Files are kept in memory; one that is over the limit is refused with a sentence, not silently left out."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler


class BoundedFileUploadHandler(MemoryFileUploadHandler):
    """Django's own handler drops a file over FILE_UPLOAD_MAX_MEMORY_SIZE (bytes), and the form then asks for it again."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],  # noqa: N803  Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Raise RequestDataTooBig, which becomes the page of a 413, for a request that is too long."""
        if content_length > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig
        super().handle_raw_input(input_data, META, content_length, boundary, encoding)
