#include "tensor.hpp"

#include <bit>
#include <cstring>

#include "../json_text.hpp"

namespace hybrid_native {

namespace {

using hybrid::printable;

constexpr int64_t most_extents = 16;

static_assert(std::endian::native == std::endian::little,
              "tensors of an archive are little-endian");

// Whether a tensor is kept column by column; before format 2 there was none of this kind.
bool read_transposed(const Json &json, const std::string &what, size_t rank, int64_t major) {
  if (major < transposed_major) {
    if (json.contains("transposed")) refuse(what + ": expected no key 'transposed' in format 1.x");
    return false;
  }
  const auto &found = json.at("transposed");
  if (!found.is_boolean() || (found.get<bool>() && rank != 2))
    refuse(what + ": expected transposed to be false, or true of a matrix, got " + shown(found));
  return found.get<bool>();
}

}  // namespace

Tensor read_tensor(const Json &json, const std::string &what, const Entries &entries,
                   int64_t major) {
  Tensor tensor{};
  int64_t size = 1;
  for (const auto &extent : list(json.at("shape"), what + ": shape", most_extents)) {
    tensor.shape.push_back(whole(extent, what + ": shape", 1, most_weights));
    if (tensor.shape.back() > most_weights / size)
      refuse(what + ": expected at most " + std::to_string(most_weights) + " numbers");
    size *= tensor.shape.back();
  }
  const auto name = json.at("entry").get<std::string>();
  const auto content = entries(name);
  if (!content)
    refuse(what + ": expected entry '" + printable(name) + "', got none in the archive");
  tensor.type = read_type(json, what, major);
  const auto held = static_cast<int64_t>(content->size() / tensor.item());
  const int64_t first = whole(json.at("first"), what + ": first", 0, held);
  if (size > held - first)
    refuse(what + ": expected " + std::to_string(size) + " numbers from number " +
           std::to_string(first) + " on in entry '" + printable(name) + "', got " +
           std::to_string(held - first));
  tensor.bytes = reinterpret_cast<const unsigned char *>(content->data()) +
                 static_cast<size_t>(first) * tensor.item();
  tensor.is_transposed = read_transposed(json, what, tensor.shape.size(), major);
  return tensor;
}

int64_t Tensor::size() const {
  int64_t total = 1;
  for (const auto extent : shape) total *= extent;
  return total;
}

void Tensor::copy(int64_t first, int64_t count, void *to) const {
  if (is_transposed) {
    auto *next = static_cast<unsigned char *>(to);
    for (int64_t i = first; i < first + count; ++i, next += item()) {
      const int64_t kept = i % shape[1] * shape[0] + i / shape[1];
      std::memcpy(next, bytes + static_cast<size_t>(kept) * item(), item());
    }
    return;
  }
  std::memcpy(to, bytes + static_cast<size_t>(first) * item(), static_cast<size_t>(count) * item());
}

}  // namespace hybrid_native
