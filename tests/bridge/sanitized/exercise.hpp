// Use a loaded closure in every way a host can, with canaries around all arrays.
#pragma once

#include "hybrid.h"

namespace exercise {

// Aborts with a message if the bridge wrote outside the arrays it was given, or wrote inputs.
// `variant` chooses layouts, kinds, policy and values. Refusals of the bridge are no failure.
void use(const hybrid_closure *closure, unsigned variant);

}  // namespace exercise
