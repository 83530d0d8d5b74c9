"""The DFS endpoint's errors, with the status and code that ADLS gives them.

learn.microsoft.com, "Data Lake Storage Gen2 REST API": the error codes of each operation.
"""

_MESSAGES = {
    "AuthenticationFailed": (403, "The Authorization header is not formed correctly, signature included."),
    "ConditionNotMet": (412, "The condition specified using HTTP conditional header(s) is not met."),
    "ContentLengthMustBeZero": (400, "The Content-Length request header must be zero."),
    "DirectoryNotEmpty": (
        409,
        "The recursive query parameter value must be true to delete a non-empty directory.",
    ),
    "FilesystemAlreadyExists": (409, "The specified filesystem already exists."),
    "FilesystemNotFound": (404, "The specified filesystem does not exist."),
    "InvalidDestinationPath": (409, "The specified destination path is invalid for this operation."),
    "InvalidFlushPosition": (400, "The position is not where the contiguous uploaded data ends."),
    "InvalidHeaderValue": (400, "The value for one of the HTTP headers is not in the correct format."),
    "InvalidQueryParameterValue": (
        400,
        "Value for one of the query parameters specified in the request URI is invalid.",
    ),
    "MissingRequiredHeader": (400, "An HTTP header that's mandatory for this request is not specified."),
    "NoAuthenticationInformation": (401, "The request carries no Authorization header."),
    "PathAlreadyExists": (409, "The specified path already exists."),
    "PathConflict": (409, "The path, or an element of it, exists and its resource type is invalid here."),
    "PathNotFound": (404, "The specified path does not exist."),
    "RenameDestinationParentPathNotFound": (
        404,
        "The parent directory of the destination path does not exist.",
    ),
    "SourceConditionNotMet": (
        412,
        "The source condition specified using HTTP conditional header(s) is not met.",
    ),
    "SourcePathNotFound": (404, "The source path for a rename operation does not exist."),
    "UnsupportedOperation": (501, "The local gateway does not serve this operation."),
}
# What the blob service calls the same states.
_OF_BLOB_CODES = {
    "BlobAlreadyExists": "PathAlreadyExists",
    "BlobNotFound": "PathNotFound",
    "ContainerAlreadyExists": "FilesystemAlreadyExists",
    "ContainerNotFound": "FilesystemNotFound",
}


class DfsError(Exception):
    """An answer other than success; `code` goes into x-ms-error-code and the JSON body."""

    def __init__(self, code: str, status: int | None = None, message: str | None = None) -> None:
        known_status, known_message = _MESSAGES.get(code, (500, code))
        super().__init__(message or known_message)
        self.code = code
        self.status = status or known_status


class PathAlreadyExists(DfsError):
    """There is something, and the call wanted nothing to be there."""

    def __init__(self) -> None:
        super().__init__("PathAlreadyExists")


def of_blob_error(status: int, code: str) -> DfsError:
    """The DFS endpoint's error for one of the blob endpoint's."""
    code = _OF_BLOB_CODES.get(code, code)
    if code == "PathAlreadyExists":
        return PathAlreadyExists()
    if code in _MESSAGES:
        return DfsError(code)
    if status == 404:
        return DfsError("PathNotFound")
    return DfsError(code or "InternalError", status)
