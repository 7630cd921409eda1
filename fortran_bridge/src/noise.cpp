#include "noise.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>

namespace hybrid {

namespace {

// The upper 53 bits as a number in (0, 1]: never 0, so that its logarithm is finite.
double open_unit(uint64_t bits) { return (static_cast<double>(bits >> 11) + 1.0) * 0x1.0p-53; }

void normal_pair(uint64_t first, uint64_t second, double *pair) {
  constexpr double two_pi = 6.283185307179586476925286766559;
  const double radius = std::sqrt(-2.0 * std::log(open_unit(first)));
  const double angle = two_pi * open_unit(second);
  pair[0] = radius * std::cos(angle);
  pair[1] = radius * std::sin(angle);
}

}  // namespace

template <class Real>
void fill_noise(uint64_t seed, int64_t field, int64_t step, int64_t n_column,
                const int64_t *column_id, int64_t size, Real *values) {
  r123::Philox4x64 philox;
  const r123::Philox4x64::key_type key = {{seed, 0}};
  for (int64_t column = 0; column < n_column; ++column) {
    for (int64_t first = 0; first < size; first += 4) {
      const r123::Philox4x64::ctr_type counter = {
          {static_cast<uint64_t>(column_id[column]), static_cast<uint64_t>(step),
           static_cast<uint64_t>(field), static_cast<uint64_t>(first / 4)}};
      const auto bits = philox(counter, key);
      double normal[4];
      normal_pair(bits[0], bits[1], normal);
      normal_pair(bits[2], bits[3], normal + 2);
      const int64_t count = std::min<int64_t>(4, size - first);
      for (int64_t i = 0; i < count; ++i)
        values[column * size + first + i] = static_cast<Real>(normal[i]);
    }
  }
}

template void fill_noise(uint64_t, int64_t, int64_t, int64_t, const int64_t *, int64_t, float *);
template void fill_noise(uint64_t, int64_t, int64_t, int64_t, const int64_t *, int64_t, double *);

}  // namespace hybrid
