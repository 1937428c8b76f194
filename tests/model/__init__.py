"""The archive by brute force: what was told is kept as a list, and every question is answered by replaying all of it.

Written from the text of docs/archive.md, whose rules the functions name, and not from the code it judges. Beside it are
who makes histories up and who makes them small again. tests/integration/test_model*.py hold the archive against it.
"""
