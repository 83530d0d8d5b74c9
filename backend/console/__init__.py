"""The web page: server-rendered, for people. It calls the services that the API's routes call."""
