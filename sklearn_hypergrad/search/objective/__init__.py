"""The objective of a candidate: its data, validation loss, models, start and bounds."""
