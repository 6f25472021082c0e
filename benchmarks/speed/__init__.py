"""How long a search takes, and how much memory, next to what people use otherwise.

``python -m benchmarks`` runs everything. A *task* is a model and its data, a *contender* does
something with a task whose time counts, and the clock runs all contenders of a task in turn.
Groups of tasks write what they measure into one CSV each; tables and figures are made from these.
"""
