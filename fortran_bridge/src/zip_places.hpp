// Where the contents of a zip file's entries begin, which libzip does not tell.
#pragma once

#include <cstdint>
#include <vector>

namespace hybrid {

// Offset of the content of each entry, in the order of the central directory; empty where the
// file does not read as one of at most 4 GiB. Only guesses: whoever uses them compares what lies
// there with what libzip reads.
std::vector<uint64_t> zip_places(const std::vector<char> &file);

}  // namespace hybrid
