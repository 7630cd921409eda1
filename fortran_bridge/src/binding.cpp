#include "binding.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "error.hpp"
#include "finite.hpp"
#include "noise.hpp"

namespace hybrid {

namespace {

struct Plan {
  std::vector<std::pair<int64_t, int64_t>> blocks;  // first column, size
  double seconds = 0.0;
};

// Covers `n` columns from `first` on with blocks of the `kinds` smallest sizes: as many of the
// largest as fit, then whatever is quickest for the rest, one more of them with padding or
// smaller ones. Which is chosen cannot be seen in the results: all these sizes round alike.
Plan cover(const std::vector<Block> &blocks, size_t kinds, int64_t first, int64_t n) {
  const Block &largest = blocks[kinds - 1];
  Plan plan;
  const auto add = [&] {
    plan.blocks.emplace_back(first, largest.size);
    plan.seconds += largest.seconds;
    first += largest.size;
    n -= largest.size;
  };
  while (n >= largest.size) add();
  if (n <= 0) return plan;
  if (kinds > 1) {
    const Plan rest = cover(blocks, kinds - 1, first, n);
    if (rest.seconds < largest.seconds) {
      plan.blocks.insert(plan.blocks.end(), rest.blocks.begin(), rest.blocks.end());
      plan.seconds += rest.seconds;
      return plan;
    }
  }
  add();
  return plan;
}

double value_at(const Field &field, const std::byte *rows, int64_t index) {
  return field.kind == HYBRID_FLOAT64 ? reinterpret_cast<const double *>(rows)[index]
                                      : reinterpret_cast<const float *>(rows)[index];
}

template <class Real>
void mark_non_finite(const Field &field, const std::byte *rows, std::vector<unsigned char> &mask) {
  const auto *value = reinterpret_cast<const Real *>(rows);
  const int64_t size = field.size();
  FiniteCheck<Real> check;
  for (int64_t i = 0; i < size * static_cast<int64_t>(mask.size()); ++i) check.see(value[i]);
  if (check.all()) return;
  for (auto &marked : mask) {
    bool finite = true;
    for (int64_t element = 0; element < size; ++element) finite &= std::isfinite(*value++);
    marked |= static_cast<unsigned char>(!finite);
  }
}

std::string names_of(const std::vector<Field> &fields) {
  std::string text;
  for (const auto &field : fields) text += (text.empty() ? "" : ", ") + field.name;
  return text.empty() ? "none" : text;
}

// Far beyond any memory, and safe in 64-bit products.
constexpr int64_t most_columns = int64_t{1} << 40;

constexpr size_t not_found = static_cast<size_t>(-1);

size_t find(const std::vector<Field> &fields, const std::string &name) {
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == name) return i;
  return not_found;
}

}  // namespace

Policy parse_policy(const std::string &text) {
  if (text == "error") return Policy::error;
  if (text == "host") return Policy::host;
  throw Error(HYBRID_ERROR_ARGUMENT, "policy: expected 'error' or 'host', got '" + text + "'");
}

Binding::Binding(std::shared_ptr<const Closure> closure, int64_t n_column, const int64_t *column_id,
                 uint64_t seed, bool reproducible, Policy policy)
    : closure_(std::move(closure)), n_column_(n_column), seed_(seed), policy_(policy) {
  const auto &spec = closure_->spec();
  if (n_column < 1)
    throw Error(HYBRID_ERROR_ARGUMENT,
                spec.name + ": expected at least one column, got " + std::to_string(n_column));
  if (n_column > most_columns)
    throw Error(HYBRID_ERROR_ARGUMENT, spec.name + ": expected at most " +
                                           std::to_string(most_columns) + " columns, got " +
                                           std::to_string(n_column));
  for (const auto &fields : {spec.arguments(), spec.results()})
    for (const auto &field : fields)
      if (!field.has_fixed_shape())
        throw Error(HYBRID_ERROR_SHAPE, field.name + ": sizes that are fixed only by the host " +
                                            "are not supported yet; export the closure with " +
                                            "the sizes of this host");
  if (column_id) {
    column_id_.assign(column_id, column_id + n_column);
  } else {
    column_id_.resize(static_cast<size_t>(n_column));
    std::iota(column_id_.begin(), column_id_.end(), 1);
  }
  if (reproducible)
    blocks_ = cover(closure_->blocks(), closure_->blocks().size(), 0, n_column).blocks;
  else
    blocks_ = {{0, n_column}};
  n_padded_ = blocks_.back().first + blocks_.back().second;
  arguments_ = Buffers(spec.arguments(), n_padded_);
  results_ = Buffers(spec.results(), n_padded_);
  inputs_.resize(spec.inputs.size());
  outputs_.resize(spec.outputs.size());
  mask_.assign(static_cast<size_t>(n_column), 0);
  unusable_ = mask_;
}

