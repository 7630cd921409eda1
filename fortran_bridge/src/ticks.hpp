// Time in the unit of the quickest clock there is: a small closure takes no longer than a few
// calls of the system's.
#pragma once

#include <cstdint>

namespace hybrid {

// The clock now; differences of it count.
int64_t ticks() noexcept;

// What a difference of ticks is in seconds.
double seconds_of(int64_t difference) noexcept;

}  // namespace hybrid
