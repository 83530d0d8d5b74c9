"""The DFS endpoint that Azurite lacks: an HTTP gateway in front of its blob port.

It serves the DFS calls of azure-storage-file-datalake from block blobs, and passes every other call through
as it came, so that its signature still verifies at Azurite. Blob and DFS calls come to one port, since the
SDK derives its DFS address from BlobEndpoint.

Built on aiohttp: its parsers are in C, it streams bodies and keeps connections alive on both sides, and on
one event loop nothing comes between two steps that do not wait, so that little has to be locked.
"""
