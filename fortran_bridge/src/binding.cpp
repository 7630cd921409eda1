#include "binding.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "error.hpp"
#include "kinds.hpp"
#include "log.hpp"
#include "names.hpp"
#include "noise.hpp"
#include "ticks.hpp"

namespace hybrid {

namespace {

std::string names_of(const std::vector<Field> &fields) {
  std::vector<std::string> names;
  for (const auto &field : fields) names.push_back(field.name);
  return names.empty() ? "none" : joined(names, ", ");
}

constexpr size_t not_found = static_cast<size_t>(-1);

size_t find(const std::vector<Field> &fields, const std::string &name) {
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == name) return i;
  return not_found;
}

Spec resolved(const Spec &spec, const GridView *grid) {
  if (grid) return on_grid(spec, *grid);
  for (const auto &fields : {spec.arguments(), spec.results()})
    for (const auto &field : fields)
      if (!field.has_fixed_shape())
        throw Error(HYBRID_ERROR_SHAPE, field.name + ": expected the sizes of the host's grid, " +
                                            "which this closure leaves open, got none; create " +
                                            "the binding with create_grid (in Python, with grid)");
  return spec;
}

std::vector<Field> all_fields(const Spec &spec) {
  auto fields = spec.arguments();
  for (const auto &field : spec.results()) fields.push_back(field);
  return fields;
}

[[noreturn]] void refuse_share(const std::string &name) {
  throw Error(HYBRID_ERROR_ARGUMENT,
              name +
                  ": expected an array that holds the host's own values, of which the closure "
                  "is to have a share by shadow, ramp or partial, got one that accumulates");
}

void copy_rows(const Buffers &from, size_t from_field, int64_t from_row, const Buffers &to,
               size_t to_field, int64_t to_row, int64_t n) {
  std::memcpy(to.row(to_field, to_row), from.row(from_field, from_row),
              static_cast<size_t>(n * from.row_bytes(from_field)));
}

}  // namespace

Binding::Binding(std::shared_ptr<const Closure> closure, const GridView *grid,
                 BindingOptions options)
    : closure_(std::move(closure)),
      spec_(resolved(closure_->spec(), grid)),
      column_id_(std::move(options.column_id)),
      capacity_(n_column()),
      seed_(options.seed),
      reproducible_(options.reproducible),
      guard_(spec_, options.policy, column_id_),
      shapes_(all_fields(spec_)),
      state_(spec_.state, capacity_),
      noise_(spec_.noise, capacity_),
      inputs_(spec_.inputs.size()),
      outputs_(spec_.outputs.size()),
      hindrances_(column_id_.size()) {
  if (reproducible_)
    closure_->consider_blocks({std::min(capacity_, largest_block), capacity_ % largest_block});
  ranges_ = plan(n_column());
  make_room(ranges_);
}

std::vector<Range> Binding::plan(int64_t n) const {
  if (spec_.locality == "grid")
    return even_plan(n, reproducible_ && !closure_->is_column_exact() ? 1 : n);
  if (!reproducible_ || closure_->is_column_exact()) return even_plan(n, largest_block);
  return reproducible_plan(closure_->blocks(), n);
}

// Makes what blocks need; changes nothing if that fails.
void Binding::make_room(const std::vector<Range> &ranges) {
  int64_t largest = 0;
  for (const auto &range : ranges) largest = std::max(largest, range.size);
  const int64_t padded = ranges.empty() ? 0 : ranges.back().first + ranges.back().size;
  const bool grows = largest > block_capacity_;
  Buffers block, results;
  if (grows) block = Buffers(spec_.arguments(), largest);
  if (padded > result_capacity_) results = Buffers(spec_.results(), padded);
  std::vector<std::pair<int64_t, Session>> sessions;
  for (const auto &range : ranges) {
    const auto is_it = [&](const auto &entry) { return entry.first == range.size; };
    if (std::any_of(sessions.begin(), sessions.end(), is_it)) continue;
    if (!grows && std::any_of(sessions_.begin(), sessions_.end(), is_it)) continue;
    sessions.emplace_back(range.size,
                          closure_->prepare(range.size, shapes_, grows ? block : block_));
  }
  sessions_.reserve(sessions_.size() + sessions.size());
  if (grows) {
    sessions_.clear();
    block_ = std::move(block);
    block_capacity_ = largest;
  }
  if (padded > result_capacity_) {
    results_ = std::move(results);
    result_capacity_ = padded;
  }
  std::move(sessions.begin(), sessions.end(), std::back_inserter(sessions_));
}

const Session &Binding::session(int64_t size) const {
  return std::find_if(sessions_.begin(), sessions_.end(),
                      [size](const auto &entry) { return entry.first == size; })
      ->second;
}

