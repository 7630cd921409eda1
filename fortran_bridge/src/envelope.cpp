#include "envelope.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kinds.hpp"

namespace hybrid {

template <>
std::vector<float> &Envelope::low<float>() {
  return low32_;
}
template <>
std::vector<double> &Envelope::low<double>() {
  return low64_;
}
template <>
std::vector<float> &Envelope::high<float>() {
  return high32_;
}
template <>
std::vector<double> &Envelope::high<double>() {
  return high64_;
}

namespace {

// Numbers that a loop should have at least.
constexpr int64_t long_loop = 256;

// In the closure's precision, in which the training data were; never beyond what is finite.
template <class Real>
std::vector<Real> expanded(const std::vector<double> &bounds, int64_t size, int64_t n_column,
                           double none) {
  constexpr double largest = std::numeric_limits<Real>::max();
  std::vector<Real> values;
  for (int64_t i = 0; i < size * n_column; ++i) {
    const double bound =
        bounds.empty() ? none : bounds[bounds.size() == 1 ? 0 : static_cast<size_t>(i % size)];
    values.push_back(static_cast<Real>(std::clamp(bound, -largest, largest)));
  }
  return values;
}

template <class Real>
bool all_equal(const std::vector<Real> &values) {
  return std::all_of(values.begin(), values.end(), [&](Real value) { return value == values[0]; });
}

}  // namespace

Envelope::Envelope(const Field &field, Check check)
    : kind_(field.kind),
      size_(field.size()),
      n_column_(std::max<int64_t>(1, long_loop / size_)),
      period_(size_ * n_column_) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> none;
  const auto &lowest = check == Check::range ? field.valid_min : none;
  const auto &highest = check == Check::range ? field.valid_max : none;
  with_kind(kind_, [&]<class Real>(Real) {
    low<Real>() = expanded<Real>(lowest, size_, n_column_, -infinity);
    high<Real>() = expanded<Real>(highest, size_, n_column_, infinity);
    if (all_equal(low<Real>()) && all_equal(high<Real>())) period_ = std::min(period_, long_loop);
  });
}

void Envelope::set_low(double bound) {
  with_kind(kind_, [&]<class Real>(Real) {
    low<Real>() = expanded<Real>({bound}, size_, n_column_, 0.0);
  });
}

bool Envelope::holds(const std::byte *rows, int64_t n) const {
  return with_kind(kind_, [&]<class Real>(Real) {
    const auto *value = reinterpret_cast<const Real *>(rows);
    InsideCheck<Real> inside;
    inside.see_rows(n * size_, bounds<Real>(), [value](int64_t i) { return value[i]; });
    return inside.all();
  });
}

void Envelope::examine(const std::byte *rows, int64_t n, unsigned char *reasons) const {
  with_kind(kind_, [&]<class Real>(Real) {
    const auto *value = reinterpret_cast<const Real *>(rows);
    const auto bounds = this->bounds<Real>();
    for (int64_t column = 0; column < n; ++column) {
      unsigned found = 0;
      for (int64_t i = 0; i < size_; ++i, ++value) {
        if (!std::isfinite(*value))
          found |= 1u << HYBRID_NOT_FINITE;
        else if (*value < bounds.low[i])
          found |= 1u << HYBRID_BELOW;
        else if (*value > bounds.high[i])
          found |= 1u << HYBRID_ABOVE;
      }
      reasons[column] = static_cast<unsigned char>(found);
    }
  });
}

void Envelope::clip(std::byte *row) const {
  with_kind(kind_, [&]<class Real>(Real) {
    auto *value = reinterpret_cast<Real *>(row);
    const auto bounds = this->bounds<Real>();
    for (int64_t i = 0; i < size_; ++i)
      value[i] = std::clamp(value[i], bounds.low[i], bounds.high[i]);
  });
}

}  // namespace hybrid
