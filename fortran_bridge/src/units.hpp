// Unit conversion through UDUNITS-2.
#pragma once

#include <string>

namespace hybrid {

// to = slope * from + offset. The offset of no offset is -0.0, which leaves also a zero of either
// sign as it is: equal units change no bit.
struct Conversion {
  double slope = 1.0;
  double offset = -0.0;

  double operator()(double from) const { return from * slope + offset; }
};

enum class Direction { to_closure, to_host };

// From the host's units to the closure's, or back. Of strings that differ, throws
// HYBRID_ERROR_UNITS naming `field` if either is unknown, if they do not convert, or if the
// conversion is not linear (logarithmic units).
Conversion conversion(const std::string &field, const std::string &host, const std::string &closure,
                      Direction direction);

}  // namespace hybrid
