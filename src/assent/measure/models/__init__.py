"""What a model's files hold, and how far the weights of two models lie apart.

The front door: nothing else of this room is for others. It knows files and the values that it
returns, no repository, no bundle and no forge.
"""

from assent.measure.models.inspection import inspect
from assent.measure.models.inspector import inspecting_code
from assent.measure.models.weights import compare_weights

__all__ = ["compare_weights", "inspect", "inspecting_code"]
