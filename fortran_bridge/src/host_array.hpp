// An array of the host, and the pass that moves it into and out of the model's buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "spec.hpp"
#include "units.hpp"

namespace hybrid {

class HostArray {
 public:
  // What hybrid_binding_bind was given.
  struct Layout {
    void *data;
    int kind;
    std::vector<int64_t> shape;
    std::vector<int64_t> stride;  // bytes
    std::string dims;
    std::string units;
    bool accumulate;
  };

  // Checks kind, dims, rank, sizes and units; throws with what was expected.
  HostArray(const Field &field, const Layout &layout, const std::string &first_axis,
            int64_t n_column, Direction direction);

  // Reads all columns, converts kind and units, and sets mask[c] = 1 where a value is not finite.
  void gather(int64_t n_column, std::byte *rows, unsigned char *mask) const;

  // Sets mask[c] = 1 where scatter would write what is not finite: a result that is not, or that
  // overflows in the host's units, precision or sum.
  void mark_unwritable(int64_t n_column, const std::byte *rows, unsigned char *mask) const;

  // Writes the columns whose mask is 0.
  void scatter(int64_t n_column, const std::byte *rows, const unsigned char *mask) const;

 private:
  // Elements a column.
  int64_t size() const { return static_cast<int64_t>(element_offset_.size()); }
  template <class Visit>
  void walk(int64_t n_column, Visit &&visit) const;
  template <class Move>
  void with_kinds(Move &&move) const;

  std::byte *data_;
  hybrid_kind host_kind_;
  hybrid_kind model_kind_;
  int64_t column_stride_ = 0;
  std::vector<int64_t> element_offset_;  // bytes from the column's first element
  bool dense_ = false;                   // laid out as the model's rows are
  Conversion conversion_;
  bool accumulate_;
};

}  // namespace hybrid
