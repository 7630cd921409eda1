#include "constants.hpp"

#include <vector>

namespace hybrid_native {

const float *Constants::plain(int64_t tensor) {
  if (tensor < 0) return nullptr;
  auto &known = known_[tensor];
  if (known) return known;
  const auto &source = program_->tensors[static_cast<size_t>(tensor)];
  const int64_t count = (source.size() + row_unit - 1) / row_unit * row_unit;
  float *numbers = store_.take(static_cast<size_t>(count));
  source.copy(0, source.size(), numbers);
  return known = numbers;
}

const float *Constants::panels(int64_t weight, int64_t bias) {
  auto &known = known_panels_[{weight, bias}];
  if (known) return known;
  const auto &source = program_->tensors[static_cast<size_t>(weight)];
  const int64_t n_out = source.shape[0], n_in = source.shape[1];
  const int64_t n_panel = (n_out + panel_height - 1) / panel_height;
  const int64_t panel_size = panel_height * (n_in + 1);
  float *panels = store_.take(static_cast<size_t>(n_panel * panel_size));
  std::vector<float> row(static_cast<size_t>(n_in));
  for (int64_t out = 0; out < n_out; ++out) {
    float *to = panels + out / panel_height * panel_size + out % panel_height;
    if (bias >= 0) program_->tensors[static_cast<size_t>(bias)].copy(out, 1, to);
    source.copy(out * n_in, n_in, row.data());
    for (int64_t in = 0; in < n_in; ++in)
      to[(in + 1) * panel_height] = row[static_cast<size_t>(in)];
  }
  return known = panels;
}

}  // namespace hybrid_native
