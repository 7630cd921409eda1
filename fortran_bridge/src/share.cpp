#include "share.hpp"

#include <algorithm>
#include <cmath>

#include "error.hpp"

namespace hybrid {

namespace {

bool is_share(double value) { return value >= 0.0 && value <= 1.0; }

void set(const std::string &field, const char *axis, const double *values, int64_t n,
         std::vector<double> &shares) {
  if (!values) {
    std::fill(shares.begin(), shares.end(), 1.0);
    return;
  }
  if (n != static_cast<int64_t>(shares.size()))
    throw Error(HYBRID_ERROR_SHAPE, field + ": expected one share for each " + axis + ", that is " +
                                        std::to_string(shares.size()) + ", got " +
                                        std::to_string(n));
  for (int64_t i = 0; i < n; ++i)
    if (!is_share(values[i]))
      throw Error(HYBRID_ERROR_ARGUMENT, field + ": expected shares from 0 to 1, got " +
                                             std::to_string(values[i]) + " for " + axis + " " +
                                             std::to_string(i + 1));
  shares.assign(values, values + n);
}

}  // namespace

double Ramp::at(int64_t step) const {
  if (step <= first) return step == last ? to : from;
  if (step >= last) return to;
  const double passed = static_cast<double>(step) - static_cast<double>(first);
  const double whole = static_cast<double>(last) - static_cast<double>(first);
  return from + (to - from) * (passed / whole);
}

void Difference::record(double difference) {
  // Running means: sums of a long run would lose the small terms.
  ++count;
  const double weight = 1.0 / static_cast<double>(count);
  mean += (difference - mean) * weight;
  square += (difference * difference - square) * weight;
  largest = std::max(largest, std::abs(difference));
}

Share::Share(int64_t n_element, int64_t n_column)
    : element_(static_cast<size_t>(n_element), 1.0),
      column_(static_cast<size_t>(n_column), 1.0),
      differences_(static_cast<size_t>(n_element)) {}

void Share::restart(int64_t n_column) {
  lacks_columns_ = lacks_columns_ || has_columns_;
  has_columns_ = false;
  column_.assign(static_cast<size_t>(n_column), 1.0);
}

void Share::set_ramp(const std::string &field, const Ramp &ramp) {
  if (!is_share(ramp.from) || !is_share(ramp.to))
    throw Error(HYBRID_ERROR_ARGUMENT, field +
                                           ": expected shares from 0 (the host's scheme) to 1 " +
                                           "(the closure), got " + std::to_string(ramp.from) +
                                           " and " + std::to_string(ramp.to));
  if (ramp.last < ramp.first)
    throw Error(HYBRID_ERROR_ARGUMENT, field + ": expected a ramp that ends after it begins, got " +
                                           "steps " + std::to_string(ramp.first) + " to " +
                                           std::to_string(ramp.last));
  ramp_ = ramp;
}

void Share::set_partial(const std::string &field, const double *element, int64_t n_element,
                        const double *column, int64_t n_column) {
  set(field, "element of a column", element, n_element, element_);
  set(field, "column", column, n_column, column_);
  has_columns_ = column != nullptr;
  lacks_columns_ = false;
}

}  // namespace hybrid
