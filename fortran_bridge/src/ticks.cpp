#include "ticks.hpp"

#include <chrono>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace hybrid {

namespace {

int64_t nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

#if defined(__x86_64__)
// Whether the processor's counter runs at one speed, whatever the processor does.
bool has_steady_counter() {
  constexpr unsigned power_leaf = 0x80000007, invariant = 1U << 8;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(power_leaf, &a, &b, &c, &d) && (d & invariant);
}

const bool is_counter_used = has_steady_counter();

int64_t counter() { return static_cast<int64_t>(__builtin_ia32_rdtsc()); }
#else
constexpr bool is_counter_used = false;

int64_t counter() { return nanoseconds(); }
#endif

// Both clocks when the library was opened: later, they tell how quick the counter is.
const int64_t first_nanoseconds = nanoseconds();
const int64_t first_count = counter();

}  // namespace

int64_t ticks() noexcept { return is_counter_used ? counter() : nanoseconds(); }

double seconds_of(int64_t difference) noexcept {
  constexpr double nanosecond = 1e-9;
  const auto passed = static_cast<double>(difference);
  const auto counted = static_cast<double>(counter() - first_count);
  if (!is_counter_used || counted <= 0.0) return passed * nanosecond;
  return passed * nanosecond * (static_cast<double>(nanoseconds() - first_nanoseconds) / counted);
}

}  // namespace hybrid
