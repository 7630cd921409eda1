#include "host_array.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "error.hpp"
#include "kinds.hpp"
#include "names.hpp"
#include "transpose.hpp"

namespace hybrid {

namespace {

// Columns moved together: their rows stay in cache while the host's levels are walked.
constexpr int64_t chunk = 32;

// Elements of a tile, which is turned over in registers.
constexpr int64_t tile_height = 8;

template <class Real>
using Tile = std::array<Real, static_cast<size_t>(tile_height *chunk)>;

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
    const double value = conversion(result);
    if (!accumulate) return static_cast<Host>(value);
    return static_cast<Host>(static_cast<double>(*reinterpret_cast<const Host *>(address)) + value);
  }
};

// Whether a share leaves the host's value: without any, or where it would turn infinity into NaN.
template <class Host>
bool keeps_host(Host host, double weight) {
  return weight == 0.0 || (weight < 1.0 && !std::isfinite(host));
}

// The host's value with a share of the closure's, at the ends exactly the one or the other, also
// where the host's value is not finite.
template <class Host>
Host blended(Host host, double closure, double weight) {
  if (keeps_host(host, weight)) return host;
  if (weight == 1.0) return static_cast<Host>(closure);
  const auto value = static_cast<double>(host);
  return static_cast<Host>(value + weight * (closure - value));
}

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

// What an array of another rank probably is.
std::string remedy_for_rank(size_t rank, size_t wanted, const std::string &first_axis) {
  if (rank + 1 == wanted)
    return "; a single " + std::string(first_axis == "member" ? "field" : "column") +
           " needs an axis of one " + first_axis;
  return "; give an array, or a section of one, with one subscript for each of them";
}

// Whether the array, with its axes named in the other order, would have the sizes of the field.
bool fits_reversed(const Field &field, const std::vector<std::string> &axes,
                   const std::vector<int64_t> &shape, const std::string &first_axis,
                   int64_t n_column) {
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    const auto &name = axes[axes.size() - 1 - axis];
    const auto dim = std::find(field.dims.begin(), field.dims.end(), name);
    const int64_t size =
        name == first_axis ? n_column : field.shape[static_cast<size_t>(dim - field.dims.begin())];
    if (shape[axis] != size) return false;
  }
  return true;
}

bool is_aligned(const ArrayView &view) {
  return reinterpret_cast<uintptr_t>(view.data) % static_cast<uintptr_t>(view.kind) == 0;
}

// Compiled code reads and writes numbers only where such numbers may lie.
void check_alignment(const Field &field, const ArrayView &view) {
  if (!is_aligned(view))
    refuse(HYBRID_ERROR_ARGUMENT, field,
           "expected an address that is a multiple of " + std::to_string(view.kind) +
               " bytes, the size of its numbers, got another; copy the array");
  for (int axis = 0; axis < view.rank; ++axis)
    if (view.shape[axis] > 1 && view.stride[axis] % view.kind != 0)
      refuse(HYBRID_ERROR_SHAPE, field,
             "expected strides that are multiples of " + std::to_string(view.kind) +
                 " bytes, the size of its numbers, got " + std::to_string(view.stride[axis]) +
                 "; copy the array");
}

// Of the axes of an array or a section of one, each steps over all that the closer ones hold.
void check_elements_apart(const Field &field, const ArrayView &view) {
  std::vector<int> axes;
  for (int axis = 0; axis < view.rank; ++axis)
    if (view.shape[axis] > 1) axes.push_back(axis);
  // In floating point, as a product of what a host says may be beyond any integer.
  const auto step = [&](int axis) { return std::abs(static_cast<double>(view.stride[axis])); };
  std::sort(axes.begin(), axes.end(), [&](int a, int b) { return step(a) < step(b); });
  double held = view.kind;
  for (const int axis : axes) {
    if (step(axis) < held)
      refuse(HYBRID_ERROR_SHAPE, field,
             "expected an output whose elements lie apart, got a stride of " +
                 std::to_string(view.stride[axis]) +
                 " bytes, shorter than what it steps over; give an array, or a section of one");
    held += static_cast<double>(view.shape[axis] - 1) * step(axis);
  }
}

