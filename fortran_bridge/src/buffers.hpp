// Contiguous, aligned storage for the arguments or results of a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "spec.hpp"

namespace hybrid {

class Buffers {
 public:
  Buffers() = default;
  // One zeroed [n][field.size()] array for each field.
  Buffers(const std::vector<Field> &fields, int64_t n);

  int64_t row_bytes(size_t field) const { return row_bytes_[field]; }
  std::byte *row(size_t field, int64_t column) const {
    return arrays_[field].get() + column * row_bytes_[field];
  }
  size_t count() const { return arrays_.size(); }

 private:
  struct Free {
    void operator()(std::byte *memory) const { std::free(memory); }
  };
  std::vector<std::unique_ptr<std::byte[], Free>> arrays_;
  std::vector<int64_t> row_bytes_;
};

// Extents of each field, each list ended with -1, as an engine call wants them.
class Shapes {
 public:
  explicit Shapes(const std::vector<Field> &fields);
  const int64_t *const *data() const { return pointers_.data(); }

 private:
  std::vector<std::vector<int64_t>> extents_;
  std::vector<const int64_t *> pointers_;
};

}  // namespace hybrid
