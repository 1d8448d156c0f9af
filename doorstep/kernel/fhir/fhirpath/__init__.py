"""FHIRPath (hl7.org/fhirpath/N1), as far as R4's invariants and FHIRPath Patch need it.

`compiled(text)` gives a function of a node; nodes know where they stand, so that a patch can change what was found.
"""
