#include "constants.hpp"

#include <vector>

namespace hybrid_native {

const void *Constants::plain(int64_t tensor) {
  if (tensor < 0) return nullptr;
  auto &known = known_[tensor];
  if (known) return known;
  const auto &source = program_->tensors[static_cast<size_t>(tensor)];
  void *numbers = take_like(source, (source.size() + row_unit - 1) / row_unit * row_unit);
  source.copy(0, source.size(), numbers);
  return known = numbers;
}

const void *Constants::panels(int64_t weight, int64_t bias) {
  auto &known = known_panels_[{weight, bias}];
  if (known) return known;
  const auto &source = program_->tensors[static_cast<size_t>(weight)];
  const auto *added = bias < 0 ? nullptr : &program_->tensors[static_cast<size_t>(bias)];
  const int64_t n_panel = (source.shape[0] + panel_height - 1) / panel_height;
  void *panels = take_like(source, n_panel * panel_height * (source.shape[1] + 1));
  if (source.type == Type::float64)
    pack(source, added, static_cast<double *>(panels));
  else
    pack(source, added, static_cast<float *>(panels));
  return known = panels;
}

void *Constants::take_like(const Tensor &tensor, int64_t count) {
  return store_.take(static_cast<size_t>(count) * (tensor.item() / sizeof(float)));
}

template <class Number>
void Constants::pack(const Tensor &weight, const Tensor *bias, Number *panels) const {
  const int64_t n_out = weight.shape[0], n_in = weight.shape[1];
  const int64_t panel_size = panel_height * (n_in + 1);
  std::vector<Number> row(static_cast<size_t>(n_in));
  for (int64_t out = 0; out < n_out; ++out) {
    Number *to = panels + out / panel_height * panel_size + out % panel_height;
    if (bias) bias->copy(out, 1, to);
    weight.copy(out * n_in, n_in, row.data());
    for (int64_t in = 0; in < n_in; ++in)
      to[(in + 1) * panel_height] = row[static_cast<size_t>(in)];
  }
}

}  // namespace hybrid_native
