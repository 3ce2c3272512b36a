"""The one error of this package."""


class MediaError(ValueError):
    """Media bytes, or values to be written as such, are not what the format demands. Says where and what."""
