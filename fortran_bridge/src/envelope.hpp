// The range of values that a closure was trained on, and the check against it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "spec.hpp"

namespace hybrid {

// The bounds of each element of a column; the largest finite numbers where there are none, so that
// one comparison finds NaN, infinity and what lies outside.
template <class Real>
struct Bounds {
  const Real *low;
  const Real *high;
  bool uniform;  // the same for all elements: low[0], high[0]
};

// Sees numbers one by one, and says in the end whether all were inside. Without branches, so that
// a loop around it is vectorised.
template <class Real>
class InsideCheck {
 public:
  void see(Real value, Real low, Real high) {
    outside_ |= static_cast<Bits>(!((value >= low) & (value <= high)));
  }
  bool all() const { return outside_ == 0; }

 private:
  using Bits = std::conditional_t<sizeof(Real) == 8, uint64_t, uint32_t>;
  Bits outside_ = 0;
};

class Envelope {
 public:
  enum class Check { range, finite };

  Envelope(const Field &field, Check check);

  template <class Real>
  Bounds<Real> bounds() const {
    if constexpr (std::is_same_v<Real, double>)
      return {low64_.data(), high64_.data(), uniform_};
    else
      return {low32_.data(), high32_.data(), uniform_};
  }

  // Sets the lower bound of every element.
  void set_low(double low);

  // Whether all values of `n` columns are inside.
  bool holds(const std::byte *rows, int64_t n) const;

  // Bits (1 << reason) of why each column is outside; 0 where it is inside.
  void examine(const std::byte *rows, int64_t n, unsigned char *reasons) const;

  // Moves the values of a column to the nearest bound.
  void clip(std::byte *row) const;

 private:
  template <class Real>
  std::vector<Real> &low();
  template <class Real>
  std::vector<Real> &high();

  hybrid_kind kind_;
  int64_t size_;
  bool uniform_ = true;
  std::vector<float> low32_, high32_;
  std::vector<double> low64_, high64_;
};

}  // namespace hybrid
