"""How many files and connections a process may have open."""

import sys


def allow_open_files(wanted: int) -> int:
    """Let this process have so many open, or as many as the system lets it; how many that are."""
    if sys.platform == "win32":
        return wanted
    import resource

    allowed, greatest = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Unlimited is -1.
    if 0 <= allowed < wanted:
        allowed = wanted if greatest < 0 else min(wanted, greatest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, greatest))
    return wanted if allowed < 0 else allowed
