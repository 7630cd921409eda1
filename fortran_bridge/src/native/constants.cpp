#include "constants.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace hybrid_native {

Memory<float> aligned_numbers(size_t count) {
  constexpr size_t alignment = 64;
  const size_t bytes = (count * sizeof(float) + alignment - 1) / alignment * alignment;
  auto *memory = static_cast<float *>(std::aligned_alloc(alignment, std::max(bytes, alignment)));
  if (!memory) throw std::bad_alloc();
  std::memset(memory, 0, std::max(bytes, alignment));
  return Memory<float>(memory);
}

const float *Constants::plain(int64_t tensor) {
  if (tensor < 0) return nullptr;
  auto &known = known_[tensor];
  if (known) return known;
  const auto &source = program_->tensors[static_cast<size_t>(tensor)];
  const int64_t count = (source.size() + row_unit - 1) / row_unit * row_unit;
  auto numbers = aligned_numbers(static_cast<size_t>(count));
  source.copy(0, source.size(), numbers.get());
  known = numbers.get();
  kept_.push_back(std::move(numbers));
  return known;
}

const float *Constants::panels(int64_t weight, int64_t bias) {
  auto &known = known_panels_[{weight, bias}];
  if (known) return known;
  const auto &source = program_->tensors[static_cast<size_t>(weight)];
  const int64_t n_out = source.shape[0], n_in = source.shape[1];
  const int64_t n_panel = (n_out + panel_height - 1) / panel_height;
  const int64_t panel_size = panel_height * (n_in + 1);
  auto panels = aligned_numbers(static_cast<size_t>(n_panel * panel_size));
  std::vector<float> row(static_cast<size_t>(n_in));
  for (int64_t out = 0; out < n_out; ++out) {
    float *to = panels.get() + out / panel_height * panel_size + out % panel_height;
    if (bias >= 0) program_->tensors[static_cast<size_t>(bias)].copy(out, 1, to);
    source.copy(out * n_in, n_in, row.data());
    for (int64_t in = 0; in < n_in; ++in)
      to[(in + 1) * panel_height] = row[static_cast<size_t>(in)];
  }
  known = panels.get();
  kept_.push_back(std::move(panels));
  return known;
}

}  // namespace hybrid_native
