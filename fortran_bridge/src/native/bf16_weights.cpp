#include "bf16_weights.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "constants.hpp"

namespace hybrid_native {

namespace {

// To the nearest, ties to even, and subnormal numbers to zero, as processors do it.
uint32_t bf16_bits(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t upper = bits >> 16;
  if (std::isnan(value)) return upper | 0x40U;
  if (std::fpclassify(value) == FP_SUBNORMAL) return upper & 0x8000U;
  return (bits + 0x7fffU + (upper & 1U)) >> 16;
}

}  // namespace

const float *Constants::pair_panels(int64_t weight, int64_t bias) {
  auto &known = known_pairs_[{weight, bias}];
  if (known) return known;
  const auto &source = program_->tensors[static_cast<size_t>(weight)];
  const int64_t n_out = source.shape[0], n_in = source.shape[1], n_pair = pairs_of(n_in);
  const int64_t n_panel = (n_out + panel_height - 1) / panel_height;
  const int64_t panel_size = panel_height * (n_pair + 1);
  float *panels = store_.take(static_cast<size_t>(n_panel * panel_size));
  std::vector<float> row(static_cast<size_t>(2 * n_pair), 0.0F);
  for (int64_t out = 0; out < n_out; ++out) {
    float *to = panels + out / panel_height * panel_size + out % panel_height;
    if (bias >= 0) program_->tensors[static_cast<size_t>(bias)].copy(out, 1, to);
    source.copy(out * n_in, n_in, row.data());
    for (int64_t pair = 0; pair < n_pair; ++pair) {
      const auto i = static_cast<size_t>(2 * pair);
      const uint32_t word = bf16_bits(row[i + 1]) << 16 | bf16_bits(row[i]);
      // Bits, not a number: as one it could be changed on its way.
      std::memcpy(to + (pair + 1) * panel_height, &word, sizeof word);
    }
  }
  return known = panels;
}

}  // namespace hybrid_native
