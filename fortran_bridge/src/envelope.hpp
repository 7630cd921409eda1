// The range of values that a closure was trained on, and the check against it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "spec.hpp"

namespace hybrid {

// The bounds of each element of a column; the largest finite numbers where there are none, so that
// one comparison finds NaN, infinity and what lies outside. They are repeated for as many columns
// as make a loop over `period` numbers worth vectorising; where all are equal, it may be shorter
// than a column.
template <class Real>
struct Bounds {
  const Real *low;
  const Real *high;
  int64_t period;
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

  // Sees `n` numbers with the same bounds.
  void see_all(int64_t n, const Real *values, Real low, Real high) {
    InsideCheck inside;  // a local one stays in registers
    for (int64_t i = 0; i < n; ++i) inside.see(values[i], low, high);
    outside_ |= inside.outside_;
  }

  // Sees the `n` numbers of whole columns as `value(i)` returns them, i counted from 0.
  template <class Value>
  void see_rows(int64_t n, const Bounds<Real> &bounds, Value &&value) {
    InsideCheck inside;
    for (int64_t first = 0; first < n; first += bounds.period) {
      const int64_t count = std::min(bounds.period, n - first);
      for (int64_t i = 0; i < count; ++i)
        inside.see(value(first + i), bounds.low[i], bounds.high[i]);
    }
    outside_ |= inside.outside_;
  }

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
      return {low64_.data(), high64_.data(), period_};
    else
      return {low32_.data(), high32_.data(), period_};
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
  int64_t n_column_;  // that the bounds are repeated for
  int64_t period_;
  std::vector<float> low32_, high32_;
  std::vector<double> low64_, high64_;
};

}  // namespace hybrid
