// A host compiled with traps on invalid or overflow must survive a saturating sigmoid.
#pragma once

#include <cfenv>

namespace hybrid {

// The default environment while alive: no traps, round to nearest, subnormal numbers kept, so that
// results do not depend on the host's settings. The caller's come back after.
class FloatEnvironment {
 public:
  FloatEnvironment() {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~FloatEnvironment() { std::fesetenv(&saved_); }
  FloatEnvironment(const FloatEnvironment &) = delete;
  FloatEnvironment &operator=(const FloatEnvironment &) = delete;

 private:
  std::fenv_t saved_;
};

}  // namespace hybrid
