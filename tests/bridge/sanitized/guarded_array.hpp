// A host's array with canaries before, behind and between its elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hybrid.h"

namespace exercise {

enum class Layout { first_axis_slow, first_axis_fast, gaps, backwards };

constexpr int n_layout = 4;

class GuardedArray {
 public:
  // All elements hold `value`; whatever lies around and between them holds canaries.
  GuardedArray(std::vector<int64_t> shape, int kind, Layout layout, double value);

  void *data() { return bytes_.data() + origin_; }
  int kind() const { return kind_; }
  int rank() const { return static_cast<int>(shape_.size()); }
  const int64_t *shape() const { return shape_.data(); }
  const int64_t *stride() const { return stride_.data(); }

  // Whether nothing around and between the elements has changed since they were made.
  bool surroundings_intact() const;
  // The same for the elements.
  bool elements_intact() const;

 private:
  template <class Visit>
  void each_element(Visit &&visit) const;

  int kind_;
  std::vector<int64_t> shape_, stride_;
  size_t origin_ = 0;
  std::vector<unsigned char> bytes_, before_;
  std::vector<bool> inside_;
};

}  // namespace exercise
