"""The functions: each decodes its trigger, calls one service and lets errors raise."""
