"""The living platform on a port: the event stream as a websocket, the REST API, and every way to misbehave."""
