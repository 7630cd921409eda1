// The columns of one caller, tied to the fields of a closure. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "buffers.hpp"
#include "closure.hpp"
#include "grid.hpp"
#include "guard.hpp"
#include "host_array.hpp"
#include "plan.hpp"
#include "share.hpp"

namespace hybrid {

struct BindingOptions {
  std::vector<int64_t> column_id;
  uint64_t seed;
  bool reproducible;
  Policy policy;
};

class Binding {
 public:
  struct Timers {
    int64_t n_run = 0;
    int64_t packing = 0, engine = 0, unpacking = 0;  // ticks
  };

  Binding(std::shared_ptr<const Closure> closure, const GridView *grid, BindingOptions options);

  const Spec &spec() const { return spec_; }
  int64_t n_column() const { return static_cast<int64_t>(column_id_.size()); }

  void bind(const std::string &name, const ArrayView &view);
  void run(int64_t step);

  void put(const std::string &name, const ArrayView &view);
  void apply(int64_t step);
  void get(const std::string &name, const ArrayView &view);
  void chunk(std::vector<int64_t> column_id);

  void commit();
  void state_get(const std::string &name, double *values, int64_t n) const;
  void state_set(const std::string &name, const double *values, int64_t n);

  Guard &guard() { return guard_; }
  const Guard &guard() const { return guard_; }
  const Timers &timers() const { return timers_; }

  // Coupling modes of an output; see hybrid.h.
  void set_ramp(const std::string &name, const Ramp &ramp);
  void set_partial(const std::string &name, const double *element, int64_t n_element,
                   const double *column, int64_t n_column);
  // The share of an output; null if it has none.
  const Share *share(const std::string &name) const;

 private:
  struct Input {
    std::optional<HostArray> array;
    bool is_bound = false;
    Buffers staged;  // what was put
    bool was_put = false;
  };
  struct Output {
    std::optional<HostArray> array;
    bool is_bound = false;
    std::optional<Share> share;
  };

  size_t input_index(const std::string &name) const;
  size_t output_index(const std::string &name) const;
  size_t state_index(const std::string &name, int64_t n) const;
  void place(std::optional<HostArray> &array, const Field &field, const ArrayView &view,
             Direction direction) const;
  void require_bound(bool with_outputs) const;
  std::vector<Range> plan(int64_t n) const;
  void make_room(const std::vector<Range> &ranges);
  template <class Change>
  void change_share(const std::string &name, Change &&change);
  const Session &session(int64_t size) const;

  // Return when the last result was there, in ticks.
  int64_t evaluate(int64_t step);
  int64_t compute(int64_t step);
  void pack(const Range &range);
  void fill_noise_for(int64_t step);
  void check_results();
  bool mark_overflow(size_t output);
  void settle_left();
  void write(size_t output);
  void forget_puts();

  std::shared_ptr<const Closure> closure_;
  Spec spec_;
  std::vector<int64_t> column_id_;
  int64_t capacity_;
  uint64_t seed_;
  bool reproducible_;
  Guard guard_;
  std::vector<Range> ranges_;
  Shapes shapes_;
  Buffers block_;    // arguments of one block
  Buffers results_;  // of all columns
  Buffers state_;    // committed
  Buffers noise_;
  int64_t block_capacity_ = -1, result_capacity_ = -1;  // -1: not made; without columns, 0
  std::vector<std::pair<int64_t, Session>> sessions_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  std::vector<HostArray::Hindrance> hindrances_;  // scratch
  std::optional<int64_t> noise_step_;
  int64_t step_ = 0;
  bool is_open_ = false;      // something was put since the last evaluation
  bool has_results_ = false;  // of an apply, for get
  bool has_new_state_ = false;
  bool has_written_ = false;  // of the last evaluation: an output, or the state by commit
  bool has_spoken_ = false;   // of the first flagged column
  Timers timers_;
};

}  // namespace hybrid
