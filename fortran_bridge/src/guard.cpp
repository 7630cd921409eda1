#include "guard.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "error.hpp"
#include "kinds.hpp"

namespace hybrid {

namespace {

constexpr std::array<const char *, 5> policies = {"error", "flag", "clip", "zero", "host"};

constexpr std::array<const char *, HYBRID_REASONS> reason_names = {"not finite", "below", "above",
                                                                   "overflowing", "not confident"};

constexpr unsigned char bit(hybrid_reason reason) {
  return static_cast<unsigned char>(1u << reason);
}

constexpr unsigned char unusable = bit(HYBRID_NOT_FINITE) | bit(HYBRID_OVERFLOW);
constexpr unsigned char every_reason = bit(HYBRID_REASONS) - 1;

std::string percent(int64_t part, int64_t whole) {
  std::array<char, 32> text{};
  const double share =
      whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
  std::snprintf(text.data(), text.size(), "%.3g %%", share);
  return text.data();
}

}  // namespace

Policy parse_policy(const std::string &text) {
  const auto found = std::find(policies.begin(), policies.end(), text);
  if (found == policies.end())
    throw Error(HYBRID_ERROR_ARGUMENT,
                "policy: expected 'error', 'flag', 'clip', 'zero' or 'host', got '" + text + "'");
  return static_cast<Policy>(found - policies.begin());
}

const char *policy_name(Policy policy) { return policies[static_cast<size_t>(policy)]; }

Guard::Guard(const Spec &spec, Policy policy, std::vector<int64_t> column_id)
    : title_(spec.name + " " + spec.version),
      policy_(policy),
      left_(policy == Policy::zero || policy == Policy::host ? every_reason : unusable),
      first_output_(spec.inputs.size()),
      first_state_(spec.inputs.size() + spec.outputs.size()) {
  const auto add = [&](const std::vector<Field> &fields, Envelope::Check check) {
    for (const auto &field : fields)
      tallies_.push_back({field.name, Envelope(field, check),
                          check == Envelope::Check::range && field.role == "confidence", field.kind,
                          field.size()});
  };
  add(spec.inputs, Envelope::Check::range);
  add(spec.outputs, Envelope::Check::range);
  add(spec.state, Envelope::Check::finite);
  for (size_t i = 0; i < first_output_; ++i) tallies_[i].is_confidence = false;
  restart(std::move(column_id));
}

void Guard::restart(std::vector<int64_t> column_id) {
  column_id_ = std::move(column_id);
  begin();
  mask_.assign(column_id_.size(), 0);
  counted_.assign(column_id_.size(), 0);
  reasons_.assign(column_id_.size(), 0);
}

const Guard::Tally &Guard::tally(Group group, size_t index) const {
  const size_t first = group == Group::inputs    ? 0
                       : group == Group::outputs ? first_output_
                                                 : first_state_;
  return tallies_[first + index];
}

void Guard::set_threshold(double threshold) {
  if (!std::isfinite(threshold))
    throw Error(HYBRID_ERROR_ARGUMENT, "threshold: expected a finite number");
  bool found = false;
  for (auto &tally : tallies_) {
    if (!tally.is_confidence) continue;
    tally.envelope.set_low(threshold);
    found = true;
  }
  if (!found)
    throw Error(HYBRID_ERROR_FIELD, title_ + ": expected an output with role 'confidence' to " +
                                        "compare with the threshold, got none");
}

void Guard::begin() {
  if (!any_) return;
  std::fill(mask_.begin(), mask_.end(), static_cast<unsigned char>(0));
  std::fill(counted_.begin(), counted_.end(), static_cast<unsigned char>(0));
  for (auto &tally : tallies_) std::fill_n(tally.found, HYBRID_REASONS, 0);
  any_ = false;
}

void Guard::flag(Group group, size_t index, int64_t first, int64_t n, std::byte *rows) {
  auto &field = tally(group, index);
  field.envelope.examine(rows, n, reasons_.data());
  const int64_t row_bytes = field.size * static_cast<int64_t>(field.kind);
  for (int64_t i = 0; i < n; ++i) {
    unsigned char found = reasons_[static_cast<size_t>(i)];
    auto &marked = mask_[static_cast<size_t>(first + i)];
    // What the closure makes of a column that was left is no finding.
    if (!found || (group != Group::inputs && (marked & left_))) continue;
    if (found & bit(HYBRID_NOT_FINITE) && policy_ == Policy::error) {
      const auto text = where(field, first, n, rows);
      if (group == Group::inputs)
        throw Error(HYBRID_ERROR_VALUE,
                    text +
                        "; nothing was written. Mend the host's state, or "
                        "create the binding with policy 'flag', 'clip', 'zero' or "
                        "'host', which go on without that column");
      throw Error(HYBRID_ERROR_VALUE, "the closure's result " + text + "; nothing was written");
    }
    if (field.is_confidence && found & bit(HYBRID_BELOW))
      found = static_cast<unsigned char>((found & ~bit(HYBRID_BELOW)) | bit(HYBRID_NOT_CONFIDENT));
    for (int reason = 0; reason < HYBRID_REASONS; ++reason)
      if (found & (1 << reason)) ++field.found[reason];
    if (policy_ == Policy::clip && !field.is_confidence && !(found & bit(HYBRID_NOT_FINITE)))
      field.envelope.clip(rows + i * row_bytes);
    marked |= found;
    any_ = true;
  }
}

void Guard::flag_overflow(size_t output, int64_t column, bool is_hosts) {
  auto &marked = mask_[static_cast<size_t>(column)];
  if (marked & left_) return;
  auto &field = tally(Group::outputs, output);
  if (policy_ == Policy::error && is_hosts)
    throw Error(HYBRID_ERROR_VALUE,
                field.name + ": expected finite values in the host's array, to add the closure's " +
                    "to, got NaN or infinity in column " + std::to_string(column + 1) +
                    "; nothing was written to it. Set the array before it accumulates");
  if (policy_ == Policy::error)
    throw Error(HYBRID_ERROR_VALUE,
                "the closure's result " + field.name +
                    ": expected a value that the host's array holds in its units and precision, "
                    "got an overflow in column " +
                    std::to_string(column + 1) + "; nothing was written to it");
  ++field.found[HYBRID_OVERFLOW];
  marked |= bit(HYBRID_OVERFLOW);
  any_ = true;
}

void Guard::end() {
  evaluated_ += static_cast<int64_t>(mask_.size());
  if (any_) settle();
}

void Guard::settle(bool is_late) {
  for (size_t column = 0; column < mask_.size(); ++column) {
    const auto marked = static_cast<unsigned char>(mask_[column] & every_reason);
    auto &counted = counted_[column];
    if (marked == counted) continue;
    if (!counted) ++flagged_;
    for (int reason = 0; reason < HYBRID_REASONS; ++reason)
      if (marked & ~counted & (1 << reason)) ++any_counts_[reason];
    counted = marked;
  }
  for (auto &tally : tallies_)
    for (int reason = 0; reason < HYBRID_REASONS; ++reason)
      tally.counts[reason] += std::exchange(tally.found[reason], 0);
  if (policy_ == Policy::zero || is_late) return;
  for (auto &marked : mask_)
    if (marked & left_) marked |= HYBRID_UNTOUCHED;
}

std::string Guard::where(const Tally &field, int64_t first, int64_t n,
                         const std::byte *rows) const {
  return with_kind(field.kind, [&]<class Real>(Real) {
    const auto *values = reinterpret_cast<const Real *>(rows);
    const auto *bad = std::find_if(values, values + n * field.size,
                                   [](Real value) { return !std::isfinite(value); });
    const int64_t index = bad - values;
    const int64_t column = first + index / field.size;
    std::string text =
        field.name + ": expected finite values, got " + (std::isnan(*bad) ? "NaN" : "infinity") +
        " in column " + std::to_string(column + 1) + " of " + std::to_string(mask_.size()) +
        " (column id " + std::to_string(column_id_[static_cast<size_t>(column)]) + ")";
    if (field.size > 1)
      text += ", element " + std::to_string(index % field.size + 1) + " of " +
              std::to_string(field.size);
    return text;
  });
}

const int64_t *Guard::counts(const std::string &name) const {
  if (name.empty()) return any_counts_;
  for (const auto &tally : tallies_)
    if (tally.name == name) return tally.counts;
  throw Error(HYBRID_ERROR_FIELD,
              name + ": no such input, output or state field in closure " + title_);
}

std::string Guard::summary() const {
  std::string text = title_ + ": " + std::to_string(flagged_) + " of " +
                     std::to_string(evaluated_) + " column evaluations flagged (" +
                     percent(flagged_, evaluated_) + "), policy " + policy_name(policy_);
  const char *separator = ": ";
  for (const auto &tally : tallies_) {
    std::string found;
    for (int reason = 0; reason < HYBRID_REASONS; ++reason)
      if (tally.counts[reason])
        found += (found.empty() ? " " : ", ") + std::to_string(tally.counts[reason]) + " " +
                 reason_names[static_cast<size_t>(reason)];
    if (found.empty()) continue;
    text += separator + tally.name + found;
    separator = "; ";
  }
  return text;
}

}  // namespace hybrid
