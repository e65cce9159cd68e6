"""The guided story: five steps on the built-in demo, for someone new to backdoors."""