// Without adding, a result becomes infinite only if the host's numbers have less range, or if the
// conversion takes it there.
bool may_overflow(hybrid_kind host, hybrid_kind model, const Conversion &conversion,
                  bool accumulate) {
  if (accumulate) return true;
  if (host == model) return std::abs(conversion.slope) > 1.0 || conversion.offset != 0.0;
  constexpr double room = 1e200;
  return host == HYBRID_FLOAT32 || std::abs(conversion.slope) > room ||
         std::abs(conversion.offset) > room;
}

}  // namespace

HostArray::HostArray(const Field &field, const ArrayView &view, const std::string &first_axis,
                     int64_t n_column, Direction direction)
    : data_(view.data),
      host_kind_(static_cast<hybrid_kind>(view.kind)),
      model_kind_(field.kind),
      shape_(view.shape, view.shape + view.rank),
      stride_(view.stride, view.stride + view.rank),
      dims_(view.dims),
      units_(view.units),
      accumulate_(view.accumulate) {
  if (view.kind != HYBRID_FLOAT32 && view.kind != HYBRID_FLOAT64)
    refuse(HYBRID_ERROR_KIND, field,
           "expected an array of 4-byte or 8-byte reals, got " +
               (view.kind > 0 ? std::to_string(view.kind) + "-byte numbers"
                              : std::string("another type")) +
               "; copy it to real32 or real64");
  if (!data_ && n_column > 0)
    refuse(HYBRID_ERROR_ARGUMENT, field,
           "expected an array with elements, got none; allocate it before it is bound");
  std::vector<std::string> wanted = field.dims;
  wanted.insert(wanted.begin(), first_axis);
  const std::string expected = joined(wanted);
  if (shape_.size() != wanted.size())
    refuse(HYBRID_ERROR_SHAPE, field,
           "expected rank " + std::to_string(wanted.size()) + " (" + expected + "), got rank " +
               std::to_string(shape_.size()) +
               remedy_for_rank(shape_.size(), wanted.size(), first_axis));
  const auto axes = split(dims_);
  if (axes.size() != wanted.size()) position(field, axes, "", expected);
  const auto check_extent = [&](size_t axis, const std::string &name, int64_t size, int64_t halo) {
    if (stride_[axis] == 0 && shape_[axis] > 1 && n_column > 0)
      refuse(HYBRID_ERROR_SHAPE, field,
             "expected elements of their own along '" + name +
                 "', got stride 0, a broadcast; copy the array");
    if (shape_[axis] == size) return;
    std::string remedy = "; regrid the array or export the closure for ";
    remedy += std::to_string(shape_[axis]);
    std::string inside;
    if (name == first_axis) remedy = "; give the " + first_axis + "s the binding was created for";
    if (halo > 0) {
      inside = " (" + std::to_string(size - 2 * halo) + " points and a halo of " +
               std::to_string(halo) + " at both ends)";
      remedy = "; pass the array with its halo";
    }
    if (fits_reversed(field, axes, shape_, first_axis, n_column)) {
      const auto other = reversed(joined(axes));
      remedy = "; for an array (" + other + ") give dims='" + other + "'";
    }
    refuse(HYBRID_ERROR_SHAPE, field,
           "expected " + std::to_string(size) + " along '" + name + "'" + inside + ", got " +
               std::to_string(shape_[axis]) + remedy);
  };
  // All names first: with the wrong name, a complaint about a size would mislead.
  const size_t column_axis = position(field, axes, first_axis, expected);
  std::vector<size_t> element_axes;
  for (const auto &dim : field.dims) element_axes.push_back(position(field, axes, dim, expected));
  check_extent(column_axis, first_axis, n_column, 0);
  column_stride_ = stride_[column_axis];
  element_offset_ = {0};
  for (size_t dim = 0; dim < field.dims.size(); ++dim) {
    const size_t axis = element_axes[dim];
    check_extent(axis, field.dims[dim], field.shape[dim], field.halo.empty() ? 0 : field.halo[dim]);
    std::vector<int64_t> next;
    for (const auto offset : element_offset_)
      for (int64_t i = 0; i < field.shape[dim]; ++i) next.push_back(offset + i * stride_[axis]);
    element_offset_ = std::move(next);
  }
  dense_ = n_column == 1 || column_stride_ == view.kind * field.size();
  for (size_t i = 0; i < element_offset_.size(); ++i)
    dense_ &= element_offset_[i] == view.kind * static_cast<int64_t>(i);
  if (n_column > 0) {
    check_alignment(field, view);
    if (direction == Direction::to_host) check_elements_apart(field, view);
  }
  conversion_ = conversion(field.name, units_, field.units, direction);
  if (accumulate_ && conversion_.offset != 0.0)
    refuse(HYBRID_ERROR_UNITS, field,
           "expected units with the zero of the closure's '" + field.units +
               "' for an array that accumulates, got '" + units_ + "'; an increment has no offset");
  can_overflow_ = may_overflow(host_kind_, model_kind_, conversion_, accumulate_);
}

