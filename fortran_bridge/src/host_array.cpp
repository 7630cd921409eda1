#include "host_array.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "error.hpp"
#include "finite.hpp"

namespace hybrid {

namespace {

// Columns moved together: their rows stay in cache while the host's levels are walked.
constexpr int64_t chunk = 16;

std::vector<std::string> split(const std::string &text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    const auto first = part.find_first_not_of(' ');
    const auto last = part.find_last_not_of(' ');
    parts.push_back(first == std::string::npos ? "" : part.substr(first, last - first + 1));
  }
  return parts;
}

std::string joined(const std::vector<std::string> &names) {
  std::string text;
  for (const auto &name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

std::string reversed(const std::string &names) {
  auto parts = split(names);
  std::reverse(parts.begin(), parts.end());
  return joined(parts);
}

// What the host's array holds after a result was written to it. Held by value in the loops: the
// compiler must not expect a write to the mask to change the conversion.
template <class Host>
struct Written {
  Conversion conversion;
  bool accumulate;

  Host operator()(const std::byte *address, double result) const {
    const double value = result * conversion.slope + conversion.offset;
    if (!accumulate) return static_cast<Host>(value);
    return static_cast<Host>(static_cast<double>(*reinterpret_cast<const Host *>(address)) + value);
  }
};

[[noreturn]] void refuse(hybrid_status status, const Field &field, const std::string &message) {
  throw Error(status, field.name + ": " + message);
}

size_t position(const Field &field, const std::vector<std::string> &axes, const std::string &axis,
                const std::string &expected) {
  const auto found = std::find(axes.begin(), axes.end(), axis);
  if (found == axes.end() || std::count(axes.begin(), axes.end(), axis) != 1)
    refuse(HYBRID_ERROR_SHAPE, field,
           "expected dims '" + expected + "', in the order of the array's subscripts (so also '" +
               reversed(expected) + "'), got '" + joined(axes) + "'");
  return static_cast<size_t>(found - axes.begin());
}

}  // namespace

HostArray::HostArray(const Field &field, const Layout &layout, const std::string &first_axis,
                     int64_t n_column, Direction direction)
    : data_(static_cast<std::byte *>(layout.data)),
      host_kind_(static_cast<hybrid_kind>(layout.kind)),
      model_kind_(field.kind),
      accumulate_(layout.accumulate) {
  if (layout.kind != HYBRID_FLOAT32 && layout.kind != HYBRID_FLOAT64)
    refuse(HYBRID_ERROR_KIND, field,
           "expected an array of 4-byte or 8-byte reals, got " +
               (layout.kind > 0 ? std::to_string(layout.kind) + "-byte numbers"
                                : std::string("another type")) +
               "; copy it to real32 or real64");
  if (!data_)
    refuse(HYBRID_ERROR_ARGUMENT, field,
           "expected an array with elements, got none; allocate it before it is bound");
  std::vector<std::string> wanted = field.dims;
  wanted.insert(wanted.begin(), first_axis);
  const std::string expected = joined(wanted);
  if (layout.shape.size() != wanted.size())
    refuse(HYBRID_ERROR_SHAPE, field,
           "expected rank " + std::to_string(wanted.size()) + " (" + expected + "), got rank " +
               std::to_string(layout.shape.size()));
  const auto axes = split(layout.dims);
  if (axes.size() != wanted.size()) position(field, axes, "", expected);
  const auto check_extent = [&](size_t axis, const std::string &name, int64_t size) {
    if (layout.stride[axis] == 0 && layout.shape[axis] > 1)
      refuse(HYBRID_ERROR_SHAPE, field,
             "expected elements of their own along '" + name +
                 "', got stride 0, a broadcast; copy the array");
    if (layout.shape[axis] != size)
      refuse(HYBRID_ERROR_SHAPE, field,
             "expected " + std::to_string(size) + " along '" + name + "', got " +
                 std::to_string(layout.shape[axis]) +
                 (name == first_axis ? "; bind the columns the binding was created for"
                                     : "; regrid the array or export the closure for " +
                                           std::to_string(layout.shape[axis])));
  };
  // All names first: with the wrong name, a complaint about a size would mislead.
  const size_t column_axis = position(field, axes, first_axis, expected);
  std::vector<size_t> element_axes;
  for (const auto &dim : field.dims) element_axes.push_back(position(field, axes, dim, expected));
  check_extent(column_axis, first_axis, n_column);
  column_stride_ = layout.stride[column_axis];
  element_offset_ = {0};
  for (size_t dim = 0; dim < field.dims.size(); ++dim) {
    const size_t axis = element_axes[dim];
    check_extent(axis, field.dims[dim], field.shape[dim]);
    std::vector<int64_t> next;
    for (const auto offset : element_offset_)
      for (int64_t i = 0; i < field.shape[dim]; ++i)
        next.push_back(offset + i * layout.stride[axis]);
    element_offset_ = std::move(next);
  }
  dense_ = n_column == 1 || column_stride_ == layout.kind * field.size();
  for (size_t i = 0; i < element_offset_.size(); ++i)
    dense_ &= element_offset_[i] == layout.kind * static_cast<int64_t>(i);
  conversion_ = conversion(field.name, layout.units, field.units, direction);
  if (accumulate_ && conversion_.offset != 0.0)
    refuse(HYBRID_ERROR_UNITS, field,
           "expected units with the zero of the closure's '" + field.units +
               "' for an array that accumulates, got '" + layout.units +
               "'; an increment has no offset");
}

// Visits every value: `visit(index in the model's rows, column, address in the host's array)`.
template <class Visit>
void HostArray::walk(int64_t n_column, Visit &&visit) const {
  const int64_t size = this->size();
  for (int64_t first = 0; first < n_column; first += chunk) {
    const int64_t last = std::min(first + chunk, n_column);
    for (int64_t element = 0; element < size; ++element) {
      std::byte *base = data_ + element_offset_[static_cast<size_t>(element)];
      for (int64_t column = first; column < last; ++column)
        visit(column * size + element, column, base + column * column_stride_);
    }
  }
}

// Calls `move(Host{}, Model{})` with the two kinds as types.
template <class Move>
void HostArray::with_kinds(Move &&move) const {
  if (model_kind_ == HYBRID_FLOAT32) {
    if (host_kind_ == HYBRID_FLOAT32) return move(float{}, float{});
    return move(double{}, float{});
  }
  if (host_kind_ == HYBRID_FLOAT32) return move(float{}, double{});
  move(double{}, double{});
}

void HostArray::gather(int64_t n_column, std::byte *rows, unsigned char *mask) const {
  with_kinds([&]<class Host, class Model>(Host, Model) {
    auto *values = reinterpret_cast<Model *>(rows);
    const int64_t n_value = n_column * size();
    const double slope = conversion_.slope;
    const double offset = conversion_.offset;
    if (dense_) {
      const auto *host = reinterpret_cast<const Host *>(data_);
      FiniteCheck<Model> finite;
      for (int64_t i = 0; i < n_value; ++i) {
        const auto value = static_cast<Model>(static_cast<double>(host[i]) * slope + offset);
        values[i] = value;
        finite.see(value);
      }
      if (finite.all()) return;
    }
    walk(n_column, [=](int64_t index, int64_t column, const std::byte *address) {
      const double host = *reinterpret_cast<const Host *>(address);
      const auto value = static_cast<Model>(host * slope + offset);
      values[index] = value;
      mask[column] |= static_cast<unsigned char>(!std::isfinite(value));
    });
  });
}

void HostArray::mark_unwritable(int64_t n_column, const std::byte *rows,
                                unsigned char *mask) const {
  with_kinds([&]<class Host, class Model>(Host, Model) {
    const auto *values = reinterpret_cast<const Model *>(rows);
    const Written<Host> written{conversion_, accumulate_};
    const int64_t n_value = n_column * size();
    if (dense_) {
      FiniteCheck<Host> finite;
      for (int64_t i = 0; i < n_value; ++i)
        finite.see(written(data_ + i * static_cast<int64_t>(sizeof(Host)), values[i]));
      if (finite.all()) return;
    }
    walk(n_column, [=](int64_t index, int64_t column, const std::byte *address) {
      const Host value = written(address, values[index]);
      mask[column] |= static_cast<unsigned char>(!std::isfinite(value));
    });
  });
}

void HostArray::scatter(int64_t n_column, const std::byte *rows, const unsigned char *mask) const {
  with_kinds([&]<class Host, class Model>(Host, Model) {
    const auto *values = reinterpret_cast<const Model *>(rows);
    const Written<Host> written{conversion_, accumulate_};
    const int64_t n_value = n_column * size();
    if (dense_ && !std::memchr(mask, 1, static_cast<size_t>(n_column))) {
      auto *host = reinterpret_cast<Host *>(data_);
      for (int64_t i = 0; i < n_value; ++i)
        host[i] = written(reinterpret_cast<const std::byte *>(host + i), values[i]);
      return;
    }
    walk(n_column, [=](int64_t index, int64_t column, std::byte *address) {
      if (mask[column]) return;
      *reinterpret_cast<Host *>(address) = written(address, values[index]);
    });
  });
}

}  // namespace hybrid
