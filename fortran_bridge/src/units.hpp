// Unit conversion through UDUNITS-2.
#pragma once

#include <string>

namespace hybrid {

// to = slope * from + offset; exactly 1 and 0 for equal units.
struct Conversion {
  double slope = 1.0;
  double offset = 0.0;
};

// Throws HYBRID_ERROR_UNITS naming `field` if either string is unknown, if they do not convert,
// or if the conversion is not linear (logarithmic units).
Conversion conversion(const std::string &field, const std::string &from, const std::string &to);

}  // namespace hybrid
