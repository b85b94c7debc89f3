"""Files: messages as JSON lines or Parquet, in a folder or an S3 bucket.

In: messages. Out: one file for each source, day and parcel.
"""

from headwater.destinations.filesystem.deliver import Filesystem

__all__ = ["Filesystem"]
