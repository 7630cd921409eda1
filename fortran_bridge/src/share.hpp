// The share that a closure has in an output beside the host's own scheme.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hybrid {

// Linear in time between two steps, constant before and after.
struct Ramp {
  double from = 1.0;
  double to = 1.0;
  int64_t first = 0;
  int64_t last = 0;

  double at(int64_t step) const;
};

// Closure minus host at one element of a column, since create.
struct Difference {
  int64_t count = 0;
  double mean = 0.0;
  double square = 0.0;  // mean of squares
  double largest = 0.0;

  void record(double difference);
};

class Share {
 public:
  Share(int64_t n_element, int64_t n_column);

  // Other columns: shares that belong to columns must be given again.
  void restart(int64_t n_column);
  bool is_complete() const { return !lacks_columns_; }

  // Throw HYBRID_ERROR_ARGUMENT or HYBRID_ERROR_SHAPE naming `field`.
  void set_ramp(const std::string &field, const Ramp &ramp);
  void set_partial(const std::string &field, const double *element, int64_t n_element,
                   const double *column, int64_t n_column);

  double at(int64_t step, int64_t element, int64_t column) const {
    return ramp_.at(step) * element_[static_cast<size_t>(element)] *
           column_[static_cast<size_t>(column)];
  }
  Difference &difference(int64_t element) { return differences_[static_cast<size_t>(element)]; }
  const std::vector<Difference> &differences() const { return differences_; }

 private:
  Ramp ramp_;
  std::vector<double> element_, column_;
  bool has_columns_ = false;    // shares of columns were given
  bool lacks_columns_ = false;  // they were, but for other columns
  std::vector<Difference> differences_;
};

}  // namespace hybrid
