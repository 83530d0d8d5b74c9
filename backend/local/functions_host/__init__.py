"""A Functions host for one machine.

It loads a function app in worker processes, reads the triggers from the app itself, and treats queues,
timers and HTTP as Azure documents it for the host and its Storage queues extension. Sources:
learn.microsoft.com/azure/azure-functions, pages functions-bindings-storage-queue-trigger,
functions-bindings-timer, functions-bindings-http-webhook-trigger and functions-host-json, and the
queues extension of github.com/Azure/azure-sdk-for-net where the pages give no figure.
"""