bool HostArray::move_to(const ArrayView &view) {
  const auto rank = static_cast<size_t>(view.rank);
  if (!view.data || view.kind != host_kind_ || rank != shape_.size() ||
      view.accumulate != accumulate_ || !std::equal(shape_.begin(), shape_.end(), view.shape) ||
      !std::equal(stride_.begin(), stride_.end(), view.stride) || dims_ != view.dims ||
      units_ != view.units)
    return false;
  if (!is_aligned(view)) return false;
  data_ = view.data;
  return true;
}

// Visits every value: `visit(index in the rows, column counted from 0, element, address)`.
template <class Visit>
void HostArray::walk(int64_t first, int64_t n, Visit &&visit) const {
  const int64_t size = this->size();
  for (int64_t start = 0; start < n; start += chunk) {
    const int64_t end = std::min(start + chunk, n);
    for (int64_t element = 0; element < size; ++element) {
      std::byte *base =
          data_ + element_offset_[static_cast<size_t>(element)] + first * column_stride_;
      for (int64_t column = start; column < end; ++column)
        visit(column * size + element, column, element, base + column * column_stride_);
    }
  }
}

// Visits tiles of elements and columns: `visit(first column, columns, first element, elements)`.
template <class Visit>
void HostArray::for_tiles(int64_t n, Visit &&visit) const {
  for (int64_t column = 0; column < n; column += chunk)
    for (int64_t element = 0; element < size(); element += tile_height)
      visit(column, std::min(chunk, n - column), element, std::min(tile_height, size() - element));
}

// Calls `move(Host{}, Model{})` with the two kinds as types.
template <class Move>
decltype(auto) HostArray::with_kinds(Move &&move) const {
  return with_kind(model_kind_, [&]<class Model>(Model) {
    return with_kind(host_kind_, [&]<class Host>(Host) { return move(Host{}, Model{}); });
  });
}

bool HostArray::gather(int64_t first, int64_t n, std::byte *rows, const Envelope &envelope) const {
  return with_kinds([&]<class Host, class Model>(Host, Model) {
    auto *values = reinterpret_cast<Model *>(rows);
    const auto bounds = envelope.bounds<Model>();
    const Conversion convert = conversion_;
    const int64_t size = this->size();
    InsideCheck<Model> inside;
    if (dense_) {
      const auto *host = reinterpret_cast<const Host *>(data_) + first * size;
      inside.see_rows(n * size, bounds,
                      [=](int64_t i) { return values[i] = static_cast<Model>(convert(host[i])); });
    } else if (column_stride_ == sizeof(Host)) {
      const auto *host = data_ + first * column_stride_;
      for_tiles(n, [=, &inside, this](int64_t column, int64_t width, int64_t element,
                                      int64_t height) {
        Tile<Model> tile;
        for (int64_t i = 0; i < height; ++i) {
          const auto *from = reinterpret_cast<const Host *>(host + offset(element + i)) + column;
          Model *row = tile.data() + i * chunk;
          for (int64_t j = 0; j < width; ++j) row[j] = static_cast<Model>(convert(from[j]));
          inside.see_all(width, row, bounds.low[element + i], bounds.high[element + i]);
        }
        transpose(tile.data(), chunk, values + column * size + element, size, height, width);
      });
    } else {
      walk(first, n, [&](int64_t index, int64_t, int64_t element, const std::byte *address) {
        const auto value = static_cast<Model>(convert(*reinterpret_cast<const Host *>(address)));
        values[index] = value;
        inside.see(value, bounds.low[element], bounds.high[element]);
      });
    }
    return inside.all();
  });
}

