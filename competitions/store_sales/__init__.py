"""Store sales: the daily sales of a chain's stores for the six weeks to come."""
