// What may not be trusted is counted, marked, and kept from the host or from the closure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "envelope.hpp"
#include "spec.hpp"

namespace hybrid {

enum class Policy { error, flag, clip, zero, host };

Policy parse_policy(const std::string &text);
const char *policy_name(Policy policy);

class Guard {
 public:
  enum class Group { inputs, outputs, state };

  Guard(const Spec &spec, Policy policy, std::vector<int64_t> column_id);

  const Envelope &envelope(Group group, size_t index) const { return tally(group, index).envelope; }
  void set_threshold(double threshold);

  // Other columns, unmarked.
  void restart(std::vector<int64_t> column_id);
  // A new evaluation, or the end of one that failed: no column is marked, and what was found since
  // the last end is not counted.
  void begin();

  // Looks for what is wrong with `n` columns from `first` on, whose values are not all inside:
  // counts and marks, and clips if that is the policy. Throws HYBRID_ERROR_VALUE for what is not
  // finite if that is the policy.
  void flag(Group group, size_t index, int64_t first, int64_t n, std::byte *rows);

  // Marks a column whose result the host's array cannot hold, during or after the evaluation;
  // throws if that is the policy.
  void flag_overflow(size_t output, int64_t column);

  // Ends an evaluation: tells columns that were left from others, and counts.
  void end();
  // Does so for what was found after the end, when results are written one by one.
  void settle();

  bool any() const { return any_; }
  Policy policy() const { return policy_; }
  const std::vector<unsigned char> &mask() const { return mask_; }
  // Whether a column's values are not to be used: by the closure, for its results or its state.
  bool is_left(int64_t column) const { return mask_[static_cast<size_t>(column)] & left_; }

  int64_t evaluated() const { return evaluated_; }
  // Columns that were flagged, by reason; of any field if `name` is empty.
  const int64_t *counts(const std::string &name) const;
  std::string summary() const;

 private:
  struct Tally {
    std::string name;
    Envelope envelope;
    bool is_confidence;
    hybrid_kind kind;
    int64_t size;
    int64_t found[HYBRID_REASONS] = {};  // not yet counted
    int64_t counts[HYBRID_REASONS] = {};
  };

  const Tally &tally(Group group, size_t index) const;
  Tally &tally(Group group, size_t index) {
    return const_cast<Tally &>(static_cast<const Guard *>(this)->tally(group, index));
  }
  std::string where(const Tally &tally, int64_t first, int64_t n, const std::byte *rows) const;

  std::string title_;
  Policy policy_;
  unsigned char left_;
  size_t first_output_, first_state_;
  std::vector<Tally> tallies_;
  std::vector<int64_t> column_id_;
  std::vector<unsigned char> mask_;
  std::vector<unsigned char> counted_;  // the reasons in the mask that are in the counts
  std::vector<unsigned char> reasons_;  // scratch of flag
  bool any_ = false;
  int64_t evaluated_ = 0;
  int64_t flagged_ = 0;
  int64_t any_counts_[HYBRID_REASONS] = {};
};

}  // namespace hybrid