void HostArray::mark_overflow(int64_t n, const std::byte *rows, Hindrance *hindrances) const {
  with_kinds([&]<class Host, class Model>(Host, Model) {
    const auto *values = reinterpret_cast<const Model *>(rows);
    const Written<Host> written{conversion_, accumulate_};
    constexpr Host most = std::numeric_limits<Host>::max();
    if (dense_) {
      const int64_t n_value = n * size();
      InsideCheck<Host> finite;
      for (int64_t i = 0; i < n_value; ++i)
        finite.see(written(data_ + i * static_cast<int64_t>(sizeof(Host)), values[i]), -most, most);
      if (finite.all()) return;
    }
    walk(0, n, [=](int64_t index, int64_t column, int64_t, const std::byte *address) {
      if (std::isfinite(written(address, values[index]))) return;
      const Host host = *reinterpret_cast<const Host *>(address);
      if (written.accumulate && !std::isfinite(host))
        hindrances[column] = host_not_finite;
      else if (hindrances[column] == none)
        hindrances[column] = too_large;
    });
  });
}

void HostArray::mark_overflow(int64_t n, const std::byte *rows, int64_t step, const Share &share,
                              Hindrance *hindrances) const {
  with_kinds([&]<class Host, class Model>(Host, Model) {
    const auto *values = reinterpret_cast<const Model *>(rows);
    walk(0, n, [&](int64_t index, int64_t column, int64_t element, const std::byte *address) {
      const double weight = share.at(step, element, column);
      const Host host = *reinterpret_cast<const Host *>(address);
      if (keeps_host(host, weight)) return;
      if (!std::isfinite(blended(host, conversion_(values[index]), weight)))
        hindrances[column] = too_large;
    });
  });
}

void HostArray::scatter(int64_t n, const std::byte *rows, const unsigned char *mask,
                        unsigned char skip) const {
  with_kinds([&]<class Host, class Model>(Host, Model) {
    const auto *values = reinterpret_cast<const Model *>(rows);
    const Written<Host> written{conversion_, accumulate_};
    if (mask) {
      walk(0, n, [=](int64_t index, int64_t column, int64_t, std::byte *address) {
        if (mask[column] & skip) return;
        *reinterpret_cast<Host *>(address) = written(address, values[index]);
      });
      return;
    }
    if (!dense_ && column_stride_ == sizeof(Host)) {
      const int64_t size = this->size();
      for_tiles(n, [=, this](int64_t column, int64_t width, int64_t element, int64_t height) {
        Tile<Model> tile;
        transpose(values + column * size + element, size, tile.data(), chunk, width, height);
        for (int64_t i = 0; i < height; ++i) {
          auto *to = reinterpret_cast<Host *>(data_ + offset(element + i)) + column;
          const Model *row = tile.data() + i * chunk;
          for (int64_t j = 0; j < width; ++j)
            to[j] = written(reinterpret_cast<const std::byte *>(to + j), row[j]);
        }
      });
      return;
    }
    if (!dense_) {
      walk(0, n, [=](int64_t index, int64_t, int64_t, std::byte *address) {
        *reinterpret_cast<Host *>(address) = written(address, values[index]);
      });
      return;
    }
    const int64_t n_value = n * size();
    auto *host = reinterpret_cast<Host *>(data_);
    for (int64_t i = 0; i < n_value; ++i)
      host[i] = written(reinterpret_cast<const std::byte *>(host + i), values[i]);
  });
}

void HostArray::blend(int64_t n, const std::byte *rows, const unsigned char *mask, Skip skip,
                      int64_t step, Share &share) const {
  with_kinds([&]<class Host, class Model>(Host, Model) {
    const auto *values = reinterpret_cast<const Model *>(rows);
    walk(0, n, [&](int64_t index, int64_t column, int64_t element, std::byte *address) {
      const unsigned char marked = mask ? mask[column] : 0;
      if (marked & skip.write) return;
      auto &host = *reinterpret_cast<Host *>(address);
      const double closure = conversion_(values[index]);
      const double difference = closure - static_cast<double>(host);
      if (std::isfinite(difference) && !(marked & skip.record))
        share.difference(element).record(difference);
      host = blended(host, closure, share.at(step, element, column));
    });
  });
}

}  // namespace hybrid
