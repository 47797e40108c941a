"""The proof of «never lost»: runs that break something while people report hazards, and look afterwards what is missing.

`field` starts the product with real processes, `crowd` invents the people and reports, `checks` looks at database,
phones and API; every other module holds runs. tools/faults.py chooses and prints them.
"""
