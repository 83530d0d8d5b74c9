"""The Azure Functions app."""