void Binding::bind(const std::string &name, const HostArray::Layout &layout) {
  const auto &spec = closure_->spec();
  const size_t input = find(spec.inputs, name);
  const size_t output = find(spec.outputs, name);
  if (input == not_found && output == not_found)
    throw Error(HYBRID_ERROR_FIELD, name + ": no such field in closure " + spec.name +
                                        "; expected an input (" + names_of(spec.inputs) +
                                        ") or an output (" + names_of(spec.outputs) + ")");
  const bool is_input = input != not_found;
  auto &slot = is_input ? inputs_[input] : outputs_[output];
  if (slot) throw Error(HYBRID_ERROR_FIELD, name + ": bound twice; bind each field once");
  if (is_input && layout.accumulate)
    throw Error(HYBRID_ERROR_ARGUMENT, name + ": accumulate is for outputs, this is an input");
  slot.emplace(is_input ? spec.inputs[input] : spec.outputs[output], layout, spec.first_axis(),
               n_column_, is_input ? Direction::to_closure : Direction::to_host);
}

void Binding::require_all_bound() const {
  const auto &spec = closure_->spec();
  std::string missing;
  const auto collect = [&](const auto &slots, const std::vector<Field> &fields) {
    for (size_t i = 0; i < slots.size(); ++i)
      if (!slots[i]) missing += (missing.empty() ? "" : ", ") + fields[i].name;
  };
  collect(inputs_, spec.inputs);
  collect(outputs_, spec.outputs);
  if (!missing.empty())
    throw Error(HYBRID_ERROR_ORDER, spec.name + ": expected every field to be bound before run, " +
                                        "got none for " + missing + "; bind them");
}

std::string Binding::where(const Field &field, const std::byte *rows) const {
  const int64_t size = field.size();
  for (int64_t i = 0; i < n_column_ * size; ++i) {
    const double value = value_at(field, rows, i);
    if (std::isfinite(value)) continue;
    const int64_t column = i / size;
    std::string text =
        field.name + ": expected finite values, got " + (std::isnan(value) ? "NaN" : "infinity") +
        " in column " + std::to_string(column + 1) + " of " + std::to_string(n_column_) +
        " (column id " + std::to_string(column_id_[static_cast<size_t>(column)]) + ")";
    if (size > 1)
      text += ", element " + std::to_string(i % size + 1) + " of " + std::to_string(size);
    return text;
  }
  return {};
}

void Binding::gather_inputs() {
  const auto &fields = closure_->spec().inputs;
  std::fill(mask_.begin(), mask_.end(), static_cast<unsigned char>(0));
  for (size_t i = 0; i < fields.size(); ++i)
    inputs_[i]->gather(n_column_, arguments_.row(i, 0), mask_.data());
  if (!std::memchr(mask_.data(), 1, mask_.size())) return;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (policy_ == Policy::error) {
      const auto text = where(fields[i], arguments_.row(i, 0));
      if (!text.empty())
        throw Error(HYBRID_ERROR_VALUE, text +
                                            "; nothing was written. Mend the host's state, or "
                                            "create the binding with policy 'host'");
      continue;
    }
    // Left to the host: zeros keep the arithmetic of the other columns undisturbed.
    for (int64_t column = 0; column < n_column_; ++column)
      if (mask_[static_cast<size_t>(column)])
        std::memset(arguments_.row(i, column), 0, static_cast<size_t>(arguments_.row_bytes(i)));
  }
}

void Binding::fill_noise_for(int64_t step) {
  const auto &spec = closure_->spec();
  if (noise_step_ == step) return;
  const size_t first = spec.inputs.size() + spec.state.size();
  for (size_t i = 0; i < spec.noise.size(); ++i) {
    auto *rows = arguments_.row(first + i, 0);
    const auto number = static_cast<int64_t>(i);
    const auto &field = spec.noise[i];
    if (field.kind == HYBRID_FLOAT64)
      fill_noise(seed_, number, step, n_column_, column_id_.data(), field.size(),
                 reinterpret_cast<double *>(rows));
    else
      fill_noise(seed_, number, step, n_column_, column_id_.data(), field.size(),
                 reinterpret_cast<float *>(rows));
  }
  noise_step_ = step;
}

void Binding::pad() {
  // Copies of a real column: values a closure can digest, with results nobody reads.
  for (size_t i = 0; i < arguments_.count(); ++i)
    for (int64_t column = n_column_; column < n_padded_; ++column)
      std::memcpy(arguments_.row(i, column), arguments_.row(i, n_column_ - 1),
                  static_cast<size_t>(arguments_.row_bytes(i)));
}

void Binding::check_results() {
  const auto &spec = closure_->spec();
  for (size_t i = 0; i < outputs_.size(); ++i) {
    std::fill(unusable_.begin(), unusable_.end(), static_cast<unsigned char>(0));
    outputs_[i]->mark_unwritable(n_column_, results_.row(i, 0), unusable_.data());
    mask_unusable(spec.outputs[i], results_.row(i, 0));
  }
  for (size_t i = 0; i < spec.state.size(); ++i) {
    const auto &field = spec.state[i];
    const auto *rows = results_.row(spec.outputs.size() + i, 0);
    std::fill(unusable_.begin(), unusable_.end(), static_cast<unsigned char>(0));
    if (field.kind == HYBRID_FLOAT64)
      mark_non_finite<double>(field, rows, unusable_);
    else
      mark_non_finite<float>(field, rows, unusable_);
    mask_unusable(field, rows);
  }
}