size_t Binding::input_index(const std::string &name) const {
  const size_t index = find(spec_.inputs, name);
  if (index == not_found)
    throw Error(HYBRID_ERROR_FIELD, name + ": no such input of closure " + spec_.name +
                                        "; expected one of " + names_of(spec_.inputs));
  return index;
}

size_t Binding::output_index(const std::string &name) const {
  const size_t index = find(spec_.outputs, name);
  if (index == not_found)
    throw Error(HYBRID_ERROR_FIELD, name + ": no such output of closure " + spec_.name +
                                        "; expected one of " + names_of(spec_.outputs));
  return index;
}

// Goes over to an array, with all checks if it is laid out in another way than the last one.
void Binding::place(std::optional<HostArray> &array, const Field &field, const ArrayView &view,
                    Direction direction) const {
  if (array && array->move_to(view)) return;
  array.emplace(field, view, spec_.first_axis(), n_column(), direction);
}

void Binding::bind(const std::string &name, const ArrayView &view) {
  const size_t input = find(spec_.inputs, name);
  const size_t output = find(spec_.outputs, name);
  if (input == not_found && output == not_found)
    throw Error(HYBRID_ERROR_FIELD, name + ": no such field in closure " + spec_.name +
                                        "; expected an input (" + names_of(spec_.inputs) +
                                        ") or an output (" + names_of(spec_.outputs) + ")");
  const bool is_input = input != not_found;
  auto &is_bound = is_input ? inputs_[input].is_bound : outputs_[output].is_bound;
  if (is_bound) throw Error(HYBRID_ERROR_FIELD, name + ": bound twice; bind each field once");
  if (is_input && inputs_[input].was_put)
    throw Error(HYBRID_ERROR_ORDER, name +
                                        ": expected apply after the inputs were put, got bind; " +
                                        "bind it before any put, or after apply");
  if (is_input && view.accumulate)
    throw Error(HYBRID_ERROR_ARGUMENT, name + ": accumulate is for outputs, this is an input");
  if (!is_input && view.accumulate && outputs_[output].share) refuse_share(name);
  auto &array = is_input ? inputs_[input].array : outputs_[output].array;
  array.emplace(is_input ? spec_.inputs[input] : spec_.outputs[output], view, spec_.first_axis(),
                n_column(), is_input ? Direction::to_closure : Direction::to_host);
  is_bound = true;
}

void Binding::require_bound(bool with_outputs) const {
  std::vector<std::string> missing;
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (!inputs_[i].is_bound && (with_outputs || !inputs_[i].was_put))
      missing.push_back(spec_.inputs[i].name);
  for (size_t i = 0; with_outputs && i < outputs_.size(); ++i)
    if (!outputs_[i].is_bound) missing.push_back(spec_.outputs[i].name);
  if (missing.empty()) return;
  const char *needed = with_outputs ? "every field to be bound before run"
                                    : "every input to be put since the last apply";
  throw Error(HYBRID_ERROR_ORDER, spec_.name + ": expected " + needed + ", got none for " +
                                      joined(missing, ", ") +
                                      (with_outputs ? "; bind them" : "; put them"));
}

void Binding::forget_puts() {
  for (auto &input : inputs_) input.was_put = false;
  is_open_ = false;
}

void Binding::put(const std::string &name, const ArrayView &view) {
  const size_t index = input_index(name);
  auto &input = inputs_[index];
  if (input.is_bound)
    throw Error(HYBRID_ERROR_ORDER, name + ": bound already; its array is read by apply");
  if (input.was_put)
    throw Error(HYBRID_ERROR_ORDER, name + ": expected apply after the inputs were put, got it " +
                                        "put twice; put each input once before apply");
  const int64_t start = ticks();
  place(input.array, spec_.inputs[index], view, Direction::to_closure);
  if (input.staged.count() == 0) input.staged = Buffers({spec_.inputs[index]}, capacity_);
  if (!is_open_) guard_.begin();
  is_open_ = true;
  has_results_ = false;
  const auto group = Guard::Group::inputs;
  auto *rows = input.staged.row(0, 0);
  try {
    if (!input.array->gather(0, n_column(), rows, guard_.envelope(group, index)))
      guard_.flag(group, index, 0, n_column(), rows);
  } catch (...) {
    // What is refused begins anew: no column stays marked for values that never come.
    forget_puts();
    guard_.begin();
    throw;
  }
  input.was_put = true;
  timers_.packing += ticks() - start;
}

void Binding::fill_noise_for(int64_t step) {
  if (noise_step_ == step) return;
  for (size_t i = 0; i < spec_.noise.size(); ++i) {
    const auto number = static_cast<int64_t>(i);
    const auto &field = spec_.noise[i];
    with_kind(field.kind, [&]<class Real>(Real) {
      fill_noise(seed_, number, step, n_column(), column_id_.data(), field.size(),
                 reinterpret_cast<Real *>(noise_.row(i, 0)));
    });
  }
  noise_step_ = step;
}

