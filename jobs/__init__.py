"""What workers run: open a unit of work, call actions, commit. With worker.py the only place that knows RQ."""
