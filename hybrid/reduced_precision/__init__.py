"""Permission to compute in bf16: only with evidence that the host's climate stays what it was.

A host is run with the closure in float32, several times, and as often in bf16. If the climates in
bf16 are no further from those in float32 than these are from each other, the archive gets what was
found as evidence, and the load option ``precision="bf16"`` works; else it is refused.

References
----------
Paxton, Chantry, Klöwer, Saffin, Palmer (2022), Climate modeling in low precision: effects of both
deterministic and stochastic rounding, J. Climate 35, 1215-1229.
"""

from hybrid.reduced_precision.archive_entry import keep
from hybrid.reduced_precision.assessment import assess
from hybrid.reduced_precision.climates import Climate, Compared
from hybrid.reduced_precision.errors import PrecisionError
from hybrid.reduced_precision.evidence import Evidence

__all__ = ["Climate", "Compared", "Evidence", "PrecisionError", "assess", "keep"]
