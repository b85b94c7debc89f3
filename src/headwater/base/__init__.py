"""Hold the ground every room stands on: settings, errors, time, ids, secrets, telemetry.

No product words here, and no input or output beyond reading settings and the key file.
"""
