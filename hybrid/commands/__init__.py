"""The commands of ``hybrid``, one module a group.

What needs torch or matplotlib is imported inside the command that uses it, so that help is
there at once.
"""
