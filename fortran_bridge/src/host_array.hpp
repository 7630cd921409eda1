// An array of the host, and the pass that moves it into and out of the model's buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "envelope.hpp"
#include "share.hpp"
#include "spec.hpp"
#include "units.hpp"

namespace hybrid {

// What a host says of an array; strings and extents are its own.
struct ArrayView {
  std::byte *data;
  int kind;
  int rank;
  const int64_t *shape;
  const int64_t *stride;  // bytes
  const char *dims;
  const char *units;
  bool accumulate;
};

class HostArray {
 public:
  // Checks kind, dims, rank, sizes and units; throws with what was expected.
  HostArray(const Field &field, const ArrayView &view, const std::string &first_axis,
            int64_t n_column, Direction direction);

  // Goes over to another array; true if it is laid out as the one before, false if it is not, and
  // then nothing has changed.
  bool move_to(const ArrayView &view);

  // Reads `n` columns from `first` on, converts kind and units, and says whether all values are
  // inside the envelope (and so finite).
  bool gather(int64_t first, int64_t n, std::byte *rows, const Envelope &envelope) const;

  // Whether a finite result can become infinite in the host's array.
  bool can_overflow() const { return can_overflow_; }

  bool accumulates() const { return accumulate_; }

  // What can hinder a result in column c of the host's array.
  enum Hindrance : unsigned char {
    none = 0,
    too_large = 1,       // it is beyond what the array holds
    host_not_finite = 2  // it would be added to NaN or infinity
  };

  // Sets hindrances[c] where scatter would write what is not finite.
  void mark_overflow(int64_t n, const std::byte *rows, Hindrance *hindrances) const;

  // The same for an output of which the closure has a share, where blend would write it.
  void mark_overflow(int64_t n, const std::byte *rows, int64_t step, const Share &share,
                     Hindrance *hindrances) const;

  // Writes the columns whose mask has no bit of `skip`; all if `mask` is null.
  void scatter(int64_t n, const std::byte *rows, const unsigned char *mask,
               unsigned char skip) const;

  // Bits of the mask of columns that are not written, and of those that are not recorded: what is
  // written there is not the closure's.
  struct Skip {
    unsigned char write, record;
  };
  // The same for an output of which the closure has a share; records the differences.
  void blend(int64_t n, const std::byte *rows, const unsigned char *mask, Skip skip, int64_t step,
             Share &share) const;

 private:
  // Elements a column.
  int64_t size() const { return static_cast<int64_t>(element_offset_.size()); }
  int64_t offset(int64_t element) const { return element_offset_[static_cast<size_t>(element)]; }
  template <class Visit>
  void walk(int64_t first, int64_t n, Visit &&visit) const;
  template <class Visit>
  void for_tiles(int64_t n, Visit &&visit) const;
  template <class Move>
  decltype(auto) with_kinds(Move &&move) const;

  std::byte *data_;
  hybrid_kind host_kind_;
  hybrid_kind model_kind_;
  std::vector<int64_t> shape_, stride_;
  std::string dims_, units_;
  int64_t column_stride_ = 0;
  std::vector<int64_t> element_offset_;  // bytes from the column's first element
  bool dense_ = false;                   // laid out as the model's rows are
  Conversion conversion_;
  bool accumulate_;
  bool can_overflow_;
};

}  // namespace hybrid
