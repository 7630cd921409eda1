// The two precisions as types.
#pragma once

#include <utility>

#include "hybrid.h"

namespace hybrid {

// Calls `body(Real{})` with the type of a kind.
template <class Body>
decltype(auto) with_kind(hybrid_kind kind, Body &&body) {
  return kind == HYBRID_FLOAT64 ? std::forward<Body>(body)(double{})
                                : std::forward<Body>(body)(float{});
}

}  // namespace hybrid
