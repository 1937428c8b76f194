"""What the archiver knows of each platform: how to reach it, how to read it, and what its objects are.

A platform is a folder: `facts` and `decoder` are pure, beside them stands what opens sockets. `open`, `decoders` and
`facts` here name the folders; platforms do not know each other, and share what is in `wire`.
"""