// Leaves columns whose result cannot be used to the host, or fails, as the policy has it.
void Binding::mask_unusable(const Field &field, const std::byte *rows) {
  if (!std::memchr(unusable_.data(), 1, unusable_.size())) return;
  for (size_t column = 0; column < mask_.size(); ++column) {
    if (!unusable_[column] || mask_[column]) continue;
    if (policy_ == Policy::error) {
      const auto text = where(field, rows);
      throw Error(HYBRID_ERROR_VALUE,
                  "the closure's result " +
                      (text.empty() ? field.name + ": expected a value that the host's array " +
                                          "holds in its units and precision, got an overflow " +
                                          "in column " + std::to_string(column + 1)
                                    : text) +
                      "; nothing was written");
    }
    mask_[column] = 1;
  }
}

void Binding::keep_state_of_masked() {
  const auto &spec = closure_->spec();
  if (!std::memchr(mask_.data(), 1, mask_.size())) return;
  for (size_t i = 0; i < spec.state.size(); ++i)
    for (int64_t column = 0; column < n_column_; ++column)
      if (mask_[static_cast<size_t>(column)])
        std::memcpy(results_.row(spec.outputs.size() + i, column),
                    arguments_.row(spec.inputs.size() + i, column),
                    static_cast<size_t>(results_.row_bytes(spec.outputs.size() + i)));
}

void Binding::scatter_outputs() const {
  for (size_t i = 0; i < outputs_.size(); ++i)
    outputs_[i]->scatter(n_column_, results_.row(i, 0), mask_.data());
}

void Binding::run(int64_t step) {
  // A failed run must leave nothing that commit could take for its result.
  has_new_state_ = false;
  require_all_bound();
  gather_inputs();
  fill_noise_for(step);
  pad();
  for (const auto &[first, size] : blocks_) closure_->run(arguments_, results_, first, size);
  check_results();
  keep_state_of_masked();
  scatter_outputs();
  has_new_state_ = true;
}

void Binding::commit() {
  const auto &spec = closure_->spec();
  if (!has_new_state_)
    throw Error(HYBRID_ERROR_ORDER,
                spec.name + ": expected a run before commit, got none since the last commit");
  for (size_t i = 0; i < spec.state.size(); ++i)
    std::memcpy(arguments_.row(spec.inputs.size() + i, 0), results_.row(spec.outputs.size() + i, 0),
                static_cast<size_t>(n_column_ * results_.row_bytes(spec.outputs.size() + i)));
  has_new_state_ = false;
}

void Binding::mask(unsigned char *mask, int64_t n) const {
  if (n != n_column_)
    throw Error(HYBRID_ERROR_SHAPE, "mask: expected " + std::to_string(n_column_) +
                                        " columns, got " + std::to_string(n));
  std::copy(mask_.begin(), mask_.end(), mask);
}

size_t Binding::state_index(const std::string &name, int64_t n) const {
  const auto &spec = closure_->spec();
  const size_t index = find(spec.state, name);
  if (index == not_found)
    throw Error(HYBRID_ERROR_FIELD, name + ": no such state field in closure " + spec.name +
                                        "; expected one of " + names_of(spec.state));
  const int64_t expected = n_column_ * spec.state[index].size();
  if (n != expected)
    throw Error(HYBRID_ERROR_SHAPE, name + ": expected " + std::to_string(expected) +
                                        " values (columns times elements), got " +
                                        std::to_string(n));
  return index;
}

void Binding::state_get(const std::string &name, double *values, int64_t n) const {
  const auto &spec = closure_->spec();
  const size_t index = state_index(name, n);
  const auto *rows = arguments_.row(spec.inputs.size() + index, 0);
  for (int64_t i = 0; i < n; ++i) values[i] = value_at(spec.state[index], rows, i);
}

void Binding::state_set(const std::string &name, const double *values, int64_t n) {
  const auto &spec = closure_->spec();
  const size_t index = state_index(name, n);
  const bool is_double = spec.state[index].kind == HYBRID_FLOAT64;
  if (!std::all_of(values, values + n, [is_double](double value) {
        return std::isfinite(is_double ? value : static_cast<double>(static_cast<float>(value)));
      }))
    throw Error(HYBRID_ERROR_VALUE,
                name + ": expected values that are finite in the closure's precision");
  auto *rows = arguments_.row(spec.inputs.size() + index, 0);
  for (int64_t i = 0; i < n; ++i) {
    if (is_double)
      reinterpret_cast<double *>(rows)[i] = values[i];
    else
      reinterpret_cast<float *>(rows)[i] = static_cast<float>(values[i]);
  }
  has_new_state_ = false;
}

}  // namespace hybrid
