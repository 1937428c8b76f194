"""Tutum and Docker Cloud: a websocket of JSON events, and the credentials of their clients."""
