// Whether numbers are finite, many at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace hybrid {

// Sees numbers one by one, and says in the end whether all were finite. Without branches and in
// integers, so that a loop around it is vectorised by any compiler for any processor.
template <class Real>
class FiniteCheck {
 public:
  // One more than an exponent of ones carries into the sign, which was cleared.
  void see(Real value) { carried_ |= (std::bit_cast<Bits>(value) & exponent) + one; }
  bool all() const { return (carried_ & sign) == 0; }

 private:
  using Bits = std::conditional_t<sizeof(Real) == 8, uint64_t, uint32_t>;
  static constexpr Bits one = Bits{1} << (std::numeric_limits<Real>::digits - 1);
  static constexpr Bits sign = Bits{1} << (8 * sizeof(Real) - 1);
  static constexpr Bits exponent = sign - one;

  Bits carried_ = 0;
};

}  // namespace hybrid
