// Unit conversion through UDUNITS-2.
#pragma once

#include <string>

namespace hybrid {

// to = slope * from + offset; exactly 1 and 0 for equal units.
struct Conversion {
  double slope = 1.0;
  double offset = 0.0;
};

enum class Direction { to_closure, to_host };

// From the host's units to the closure's, or back. Throws HYBRID_ERROR_UNITS naming `field` if
// either string is unknown, if they do not convert, or if the conversion is not linear
// (logarithmic units).
Conversion conversion(const std::string &field, const std::string &host, const std::string &closure,
                      Direction direction);

}  // namespace hybrid
