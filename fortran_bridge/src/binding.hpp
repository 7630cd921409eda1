// The arrays of one caller, tied to the fields of a closure. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "buffers.hpp"
#include "closure.hpp"
#include "host_array.hpp"

namespace hybrid {

enum class Policy { error, host };

Policy parse_policy(const std::string &text);

class Binding {
 public:
  Binding(std::shared_ptr<const Closure> closure, int64_t n_column, const int64_t *column_id,
          uint64_t seed, bool reproducible, Policy policy);

  void bind(const std::string &name, const HostArray::Layout &layout);
  void run(int64_t step);
  void commit();
  void mask(unsigned char *mask, int64_t n) const;
  void state_get(const std::string &name, double *values, int64_t n) const;
  void state_set(const std::string &name, const double *values, int64_t n);

 private:
  void require_all_bound() const;
  void gather_inputs();
  void fill_noise_for(int64_t step);
  void pad();
  void check_results();
  void mask_unusable(const Field &field, const std::byte *rows);
  void keep_state_of_masked();
  void scatter_outputs() const;
  std::string where(const Field &field, const std::byte *rows) const;
  size_t state_index(const std::string &name, int64_t n) const;

  std::shared_ptr<const Closure> closure_;
  int64_t n_column_;
  std::vector<int64_t> column_id_;
  uint64_t seed_;
  Policy policy_;
  std::vector<std::pair<int64_t, int64_t>> blocks_;  // first column, size
  int64_t n_padded_;
  Buffers arguments_, results_;
  std::vector<std::optional<HostArray>> inputs_, outputs_;
  std::vector<unsigned char> mask_;
  std::vector<unsigned char> unusable_;  // scratch of check_results
  std::optional<int64_t> noise_step_;
  bool has_new_state_ = false;
};

}  // namespace hybrid
