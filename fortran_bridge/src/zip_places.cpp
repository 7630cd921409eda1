#include "zip_places.hpp"

#include <cstddef>
#include <optional>

namespace hybrid {

namespace {

// Layout of APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
constexpr uint64_t end_size = 22, directory_size = 46, local_size = 30;
constexpr uint64_t end_mark = 0x06054b50, directory_mark = 0x02014b50, local_mark = 0x04034b50;
constexpr uint64_t longest_comment = 0xffff;

// A little-endian number; none beyond the file's end.
std::optional<uint64_t> number(std::string_view file, uint64_t at, int n_byte) {
  if (at + static_cast<uint64_t>(n_byte) > file.size()) return std::nullopt;
  uint64_t value = 0;
  for (int i = n_byte - 1; i >= 0; --i)
    value = value << 8 | static_cast<unsigned char>(file[at + static_cast<size_t>(i)]);
  return value;
}

bool is_mark(std::string_view file, uint64_t at, uint64_t mark) {
  return number(file, at, 4) == mark;
}

std::optional<uint64_t> end_record(std::string_view file) {
  if (file.size() < end_size) return std::nullopt;
  const uint64_t last = file.size() - end_size;
  for (uint64_t back = 0; back <= longest_comment && back <= last; ++back)
    if (is_mark(file, last - back, end_mark)) return last - back;
  return std::nullopt;
}

}  // namespace

std::vector<uint64_t> zip_places(std::string_view file) {
  const auto end = end_record(file);
  if (!end) return {};
  const uint64_t count = number(file, *end + 10, 2).value_or(0);
  uint64_t entry = number(file, *end + 16, 4).value_or(0);
  std::vector<uint64_t> places;
  for (uint64_t i = 0; i < count; ++i) {
    if (!is_mark(file, entry, directory_mark)) return {};
    const auto local = number(file, entry + 42, 4);
    if (!local || !is_mark(file, *local, local_mark)) return {};
    const auto name = number(file, *local + 26, 2), extra = number(file, *local + 28, 2);
    if (!name || !extra) return {};
    places.push_back(*local + local_size + *name + *extra);
    uint64_t length = directory_size;
    for (const uint64_t at : {28, 30, 32})  // of its name, its extra field and its comment
      length += number(file, entry + at, 2).value_or(0);
    entry += length;
  }
  return places;
}

}  // namespace hybrid
