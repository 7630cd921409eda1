#include "buffers.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

namespace hybrid {

Buffers::Buffers(const std::vector<Field> &fields, int64_t n) {
  // A cache line: vector kernels may round differently on other alignments.
  constexpr size_t alignment = 64;
  for (const auto &field : fields) {
    const int64_t row = field.size() * static_cast<int64_t>(field.kind);
    if (n > (std::numeric_limits<int64_t>::max() / 2) / row) throw std::bad_alloc();
    const auto bytes = static_cast<size_t>(n * row);
    // Without columns there is still an address.
    const size_t rounded = std::max(bytes + alignment - 1, alignment) / alignment * alignment;
    auto *memory = static_cast<std::byte *>(std::aligned_alloc(alignment, rounded));
    if (!memory) throw std::bad_alloc();
    arrays_.emplace_back(memory);
    std::memset(memory, 0, rounded);
    row_bytes_.push_back(row);
  }
}

Shapes::Shapes(const std::vector<Field> &fields) {
  for (const auto &field : fields) {
    extents_.push_back(field.shape);
    extents_.back().push_back(-1);
  }
  for (const auto &extent : extents_) pointers_.push_back(extent.data());
}

}  // namespace hybrid