// Brings the arguments of a block together.
void Binding::pack(const Range &range) {
  const int64_t n = std::min(range.size, n_column() - range.first);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    auto &input = inputs_[i];
    auto *rows = block_.row(i, 0);
    const auto group = Guard::Group::inputs;
    if (!input.is_bound)
      copy_rows(input.staged, 0, range.first, block_, i, 0, n);
    else if (!input.array->gather(range.first, n, rows, guard_.envelope(group, i)))
      guard_.flag(group, i, range.first, n, rows);
  }
  size_t argument = inputs_.size();
  for (const auto *kept : {&state_, &noise_})
    for (size_t i = 0; i < kept->count(); ++i, ++argument)
      copy_rows(*kept, i, range.first, block_, argument, 0, n);
  // Zeros in columns that are left keep the arithmetic of the others undisturbed.
  if (guard_.any())
    for (int64_t column = 0; column < n; ++column)
      for (size_t i = 0; guard_.is_left(range.first + column) && i < inputs_.size(); ++i)
        std::memset(block_.row(i, column), 0, static_cast<size_t>(block_.row_bytes(i)));
  // Padding copies a real column: values a closure can digest, with results nobody reads.
  for (int64_t column = n; column < range.size; ++column)
    for (size_t i = 0; i < block_.count(); ++i) copy_rows(block_, i, n - 1, block_, i, column, 1);
}

int64_t Binding::evaluate(int64_t step) {
  // A failed evaluation must leave nothing that commit or get could take for its result, and
  // counts for nothing.
  has_new_state_ = has_results_ = has_written_ = false;
  int64_t last = 0;
  try {
    last = compute(step);
  } catch (...) {
    guard_.begin();
    throw;
  }
  has_results_ = has_new_state_ = true;
  if (guard_.any() && !has_spoken_) {
    has_spoken_ = true;
    log(HYBRID_LOG_WARNING,
        "first flagged columns, at step " + std::to_string(step) + ": " + guard_.summary());
  }
  return last;
}

int64_t Binding::compute(int64_t step) {
  if (!is_open_) guard_.begin();
  forget_puts();
  step_ = step;
  int64_t last = ticks();
  const auto passed = [&last] {
    const int64_t now = ticks();
    return now - std::exchange(last, now);
  };
  fill_noise_for(step);
  for (const auto &range : ranges_) {
    pack(range);
    timers_.packing += passed();
    session(range.size).run(results_, range.first);
    timers_.engine += passed();
  }
  check_results();
  for (size_t i = 0; i < outputs_.size(); ++i)
    if (outputs_[i].is_bound) mark_overflow(i);
  guard_.end();
  settle_left();
  ++timers_.n_run;
  return last;
}

void Binding::check_results() {
  const auto look = [this](Guard::Group group, size_t index, size_t result) {
    auto *rows = results_.row(result, 0);
    if (!guard_.envelope(group, index).holds(rows, n_column()))
      guard_.flag(group, index, 0, n_column(), rows);
  };
  for (size_t i = 0; i < outputs_.size(); ++i) look(Guard::Group::outputs, i, i);
  for (size_t i = 0; i < spec_.state.size(); ++i) look(Guard::Group::state, i, outputs_.size() + i);
}

// Whether there was one.
bool Binding::mark_overflow(size_t output) {
  const auto &[slot, is_bound, share] = outputs_[output];
  if (!slot->can_overflow()) return false;
  std::fill(hindrances_.begin(), hindrances_.end(), HostArray::none);
  const auto *rows = results_.row(output, 0);
  if (share)
    slot->mark_overflow(n_column(), rows, step_, *share, hindrances_.data());
  else
    slot->mark_overflow(n_column(), rows, hindrances_.data());
  bool is_any = false;
  for (int64_t column = 0; column < n_column(); ++column) {
    const auto hindrance = hindrances_[static_cast<size_t>(column)];
    if (hindrance == HostArray::none) continue;
    guard_.flag_overflow(output, column, hindrance == HostArray::host_not_finite);
    is_any = true;
  }
  return is_any;
}

// Columns that are left keep their state; with policy zero their results are zero.
void Binding::settle_left() {
  if (!guard_.any()) return;
  for (int64_t column = 0; column < n_column(); ++column) {
    if (!guard_.is_left(column)) continue;
    for (size_t i = 0; i < spec_.state.size(); ++i)
      copy_rows(state_, i, column, results_, outputs_.size() + i, column, 1);
    for (size_t i = 0; guard_.policy() == Policy::zero && i < outputs_.size(); ++i)
      std::memset(results_.row(i, column), 0, static_cast<size_t>(results_.row_bytes(i)));
  }
}

