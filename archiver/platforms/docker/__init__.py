"""Docker Engines, alone or in a swarm: HTTP over a socket, tcp or ssh."""
