"""What happens to a suspect file inside the process that is allowed to touch its bytes.

Only ``mimic.checkpoint.gate`` talks to this package, through files and lines of JSON. The server
(``server``) never reads a suspect byte; it forks one short-lived child per file (``child``).
"""
