// Where the contents of a zip file's entries begin, which libzip does not tell.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace hybrid {

// Of an entry that does not lie in the file as it is.
constexpr uint64_t no_place = std::numeric_limits<uint64_t>::max();

// Offset of the content of each entry, in the order of the central directory; empty where the
// file does not read as one of at most 4 GiB. Only guesses: whoever uses them knows what must lie
// there.
std::vector<uint64_t> zip_places(std::string_view file);

}  // namespace hybrid
