"""The guided story: five steps on the built-in demo, for someone who has never heard of backdoors."""
