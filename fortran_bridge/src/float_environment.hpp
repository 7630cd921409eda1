// A host compiled with traps on invalid or overflow must survive a saturating sigmoid.
#pragma once

#include <cfenv>
#include <cstdint>

namespace hybrid {

#if defined(__x86_64__) && defined(__GLIBC__)
// The default environment while alive: no traps, round to nearest, subnormal numbers kept, so that
// results do not depend on the host's settings. The caller's come back after, exceptions too.
//
// What fegetenv and fesetenv do takes longer than a small closure: here the settings of the old
// floating-point unit, which nobody computes with, are only written if they are others.
class FloatEnvironment {
 public:
  FloatEnvironment() : vector_(__builtin_ia32_stmxcsr()), control_(control()), status_(status()) {
    if (vector_ != default_vector) __builtin_ia32_ldmxcsr(default_vector);
    if (control_ != default_control) {
      mask_exceptions();
      set_control(default_control);
    }
  }
  ~FloatEnvironment() {
    if (status() != status_) restore_status();
    if (control() != control_) set_control(control_);
    __builtin_ia32_ldmxcsr(vector_);
  }
  FloatEnvironment(const FloatEnvironment &) = delete;
  FloatEnvironment &operator=(const FloatEnvironment &) = delete;

 private:
  static constexpr uint32_t default_vector = 0x1f80;
  static constexpr uint16_t default_control = 0x037f;
  static constexpr uint16_t exceptions = 0x7f;

  static uint16_t control() {
    uint16_t word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
  }
  // Loading a control word lets a pending exception trap; storing the environment masks them all.
  static void mask_exceptions() {
    struct {
      uint32_t words[7];
    } environment;
    __asm__ volatile("fnstenv %0" : "=m"(environment));
  }
  static void set_control(uint16_t word) { __asm__ volatile("fldcw %0" : : "m"(word)); }
  static uint16_t status() {
    uint16_t word;
    __asm__ volatile("fnstsw %0" : "=a"(word));
    return word & exceptions;
  }
  void restore_status() const {
    std::fenv_t environment;
    std::fegetenv(&environment);
    environment.__control_word = control_;
    environment.__status_word =
        static_cast<uint16_t>((environment.__status_word & ~exceptions) | status_);
    std::fesetenv(&environment);
  }

  uint32_t vector_;
  uint16_t control_, status_;
};
#else
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
#endif

}  // namespace hybrid
