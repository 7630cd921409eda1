// A host compiled with traps on invalid or overflow must survive a saturating sigmoid.
#pragma once

#include <cfenv>

namespace hybrid {

// Non-stop floating point while alive; the caller's traps, flags and rounding come back after.
class FloatEnvironment {
 public:
  FloatEnvironment() { std::feholdexcept(&saved_); }
  ~FloatEnvironment() { std::fesetenv(&saved_); }
  FloatEnvironment(const FloatEnvironment &) = delete;
  FloatEnvironment &operator=(const FloatEnvironment &) = delete;

 private:
  std::fenv_t saved_;
};

}  // namespace hybrid