void Binding::write(size_t output) {
  auto &[array, is_bound, share] = outputs_[output];
  const auto *mask = guard_.any() ? guard_.mask().data() : nullptr;
  const auto *rows = results_.row(output, 0);
  if (share)
    array->blend(n_column(), rows, mask, {guard_.unwritten(), guard_.left()}, step_, *share);
  else
    array->scatter(n_column(), rows, mask, guard_.unwritten());
}

void Binding::run(int64_t step) {
  require_bound(true);
  const int64_t start = evaluate(step);
  for (size_t i = 0; i < outputs_.size(); ++i) write(i);
  has_results_ = false;
  timers_.unpacking += ticks() - start;
}

void Binding::apply(int64_t step) {
  require_bound(false);
  const int64_t start = evaluate(step);
  timers_.unpacking += ticks() - start;
}

void Binding::get(const std::string &name, const ArrayView &view) {
  const size_t index = output_index(name);
  auto &output = outputs_[index];
  if (output.is_bound)
    throw Error(HYBRID_ERROR_ORDER, name + ": bound already; its array is written by run");
  if (!has_results_)
    throw Error(HYBRID_ERROR_ORDER,
                spec_.name + ": expected apply before get, got none since the last put");
  if (view.accumulate && output.share) refuse_share(name);
  if (output.share && !output.share->is_complete())
    throw Error(HYBRID_ERROR_ORDER, name + ": expected shares for the columns of this chunk, got " +
                                        "those of an earlier one; give its partial again");
  const int64_t start = ticks();
  place(output.array, spec_.outputs[index], view, Direction::to_host);
  if (mark_overflow(index)) {
    guard_.settle(has_written_);
    settle_left();
  }
  write(index);
  has_written_ = true;
  timers_.unpacking += ticks() - start;
}

void Binding::chunk(std::vector<int64_t> column_id) {
  if (!spec_.state.empty())
    throw Error(HYBRID_ERROR_ORDER, spec_.name + ": expected a closure without state, which " +
                                        "belongs to its columns, got one with " +
                                        names_of(spec_.state) + "; create a binding a chunk");
  const auto is_bound = [](const auto &slot) { return slot.is_bound; };
  if (std::any_of(inputs_.begin(), inputs_.end(), is_bound) ||
      std::any_of(outputs_.begin(), outputs_.end(), is_bound))
    throw Error(HYBRID_ERROR_ORDER, spec_.name + ": expected chunk before bind, which keeps the " +
                                        "arrays of certain columns; use put, apply and get");
  if (static_cast<int64_t>(column_id.size()) > capacity_)
    throw Error(HYBRID_ERROR_SHAPE, spec_.name + ": expected at most " + std::to_string(capacity_) +
                                        " columns, as the binding was created for, got " +
                                        std::to_string(column_id.size()));
  const bool is_resized = column_id.size() != column_id_.size();
  if (is_resized) {
    auto ranges = plan(static_cast<int64_t>(column_id.size()));
    make_room(ranges);
    ranges_ = std::move(ranges);
  }
  column_id_ = std::move(column_id);
  guard_.restart(column_id_);
  forget_puts();
  noise_step_.reset();
  has_results_ = has_new_state_ = false;
  for (auto &output : outputs_)
    if (output.share) output.share->restart(n_column());
  if (!is_resized) return;
  hindrances_.assign(column_id_.size(), HostArray::none);
  for (auto &input : inputs_) input.array.reset();
  for (auto &output : outputs_) output.array.reset();
}

void Binding::commit() {
  if (!has_new_state_)
    throw Error(HYBRID_ERROR_ORDER,
                spec_.name + ": expected a run before commit, got none since " + "the last commit");
  for (size_t i = 0; i < spec_.state.size(); ++i)
    copy_rows(results_, outputs_.size() + i, 0, state_, i, 0, n_column());
  has_new_state_ = false;
  has_written_ = has_written_ || !spec_.state.empty();
}

// What is refused leaves the share as it was.
template <class Change>
void Binding::change_share(const std::string &name, Change &&change) {
  const size_t index = output_index(name);
  auto &output = outputs_[index];
  // An array of an earlier get is no matter any more.
  if (!output.share && output.is_bound && output.array->accumulates()) refuse_share(name);
  Share share = output.share ? *output.share : Share(spec_.outputs[index].size(), n_column());
  change(share);
  output.share = std::move(share);
}

void Binding::set_ramp(const std::string &name, const Ramp &ramp) {
  change_share(name, [&](Share &share) { share.set_ramp(name, ramp); });
}

void Binding::set_partial(const std::string &name, const double *element, int64_t n_element,
                          const double *column, int64_t n_column) {
  change_share(
      name, [&](Share &share) { share.set_partial(name, element, n_element, column, n_column); });
}

const Share *Binding::share(const std::string &name) const {
  const auto &output = outputs_[output_index(name)];
  return output.share ? &*output.share : nullptr;
}

}  // namespace hybrid
