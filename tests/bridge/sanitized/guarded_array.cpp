#include "guarded_array.hpp"

#include <cstring>

namespace exercise {

namespace {

constexpr size_t margin = 256;  // bytes of canaries at both ends
constexpr unsigned char canary = 0xA5;

std::vector<int64_t> strides_of(const std::vector<int64_t> &shape, int kind, Layout layout) {
  std::vector<int64_t> stride(shape.size());
  const int64_t gap = layout == Layout::gaps ? 2 : 1;
  int64_t distance = kind * gap;
  for (size_t i = 0; i < shape.size(); ++i) {
    const size_t axis = layout == Layout::first_axis_slow ? shape.size() - 1 - i : i;
    stride[axis] = distance;
    distance *= shape[axis] * gap;
  }
  return stride;
}

}  // namespace

template <class Visit>
void GuardedArray::each_element(Visit &&visit) const {
  std::vector<int64_t> index(shape_.size(), 0);
  while (true) {
    auto position = static_cast<int64_t>(origin_);
    for (size_t axis = 0; axis < shape_.size(); ++axis) position += index[axis] * stride_[axis];
    visit(static_cast<size_t>(position));
    size_t axis = 0;
    while (axis < shape_.size() && ++index[axis] == shape_[axis]) index[axis++] = 0;
    if (axis == shape_.size()) return;
  }
}

GuardedArray::GuardedArray(std::vector<int64_t> shape, int kind, Layout layout, double value)
    : kind_(kind), shape_(std::move(shape)), stride_(strides_of(shape_, kind, layout)) {
  size_t extent = static_cast<size_t>(kind);
  for (size_t axis = 0; axis < shape_.size(); ++axis)
    extent += static_cast<size_t>((shape_[axis] - 1) * stride_[axis]);
  origin_ = margin;
  if (layout == Layout::backwards) {
    origin_ += extent - static_cast<size_t>(kind);
    for (auto &stride : stride_) stride = -stride;
  }
  bytes_.assign(extent + 2 * margin, canary);
  inside_.assign(bytes_.size(), false);
  each_element([&](size_t position) {
    const auto narrow = static_cast<float>(value);
    if (kind_ == HYBRID_FLOAT64)
      std::memcpy(&bytes_[position], &value, sizeof value);
    else
      std::memcpy(&bytes_[position], &narrow, sizeof narrow);
    for (size_t i = 0; i < static_cast<size_t>(kind_); ++i) inside_[position + i] = true;
  });
  before_ = bytes_;
}

bool GuardedArray::surroundings_intact() const {
  for (size_t i = 0; i < bytes_.size(); ++i)
    if (!inside_[i] && bytes_[i] != before_[i]) return false;
  return true;
}

bool GuardedArray::elements_intact() const {
  for (size_t i = 0; i < bytes_.size(); ++i)
    if (inside_[i] && bytes_[i] != before_[i]) return false;
  return true;
}

}  // namespace exercise
